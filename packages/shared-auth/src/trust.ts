import type { JSONWebKeySet } from "jose";
import { type Algorithm, isAlgorithm, keyKinds } from "./algorithms.ts";
import { type ClaimMapping, type Dialect, type DialectProfile, dialects } from "./dialects.ts";
import { requireSecureUrl } from "./fetch-json.ts";
import { type KeySource, requireStrongSecret } from "./key-source.ts";
import { isText, requireFlag, requireTexts } from "./requirements.ts";

/** What an issuer's tokens must say to be accepted here, and how they say it. */
export interface AcceptanceOptions {
  /** Compared exactly with `iss`. */
  readonly issuer: string;
  /** Any one of these must be in `aud`. Required: a token for another service is never accepted. */
  readonly audience: string | readonly string[];
  /** Whose tokens they are, which decides where the facts stand in them; `generic` unless given. */
  readonly dialect?: Dialect | undefined;
  /** Scopes that every token of this issuer must have. */
  readonly requiredScopes?: readonly string[] | undefined;
  /** When given: only tokens issued to these clients are accepted. */
  readonly trustedClients?: readonly string[] | undefined;
  /** Where the facts stand, when not where the dialect has them: dotted paths, one or several. */
  readonly claims?: { readonly [Fact in keyof ClaimMapping]?: string | readonly string[] | undefined } | undefined;
  /** Read a groups claim that is a plain string as one group; otherwise it counts as malformed. */
  readonly groupsMayBeString?: boolean | undefined;
}

/** One issuer of JWTs that are believed, and how far. */
export interface IssuerOptions extends AcceptanceOptions {
  /** The key set's URL; without it, and without `jwks` or `secret`, the discovery document is asked. */
  readonly jwksUri?: string | undefined;
  /** `<issuer>/.well-known/openid-configuration` unless given. */
  readonly discoveryUrl?: string | undefined;
  /** A fixed key set, instead of one over the network. */
  readonly jwks?: JSONWebKeySet | undefined;
  /** A shared secret for HS256/384/512, at least as long as the hash; those are accepted in no other way. */
  readonly secret?: Uint8Array | string | undefined;
  /** `["RS256"]` unless given. */
  readonly algorithms?: readonly Algorithm[] | undefined;
  /** Accept only tokens whose `typ` is `at+jwt` (RFC 9068 section 2.1). Okta, Keycloak and Entra do not write it. */
  readonly requireAccessTokenType?: boolean | undefined;
}

/** The same, checked and complete. */
export interface Acceptance {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly dialect: DialectProfile;
  readonly mapping: ClaimMapping;
  readonly requiredScopes: readonly string[];
  readonly trustedClients: ReadonlySet<string> | undefined;
  readonly groupsMayBeString: boolean;
}

/** One issuer of JWTs, ready to be used. */
export interface TrustedIssuer extends Acceptance {
  readonly keySource: KeySource;
  readonly algorithms: readonly Algorithm[];
  readonly requireAccessTokenType: boolean;
}

/** @throws TypeError naming what is missing or wrong */
export function accept(options: AcceptanceOptions): Acceptance {
  const { issuer, dialect = "generic" } = options;
  if (!isText(issuer)) throw new TypeError("Each issuer needs its `issuer`, as its tokens name it.");
  if (issuer !== issuer.trim()) throw new TypeError(`Issuer ${JSON.stringify(issuer)} has white space around it.`);
  const profile = Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined;
  if (profile === undefined)
    throw new TypeError(`Dialect ${dialect} is not one of ${Object.keys(dialects).join(", ")}.`);
  return {
    issuer,
    audience: nonEmpty(
      options.audience,
      `Issuer ${issuer} needs the \`audience\` that its tokens for this service carry.`,
    ),
    dialect: profile,
    mapping: mappingOf(profile, options.claims),
    requiredScopes: requireTexts(options.requiredScopes ?? [], `requiredScopes of ${issuer}`),
    trustedClients:
      options.trustedClients && new Set(requireTexts(options.trustedClients, `trustedClients of ${issuer}`)),
    groupsMayBeString: requireFlag(options.groupsMayBeString ?? false, `groupsMayBeString of ${issuer}`),
  };
}

/** @throws TypeError naming what is missing or wrong */
export function trust(options: IssuerOptions): TrustedIssuer {
  const accepted = accept(options);
  const algorithms = nonEmpty(
    options.algorithms ?? ["RS256"],
    `Issuer ${options.issuer} needs at least one algorithm.`,
  );
  const secret = typeof options.secret === "string" ? Buffer.from(options.secret) : options.secret;
  checkAlgorithms(algorithms, secret);
  const requireAccessTokenType = requireFlag(
    options.requireAccessTokenType ?? false,
    `requireAccessTokenType of ${options.issuer}`,
  );
  return Object.freeze({ ...accepted, algorithms, keySource: keySource(options, secret), requireAccessTokenType });
}

function nonEmpty<T extends string>(value: T | readonly T[], message: string): readonly T[] {
  const list: readonly T[] = typeof value === "string" ? [value] : Array.isArray(value) ? [...value] : [];
  if (list.length === 0 || list.some((one) => !isText(one))) throw new TypeError(message);
  return Object.freeze(list);
}

/** A set of public keys and a shared secret never mix: a public key must not be usable as an HMAC secret (RFC 8725 2.1). */
function checkAlgorithms(algorithms: readonly Algorithm[], secret: Uint8Array | undefined): void {
  for (const algorithm of algorithms) {
    if (!isAlgorithm(algorithm)) throw new TypeError(`Algorithm ${String(algorithm)} is not supported.`);
    const symmetric = keyKinds[algorithm].kty === "oct";
    if (symmetric && secret === undefined) throw new TypeError(`${algorithm} needs the issuer's \`secret\`.`);
    if (!symmetric && secret !== undefined)
      throw new TypeError(`${algorithm} does not go with a \`secret\`; name HS algorithms only.`);
  }
  if (secret !== undefined) requireStrongSecret(secret, algorithms);
}

function keySource(options: IssuerOptions, secret: Uint8Array | undefined): KeySource {
  if (secret !== undefined) return { secret };
  if (options.jwks !== undefined) return { jwks: structuredClone(options.jwks) };
  if (options.jwksUri !== undefined) return { jwksUri: requireSecureUrl(options.jwksUri, "jwksUri") };
  const wellKnown = `${options.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  return { discoveryUrl: requireSecureUrl(options.discoveryUrl ?? wellKnown, "discoveryUrl") };
}

function mappingOf(profile: DialectProfile, own: IssuerOptions["claims"]): ClaimMapping {
  const mapping: Record<keyof ClaimMapping, readonly string[]> = { ...profile.claims };
  for (const fact of Object.keys(mapping) as (keyof ClaimMapping)[]) {
    const paths = own?.[fact];
    if (paths !== undefined) mapping[fact] = nonEmpty(paths, `The claim mapping for ${fact} is empty.`);
  }
  return mapping;
}
