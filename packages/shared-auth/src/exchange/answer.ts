import { decodeJwt } from "jose";
import { MAX_TOKEN_LENGTH } from "../compact.ts";
import { splitScopes } from "../identity.ts";
import type { ScopedToken, Subject } from "./exchange.ts";
import { type Answer, type ExchangeProfile, tokenType } from "./profile.ts";

/** Why an answer must not be used; for the log. */
export type Problem = string;

/** A token that can be sent as it is: `N_A` says that it is none (RFC 8693 section 2.2.1). */
function presentable(answer: Answer): Problem | undefined {
  return answer.token_type === "bearer" || answer.token_type === "dpop"
    ? undefined
    : `token_type is ${answer.token_type}`;
}

/** The provider promises to name what it issued: an access token, or a JWT, which may serve as one. */
export function namedAccessToken(answer: Answer): Problem | undefined {
  const { issued_token_type: issued } = answer;
  const good = issued === tokenType("access_token") || issued === tokenType("jwt");
  return good ? presentable(answer) : `issued_token_type is ${shown(issued)}`;
}

/** The provider promises nothing; but if it names a type, it must be one of an access token. */
export function perhapsNamedAccessToken(answer: Answer): Problem | undefined {
  return answer.issued_token_type === undefined ? presentable(answer) : namedAccessToken(answer);
}

/** A foreign value, cut short, for our log. */
export function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "missing").slice(0, 80);
}

/** What was asked for, and of whom. */
export interface Expected {
  /** The issuer that was asked, the only one whose JWTs we can read here. */
  readonly issuer: string;
  readonly subject: Subject["identity"];
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly profile: Pick<ExchangeProfile, "scopesGranted" | "userClaim">;
  /** A token bound to our key was asked for (RFC 9449 section 5). */
  readonly bound: boolean;
  /** When it was asked for; seconds since the epoch. */
  readonly now: number;
}

type Judged = Pick<ScopedToken, "accessToken" | "tokenType" | "expiresAt" | "scopes">;
type Claims = Readonly<Record<string, unknown>>;

/**
 * Whether the issued token is what was asked for: of a size and spelling that can travel, and, when it is a JWT of the
 * issuer that was asked, for the same user, the audience asked for, and no scope more. Its signature is for the next hop
 * to check; it came over TLS from the server itself.
 */
export function judge(answer: Answer, expected: Expected): Judged | { readonly problem: Problem } {
  const { access_token: accessToken } = answer;
  const granted = splitScopes(answer.scope);
  const claims = readClaims(accessToken);
  const problem =
    spellingProblem(accessToken) ??
    (expected.bound && answer.token_type !== "dpop" ? "it is not bound to the key it was asked for" : undefined) ??
    widened(granted, expected) ??
    (claims?.iss === expected.issuer ? claimProblem(claims, expected) : undefined);
  if (problem !== undefined) return { problem };
  return {
    accessToken,
    tokenType: answer.token_type === "dpop" ? "DPoP" : "Bearer",
    expiresAt: expiry(answer.expires_in, claims?.exp, expected.now),
    scopes: Object.freeze([...(granted ?? splitScopes(claims?.scp ?? claims?.scope) ?? expected.scopes)]),
  };
}

function spellingProblem(token: string): Problem | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return `it has ${token.length} characters`;
  return /^[\w\-.~+/]+=*$/.test(token) ? undefined : "it has characters that no header can carry";
}

function readClaims(token: string): Claims | undefined {
  try {
    return decodeJwt(token);
  } catch {
    // Opaque, or encrypted for the next hop: nothing to compare.
    return undefined;
  }
}

function claimProblem(claims: Claims, expected: Expected): Problem | undefined {
  const { subject, audience, profile } = expected;
  const before = profile.userClaim === "sub" ? subject.subject : subject.claims?.[profile.userClaim];
  if (subject.issuer === expected.issuer && before !== undefined && claims[profile.userClaim] !== before) {
    return "it is for another user";
  }
  const has = Array.isArray(claims.aud) ? claims.aud : [claims.aud];
  if (audience.some((one) => !has.includes(one))) return `its audience is ${shown(claims.aud)}`;
  return widened(splitScopes(claims.scp ?? claims.scope), expected);
}

/** Scopes that nobody asked for; without a wish the server chooses. */
function widened(granted: readonly string[] | undefined, { scopes, profile }: Expected): Problem | undefined {
  if (granted === undefined || scopes.length === 0 || profile.scopesGranted === "server_decides") return undefined;
  const more = granted.filter((scope) => !scopes.includes(scope));
  return more.length === 0 ? undefined : `its scope is wider than asked: ${more.join(" ").slice(0, 200)}`;
}

/** The earlier of what the answer and the token itself say; seconds since the epoch. */
function expiry(expiresIn: number | undefined, exp: unknown, now: number): number | undefined {
  const ends = [expiresIn === undefined ? undefined : now + expiresIn, exp].filter((end) => Number.isFinite(end));
  return ends.length === 0 ? undefined : Math.floor(Math.min(...(ends as number[])));
}
