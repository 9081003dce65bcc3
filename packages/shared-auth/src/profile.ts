import type { Algorithm } from "./algorithms.ts";
import { type CompactToken, malformed, UNVERIFIED } from "./compact.ts";
import { AuthError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import type { Acceptance, TrustedIssuer } from "./trust.ts";

/** What the header says about the key, once it is known to be harmless. */
export interface KeyHint {
  readonly algorithm: Algorithm;
  readonly kid: string | undefined;
}

/** Extensions that must be understood, unencoded claims, and what only encrypted tokens have. */
const refusedMembers = ["crit", "b64", "zip", "enc"];
/** Characters; a kid is a name or a thumbprint. */
const MAX_KID_LENGTH = 256;

/**
 * The header may only say which of the issuer's own keys to use. Its `jwk`, `jku`, `x5u` and `x5c` are never looked at,
 * and an extension that must be understood is not understood (RFC 7515 section 4.1.11, RFC 7797, RFC 8725 section 3.1).
 * @throws AuthError `algorithm_unaccepted`, `token_malformed`
 */
export function checkHeader(header: CompactToken["header"], trusted: TrustedIssuer): KeyHint {
  const { alg, kid } = header;
  for (const name of refusedMembers) if (Object.hasOwn(header, name)) throw malformed(`the header has ${name}`);
  const algorithm = trusted.algorithms.find((accepted) => accepted === alg);
  if (algorithm === undefined) {
    const cause = new Error(`${trusted.issuer} may sign with ${trusted.algorithms.join(", ")} only.`);
    throw new AuthError("algorithm_unaccepted", UNVERIFIED, { cause });
  }
  if (kid === undefined) return { algorithm, kid };
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_LENGTH) throw malformed("kid is not a sane string");
  return { algorithm, kid };
}

/** Claims that a plain `JWT` must have one of to count as an access token. */
const accessTokenClaims = ["scope", "scp", "client_id", "cid", "azp", "appid"];

/**
 * An access token and nothing else (RFC 9068 section 4, RFC 8725 section 3.11): `typ` says `at+jwt`; or it says only
 * `JWT`, or nothing, and the claims are those of an access token and of no ID or logout token.
 * @throws AuthError `token_type_unaccepted`
 */
export function checkTokenType({ header, claims }: CompactToken, trusted: TrustedIssuer): void {
  const typ = Object.hasOwn(header, "typ") ? header.typ : "JWT";
  const type = typeof typ === "string" ? typ.toLowerCase().replace(/^application\//, "") : "";
  if (type === "at+jwt") return;
  const plain = type === "jwt" && !trusted.requireAccessTokenType;
  const fits = accessTokenClaims.some((name) => Object.hasOwn(claims, name)) && !trusted.dialect.isOtherToken(claims);
  if (plain && fits) return;
  const cause = new Error(
    `The header's typ is ${JSON.stringify(typ)?.slice(0, 60)} and the claims are not an access token's.`,
  );
  throw new AuthError("token_type_unaccepted", UNVERIFIED, { cause });
}

export interface Policy {
  readonly allowApps: boolean;
}

/**
 * Whether a good token may do anything here at all.
 * @throws AuthError `client_untrusted`, `user_required`, `scope_insufficient`
 */
export function checkPolicy(identity: Identity, trusted: Acceptance, policy: Policy): void {
  const { clientId, kind, scopes } = identity;
  if (trusted.trustedClients !== undefined && (clientId === undefined || !trusted.trustedClients.has(clientId))) {
    const who = clientId === undefined ? "names no client" : `was issued to client ${clientId}`;
    throw new AuthError("client_untrusted", `The token ${who}, which this service does not trust.`);
  }
  if (kind === "app" && !policy.allowApps) {
    throw new AuthError("user_required", "The token speaks for an application; this service needs a user's token.");
  }
  requireScopes(scopes, trusted.requiredScopes);
}

/** @throws AuthError `scope_insufficient` */
export function requireScopes(has: readonly string[], needed: readonly string[]): void {
  const missing = needed.filter((scope) => !has.includes(scope));
  if (missing.length === 0) return;
  const message = `The token lacks the scope ${missing.join(" ")}.`;
  throw new AuthError("scope_insufficient", message, { scopes: needed });
}
