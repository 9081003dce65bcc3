import { createHmac } from "node:crypto";
import { jwtVerify } from "jose";
import type { AccessToken, Adapter, AdapterPayload, ClientCredentials } from "oidc-provider";
import type { SigningKeys } from "./keys.ts";

/*
 * The library issues JWT access tokens and forgets them: it neither introspects nor revokes them, and its userinfo
 * refuses tokens with an audience. Okta does all three. So each JWT is also kept as if it were an opaque token, and
 * where a JWT is presented it is verified and replaced by that token, its reference, before the library sees it. A
 * reference is not the `jti`, which everybody who reads the token knows, but what only we can make of it.
 */

const mark = "jwt.";
/** A reference whose audience is not to be seen, for userinfo. */
const userinfoMark = "userinfo.";

export type ReferenceOf = (jti: string) => string;

export function referencesBy(secret: string): ReferenceOf {
  return (jti) => mark + createHmac("sha256", secret).update(`token reference ${jti}`).digest("base64url");
}

/** Remembers a JWT by its reference. */
export async function rememberIssued(
  storage: Adapter,
  referenceOf: ReferenceOf,
  token: AccessToken | ClientCredentials,
  { jti, iat, exp, aud }: { jti: string; iat: number; exp: number; aud: readonly string[] },
): Promise<void> {
  const { kind, clientId, scope, extra } = token;
  const session =
    token.kind === "AccessToken"
      ? {
          accountId: token.accountId,
          grantId: token.grantId,
          gty: token.gty,
          sid: token.sid,
          sessionUid: token.sessionUid,
          expiresWithSession: token.expiresWithSession,
          claims: token.claims,
        }
      : {};
  const payload = {
    jti,
    iat,
    exp,
    kind,
    clientId,
    scope,
    aud: aud.length === 1 ? aud[0] : aud,
    extra,
    jkt: token.jkt,
    ...session,
  };
  await storage.upsert(referenceOf(jti), payload as AdapterPayload, exp - iat);
}

/** Storage of tokens that also knows them by their references. */
export function withReferences(storage: Adapter, referenceOf: ReferenceOf): Adapter {
  return {
    ...storage,
    find: async (id) => {
      if (!id.startsWith(userinfoMark + mark)) return storage.find(id);
      const payload = await storage.find(id.slice(userinfoMark.length));
      return payload && { ...payload, aud: undefined };
    },
    destroy: async (id) => {
      await storage.destroy(id);
      await storage.destroy(referenceOf(id));
    },
  };
}

export interface Signer {
  readonly url: string;
  readonly keys: SigningKeys;
  readonly referenceOf: ReferenceOf;
}

/** What the library is shown instead of a JWT that is none of ours: no token. */
const unknownToken = "unknown";

/** The reference of a JWT that this issuer signed; anything but a JWT as it is. */
export async function presented(token: string, { url, keys, referenceOf }: Signer): Promise<string> {
  if (token.split(".").length !== 3) return token;
  try {
    const { payload } = await jwtVerify(token, keys.find, { issuer: url, algorithms: ["RS256"] });
    // Entra calls it `uti`.
    const id = payload.jti ?? payload.uti;
    return typeof id === "string" ? referenceOf(id) : unknownToken;
  } catch {
    return unknownToken;
  }
}

export async function presentedToUserinfo(token: string, signer: Signer): Promise<string> {
  const reference = await presented(token, signer);
  return reference.startsWith(mark) ? `${userinfoMark}${reference}` : reference;
}
