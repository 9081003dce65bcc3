import { compactVerify, errors } from "jose";
import type { Algorithm } from "./algorithms.ts";
import { checkClaims } from "./claims.ts";
import { type Clock, type ClockOptions, clockFrom } from "./clock.ts";
import { type CompactToken, createCompactParser, malformed, requireTokenText, UNVERIFIED } from "./compact.ts";
import { AuthError } from "./errors.ts";
import { listener, type OnEvent } from "./events.ts";
import { type Fetch, platformFetch } from "./fetch-json.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { defaultKeyTimes, type KeyTimes } from "./key-refresh.ts";
import type { VerificationKey } from "./key-set.ts";
import { keyLoader } from "./key-source.ts";
import { type Candidates, createIssuerKeys, type IssuerKeys } from "./keys.ts";
import { createPresentationCheck, type DpopOptions, type Presented } from "./presentation.ts";
import { checkAlgorithm, checkPolicy, checkTokenType } from "./profile.ts";
import { requireFlag, requireMilliseconds, requireSeconds } from "./requirements.ts";
import { type IssuerOptions, type TrustedIssuer, trust } from "./trust.ts";
import { createVerifiedCache, type VerifiedCacheOptions } from "./verified-cache.ts";

/** Whose tokens are accepted, and how strictly; the defaults are strict. */
export interface VerifierOptions extends ClockOptions {
  /** The allowlist: a token of any other issuer is refused, and nothing is fetched because of it. */
  readonly issuers: readonly IssuerOptions[];
  /** Seconds by which clocks may differ; 60 unless given. */
  readonly leewaySeconds?: number | undefined;
  /** Accept tokens that speak for an application and no user; false unless given. */
  readonly allowApps?: boolean | undefined;
  /** Seconds a key set is used before it is loaded anew; 3600 unless given. */
  readonly jwksCacheTtlSeconds?: number | undefined;
  /** Seconds after that in which it still serves while the provider is down; 14400 unless given. */
  readonly staleGraceSeconds?: number | undefined;
  /** At most one load per this many seconds because of unknown keys; 15 unless given. */
  readonly unknownKeyCooldownSeconds?: number | undefined;
  /** Milliseconds for each document of a provider; 5000 unless given. */
  readonly keysTimeoutMs?: number | undefined;
  /** Verified tokens that are remembered, by digest; 5000 unless given, false for none. */
  readonly tokenCache?: false | VerifiedCacheOptions | undefined;
  /** Accept tokens bound to a key (RFC 9449); off unless given. */
  readonly dpop?: DpopOptions | undefined;
  /** Asks for key sets and discovery documents; the platform's unless given. */
  readonly fetch?: Fetch | undefined;
  /** Told when keys were loaded, or could not be. */
  readonly onEvent?: OnEvent | undefined;
}

/**
 * From an access token to whom it speaks for (RFC 9068 section 4, RFC 8725).
 * @throws AuthError every code of its first three groups, `keys_unavailable`, `issuer_misconfigured`
 */
export interface Verifier {
  /** `presented` says how the token came in; without it, as a bearer token. */
  (token: string, presented?: Presented): Promise<Identity>;
  /**
   * Resolves when the keys of every issuer are loaded.
   * @throws AuthError `keys_unavailable`, `issuer_misconfigured`
   */
  readonly ready: () => Promise<void>;
}

interface Source {
  readonly trusted: TrustedIssuer;
  readonly keys: IssuerKeys;
}

