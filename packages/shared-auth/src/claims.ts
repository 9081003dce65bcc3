import { AuthError } from "./errors.ts";

/** Claims of a token whose signature is good, checked for type and meaning (RFC 7519 section 4.1, RFC 9068 section 4). */
export interface CheckedClaims {
  readonly subject: string;
  readonly audience: readonly string[];
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly notBefore: number | undefined;
  readonly issuedAt: number | undefined;
  readonly tokenId: string | undefined;
}

/** What this service demands of the claims, and when. */
interface ClaimRules {
  /** Any one of these must be in `aud`. */
  readonly audience: readonly string[];
  readonly leewaySeconds: number;
  /** Seconds since the epoch. */
  readonly now: number;
}

type Claims = Readonly<Record<string, unknown>>;

/** Seconds: the end of the year 9999. A larger value is no date; most often it is milliseconds. */
const LAST_DATE = 253_402_300_799;
/** Characters; OpenID Connect allows 255, some providers use addresses and URIs. */
const MAX_SUBJECT_LENGTH = 512;

/**
 * Checks the registered claims. Pure: the caller gives the time.
 * @throws AuthError `claim_invalid`, `audience_mismatch`, `token_expired`, `token_not_yet_valid`
 */
export function checkClaims(claims: Claims, rules: ClaimRules): CheckedClaims {
  const audience = readAudience(claims.aud);
  const checked: CheckedClaims = {
    audience,
    subject: readSubject(claims.sub),
    expiresAt: required(readDate(claims, "exp"), "exp"),
    notBefore: readDate(claims, "nbf"),
    issuedAt: readDate(claims, "iat"),
    tokenId: readOptionalString(claims, "jti"),
  };
  checkAudience(audience, rules.audience);
  checkTimes(checked, rules);
  return checked;
}

function checkAudience(audience: readonly string[], accepted: readonly string[]): void {
  if (audience.some((one) => accepted.includes(one))) return;
  const message = `The token audience is ${listed(audience)}, this service is ${accepted.join(" or ")}.`;
  throw new AuthError("audience_mismatch", message);
}

function checkTimes({ expiresAt, notBefore, issuedAt }: CheckedClaims, { now, leewaySeconds }: ClaimRules): void {
  if (expiresAt <= now - leewaySeconds) {
    throw new AuthError("token_expired", `The token expired at ${when(expiresAt)}; get a new one.`);
  }
  const latestStart = now + leewaySeconds;
  if (notBefore !== undefined && notBefore > latestStart) {
    throw new AuthError("token_not_yet_valid", `The token is not valid before ${when(notBefore)}.`);
  }
  if (issuedAt !== undefined && issuedAt > latestStart) {
    throw new AuthError("token_not_yet_valid", `The token says it was issued in the future, at ${when(issuedAt)}.`);
  }
}

function readAudience(value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isFilled)) {
    throw invalid("aud", "must be a string or a list of strings, and not empty");
  }
  return Object.freeze(list);
}

function readSubject(value: unknown): string {
  if (!isFilled(value)) throw invalid("sub", "must be a non-empty string");
  if (value.length > MAX_SUBJECT_LENGTH) throw invalid("sub", `must be at most ${MAX_SUBJECT_LENGTH} characters`);
  // A subject is compared, recorded and shown: one that looks like another must not pass.
  if (/\p{Cc}|\p{Cf}|^\s|\s$/u.test(value) || !value.isWellFormed()) {
    throw invalid("sub", "must not hold control characters or outer spaces");
  }
  return value;
}

function readDate(claims: Claims, name: string): number | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (typeof value === "number" && value >= 0 && value <= LAST_DATE) return value;
  throw invalid(name, "must be a number of seconds since 1970");
}

/** @throws AuthError `claim_invalid` for a claim that is there and no string */
function readOptionalString(claims: Claims, name: string): string | undefined {
  if (!Object.hasOwn(claims, name)) return undefined;
  const value = claims[name];
  if (typeof value === "string") return value;
  throw invalid(name, "must be a string");
}

function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw invalid(name, "is missing");
  return value;
}

/** The signature was good, so the issuer made this token: naming the claim helps whoever set the issuer up. */
export function invalid(name: string, problem: string): AuthError {
  return new AuthError("claim_invalid", `The token's claim ${name} ${problem}.`);
}

function isFilled(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function when(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

/** A token may name many audiences; a message names the first few. */
function listed(audience: readonly string[]): string {
  const shown = audience.slice(0, 5).map((one) => one.slice(0, 100));
  return `[${shown.join(", ")}${audience.length > shown.length ? ", …" : ""}]`;
}
