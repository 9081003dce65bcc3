import { decodeJwt, type JWK, type JWTPayload, type JWTVerifyGetKey, errors as joseErrors, jwtVerify } from "jose";
import type { AdapterPayload } from "oidc-provider";
import type { Actor, Carried, UserClaims } from "../claims.ts";

/** Whose tokens may be exchanged here, and how one tells that they are real. */
export interface TrustedIssuer {
  readonly name: string;
  readonly url: string;
  readonly find: JWTVerifyGetKey;
  /** What was remembered of the JWT of this id; nothing when it was revoked or has expired. */
  readonly issued: (jti: string) => Promise<AdapterPayload | undefined>;
  /** The same of an opaque access token. */
  readonly opaque: (token: string) => Promise<AdapterPayload | undefined>;
  /** Its private keys, newest first, for what it signs besides tokens of the library. */
  readonly signingKeys: () => readonly JWK[];
  /** The user of this `sub`. */
  readonly userOf: (subject: string) => UserClaims | undefined;
}

/** A token that was found to be real, of a user, and still good. */
export interface SubjectToken {
  readonly issuerName: string;
  readonly subject: string;
  readonly audiences: readonly string[];
  readonly scopes: readonly string[];
  readonly clientId: string;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  readonly user: UserClaims;
  readonly acr: string | undefined;
  readonly actor: Actor | undefined;
  readonly sessionId: string | undefined;
}

/** Why a subject token is refused; each make of provider has its own words and codes for it. */
export class SubjectProblem extends Error {
  override readonly name = "SubjectProblem";
  readonly kind: "malformed" | "untrusted" | "forged" | "expired" | "revoked" | "of_no_user";

  constructor(kind: SubjectProblem["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Checks an access token against the keys of the issuers trusted here. What it says is read from what was remembered
 * when it was issued, so that no shape of any dialect needs to be read back.
 * @param trusted the issuer asked first, then those it trusts
 * @throws SubjectProblem
 */
export async function verifyAccessToken(
  token: string,
  trusted: readonly [TrustedIssuer, ...TrustedIssuer[]],
  opaqueToo: boolean,
): Promise<SubjectToken> {
  const [own] = trusted;
  if (opaqueToo && !token.includes(".")) return subjectOf(await own.opaque(token), own);
  const { payload, issuer } = await verified(token, trusted);
  return subjectOf(await issuer.issued(idOf(payload) ?? ""), issuer);
}

/** Checks an ID token that one of these issuers gave to `clientId`. @throws SubjectProblem */
export async function verifyIdToken(
  token: string,
  trusted: readonly [TrustedIssuer, ...TrustedIssuer[]],
  clientId: string,
): Promise<SubjectToken> {
  const { payload, issuer } = await verified(token, trusted);
  const { sub = "", exp = 0, aud, sid, acr } = payload;
  // An audience may be called like a client, so that an access token for it would pass for the client's ID token.
  const isAccessToken = idOf(payload) !== undefined;
  if (isAccessToken || aud !== clientId) {
    throw new SubjectProblem("untrusted", "the subject token is no ID token that was given to this client");
  }
  const user = issuer.userOf(sub);
  if (user === undefined) throw new SubjectProblem("of_no_user", "the subject token names a user that is not known");
  return {
    issuerName: issuer.name,
    subject: sub,
    audiences: [clientId],
    scopes: [],
    clientId,
    expiresAt: exp,
    user,
    acr: text(acr),
    actor: undefined,
    sessionId: text(sid),
  };
}

/** The id every access token here has, which Entra calls `uti`; an ID token has none. */
const idOf = ({ jti, uti }: JWTPayload): string | undefined => jti ?? text(uti);

async function verified(token: string, trusted: readonly [TrustedIssuer, ...TrustedIssuer[]]) {
  const named = unverified(token).iss;
  const issuer = trusted.find(({ url }) => url === named);
  if (issuer === undefined) throw new SubjectProblem("untrusted", "the subject token's issuer is not trusted here");
  try {
    const rules = { issuer: issuer.url, algorithms: ["RS256"], requiredClaims: ["exp", "sub", "aud"] };
    return { issuer, payload: (await jwtVerify(token, issuer.find, rules)).payload };
  } catch (error) {
    if (error instanceof joseErrors.JWTExpired) throw new SubjectProblem("expired", "the subject token has expired");
    throw new SubjectProblem("forged", "the subject token's signature does not match a key of its issuer");
  }
}

function unverified(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch {
    throw new SubjectProblem("malformed", "the subject token is not a JWT");
  }
}

function subjectOf(record: AdapterPayload | undefined, issuer: TrustedIssuer): SubjectToken {
  if (record === undefined) throw new SubjectProblem("revoked", "the subject token was revoked, or is no access token");
  const { user, acr, actor } = (record.extra ?? {}) as Carried;
  if (record.kind !== "AccessToken" || user === undefined) {
    const message = "the subject token is a client's own, of no user; only a user's token can be exchanged";
    throw new SubjectProblem("of_no_user", message);
  }
  return {
    issuerName: issuer.name,
    subject: String(record.accountId),
    audiences: [record.aud ?? []].flat().map(String),
    scopes: (record.scope ?? "").split(" ").filter(Boolean),
    clientId: String(record.clientId),
    expiresAt: record.exp ?? 0,
    user,
    acr,
    actor,
    sessionId: record.sid,
  };
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
