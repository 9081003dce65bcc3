import { decodeJwt, type JWTPayload, errors as joseErrors, jwtVerify } from "jose";
import { z } from "zod";
import type { UserClaims } from "../claims.ts";
import { errors } from "../library.ts";

/** Whose tokens may be exchanged here, and how one tells that they are real. */
export interface TrustedIssuer {
  readonly name: string;
  readonly url: string;
  readonly find: Parameters<typeof jwtVerify>[1] & ((...args: never[]) => unknown);
  /** Whether the token with this id was revoked, or its session ended. */
  readonly isActive: (jti: string) => Promise<boolean>;
}

/** A subject token that was found to be real, of a user, and still good. */
export interface SubjectToken {
  readonly issuerName: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly expiresAt: number;
  readonly user: UserClaims;
}

const claims = z.object({
  sub: z.string().min(1),
  jti: z.string().min(1),
  exp: z.number(),
  aud: z.union([z.string().transform((one) => [one]), z.array(z.string())]),
  uid: z.string().min(1),
  oid: z.string().default(""),
  email: z.string(),
  name: z.string(),
  groups: z.array(z.string()).default([]),
});

/**
 * Checks a subject token against the keys of the issuers trusted here.
 * @throws CustomOIDCProviderError invalid_grant, saying which check failed
 */
export async function verifySubject(token: string, trusted: readonly TrustedIssuer[]): Promise<SubjectToken> {
  const issuer = issuerOf(token, trusted);
  const payload = await verified(token, issuer);
  if (payload.uid === undefined)
    throw refuse("the subject token is a client's own, of no user; only a user's token can be exchanged");
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw refuse("the subject token lacks claims that an access token of its issuer has");
  const { sub, aud, exp, jti, ...user } = parsed.data;
  if (!(await issuer.isActive(jti))) throw refuse("the subject token was revoked");
  return { issuerName: issuer.name, subject: sub, audiences: aud, expiresAt: exp, user };
}

function issuerOf(token: string, trusted: readonly TrustedIssuer[]): TrustedIssuer {
  const named = unverified(token).iss;
  const issuer = trusted.find(({ url }) => url === named);
  if (issuer === undefined) throw refuse("the subject token's issuer is not trusted here");
  return issuer;
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw refuse("the subject token is not a JWT");
  }
}

async function verified(token: string, issuer: TrustedIssuer): Promise<JWTPayload> {
  const rules = { issuer: issuer.url, algorithms: ["RS256"], typ: "at+jwt", requiredClaims: ["exp", "sub", "aud"] };
  try {
    return (await jwtVerify(token, issuer.find, rules)).payload;
  } catch (error) {
    throw refuse(error instanceof joseErrors.JWTExpired ? "the subject token has expired" : reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof joseErrors.JWTClaimValidationFailed)
    return `the subject token's ${error.claim} is not as it must be`;
  return "the subject token's signature does not match a key of its issuer";
}

/** RFC 8693, section 2.2.2, leaves the code to the server; Okta's is invalid_grant. */
const refuse = (description: string): Error => new errors.CustomOIDCProviderError("invalid_grant", description);
