import type { Algorithm } from "./algorithms.ts";
import { type CompactToken, UNVERIFIED } from "./compact.ts";
import { AuthError } from "./errors.ts";
import type { Identity } from "./identity.ts";
import type { Acceptance, TrustedIssuer } from "./trust.ts";

/**
 * The algorithm, if it is one the issuer may sign with: the header only picks from the issuer's own list (RFC 8725
 * section 3.1).
 * @throws AuthError `algorithm_unaccepted`
 */
export function checkAlgorithm({ header }: CompactToken, trusted: TrustedIssuer): Algorithm {
  const algorithm = trusted.algorithms.find((accepted) => accepted === header.alg);
  if (algorithm !== undefined) return algorithm;
  const cause = new Error(`${trusted.issuer} may sign with ${trusted.algorithms.join(", ")} only.`);
  throw new AuthError("algorithm_unaccepted", UNVERIFIED, { cause });
}

/**
 * An access token and nothing else (RFC 9068 section 4, RFC 8725 section 3.11): `typ` says `at+jwt`; or it says only
 * `JWT`, or nothing, and the claims are those of an access token and of no ID or logout token.
 * @throws AuthError `token_type_unaccepted`
 */
export function checkTokenType({ header: { type }, claims }: CompactToken, trusted: TrustedIssuer): void {
  if (type === "at+jwt") return;
  const plain = type === "jwt" && !trusted.requireAccessTokenType;
  const { accessTokenClaims, isOtherToken } = trusted.dialect;
  const fits = accessTokenClaims.some((name) => Object.hasOwn(claims, name)) && !isOtherToken(claims);
  if (plain && fits) return;
  const kind = isOtherToken(claims)
    ? "its claims are an ID token's or a logout token's"
    : "no claim says that it is one";
  const what = plain ? kind : `its typ is ${type?.slice(0, 60) ?? "absent"}`;
  throw new AuthError("token_type_unaccepted", `The token is not an access token: ${what}.`);
}

/** What holds for all issuers of a service. */
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