/** @throws TypeError when the options are incomplete or contradict each other */
export function createVerifier(options: VerifierOptions): Verifier {
  requireIssuers(options);
  const clock = clockFrom(options);
  const sources = createSources(options, clock);
  const parse = createCompactParser();
  const cache =
    options.tokenCache === false ? undefined : createVerifiedCache(options.tokenCache ?? { maxEntries: 5000 });
  const leewaySeconds = requireSeconds(options.leewaySeconds ?? 60, "leewaySeconds", 600);
  const allowApps = requireFlag(options.allowApps ?? false, "allowApps");
  const checkPresentation = createPresentationCheck(options.dpop, clock);

  async function verify(token: string, presented?: Presented): Promise<Identity> {
    requireTokenText(token);
    const identity = remembered(token) ?? (await verifyAnew(token));
    const proof = checkPresentation(identity, token, presented);
    if (proof !== undefined) await proof;
    return identity;
  }

  function remembered(token: string): Identity | undefined {
    const known = cache?.get(token);
    if (known === undefined) return undefined;
    const { identity, key } = known;
    const holds = clock.wallMs() / 1000 < identity.expiresAt && sources.get(identity.issuer)?.keys.holds(key);
    if (holds) return identity;
    cache?.delete(token);
    return undefined;
  }

  async function verifyAnew(token: string): Promise<Identity> {
    const parsed = parse(token);
    const { trusted, keys } = sourceOf(parsed, sources);
    const algorithm = checkAlgorithm(parsed, trusted);
    const { kid } = parsed.header;
    const known = keys.known(algorithm, kid) ?? (await keys.find(algorithm, kid));
    const key = (await signerOf(token, known)) ?? (await replacedSigner(token, known, keys, algorithm, kid));
    checkTokenType(parsed, trusted);
    const now = clock.wallMs() / 1000;
    const checked = checkClaims(parsed.claims, { audience: trusted.audience, leewaySeconds, now });
    const identity = readIdentity(parsed.claims, checked, trusted);
    checkPolicy(identity, trusted, { allowApps });
    cache?.set(token, { identity, key });
    return identity;
  }

  const ready = async () => {
    await Promise.all([...sources.values()].map(({ keys }) => keys.ready()));
  };
  return Object.assign(verify, { ready });
}

function requireIssuers(options: VerifierOptions | undefined): void {
  if (!Array.isArray(options?.issuers) || options.issuers.length === 0) {
    throw new TypeError("createVerifier needs at least one issuer.");
  }
}

function createSources(options: VerifierOptions, clock: Clock): ReadonlyMap<string, Source> {
  const times = keyTimes(options);
  const network = {
    fetch: options.fetch ?? platformFetch,
    timeoutMs: requireMilliseconds(options.keysTimeoutMs ?? 5000, "keysTimeoutMs"),
  };
  const onEvent = listener(options.onEvent);
  const sources = new Map<string, Source>();
  for (const trusted of options.issuers.map(trust)) {
    const { issuer, keySource, algorithms } = trusted;
    if (sources.has(issuer))
      throw new TypeError(`Issuer ${issuer} is configured twice; give it all its audiences at once.`);
    const load = keyLoader(issuer, keySource, algorithms, network);
    sources.set(issuer, { trusted, keys: createIssuerKeys({ issuer, load, times, clock, onEvent }) });
  }
  return sources;
}

function keyTimes(options: VerifierOptions): KeyTimes {
  const { ttlSeconds, staleGraceSeconds, unknownKidCooldownSeconds } = defaultKeyTimes;
  const chosen = (name: "jwksCacheTtlSeconds" | "staleGraceSeconds" | "unknownKeyCooldownSeconds", usual: number) =>
    requireSeconds(options[name] ?? usual, name);
  return {
    ...defaultKeyTimes,
    ttlSeconds: chosen("jwksCacheTtlSeconds", ttlSeconds),
    staleGraceSeconds: chosen("staleGraceSeconds", staleGraceSeconds),
    unknownKidCooldownSeconds: chosen("unknownKeyCooldownSeconds", unknownKidCooldownSeconds),
  };
}

/** The token's word is used to choose among the issuers we were given, and for nothing else. */
function sourceOf({ claims }: CompactToken, sources: ReadonlyMap<string, Source>): Source {
  const source = typeof claims.iss === "string" ? sources.get(claims.iss) : undefined;
  if (source !== undefined) return source;
  const cause = new Error(`The token's issuer is none of ${[...sources.keys()].join(", ")}.`);
  throw new AuthError("issuer_untrusted", UNVERIFIED, { cause });
}

/** The one of these keys that signed the token. */
async function signerOf(token: string, { keys }: Candidates): Promise<VerificationKey | undefined> {
  for (const candidate of keys) {
    try {
      await compactVerify(token, candidate.key, { algorithms: [candidate.algorithm] });
      return candidate;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw malformed("jose cannot read it");
    }
  }
  return undefined;
}

/** Once more with keys that were replaced under the same name. */
async function replacedSigner(
  token: string,
  tried: Candidates,
  keys: IssuerKeys,
  algorithm: Algorithm,
  kid: string | undefined,
): Promise<VerificationKey> {
  const signer = await signerOf(token, await keys.replaced(tried, algorithm, kid));
  if (signer !== undefined) return signer;
  const cause = new Error("No key of the issuer made this signature.");
  throw new AuthError("signature_invalid", UNVERIFIED, { cause });
}
