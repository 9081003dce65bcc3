import { jwtVerify } from "jose";
import type { AccessToken, Adapter, AdapterPayload, ClientCredentials } from "oidc-provider";
import type { SigningKeys } from "./keys.ts";

/*
 * The library issues JWT access tokens and forgets them: it neither introspects nor revokes them, and its userinfo
 * refuses tokens with an audience. Okta does all three. So each JWT is also kept as the opaque token it stands for, by
 * its `jti`, and where a JWT is presented it is verified and replaced by that reference before the library sees it.
 */

/** Marks a reference whose audience is not to be seen, for userinfo. */
const userinfoMark = "userinfo.";

/** Remembers a JWT under its id. */
export async function rememberIssued(
  storage: Adapter,
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
  await storage.upsert(jti, payload as AdapterPayload, exp - iat);
}

/** Storage of access tokens that also answers for references made by {@link userinfoReference}. */
export function withReferences(storage: Adapter): Adapter {
  return {
    ...storage,
    find: async (id) => {
      if (!id.startsWith(userinfoMark)) return storage.find(id);
      const payload = await storage.find(id.slice(userinfoMark.length));
      return payload && { ...payload, aud: undefined };
    },
  };
}

/**
 * The reference of a JWT this issuer signed; the token itself when it is something else, which the library then
 * answers for.
 */
export async function referenceOf(token: string, keys: SigningKeys, issuer: string): Promise<string> {
  try {
    const { payload } = await jwtVerify(token, keys.find, { issuer, algorithms: ["RS256"] });
    // Entra calls it `uti`.
    return payload.jti ?? (typeof payload.uti === "string" ? payload.uti : token);
  } catch {
    return token;
  }
}

export async function userinfoReference(token: string, keys: SigningKeys, issuer: string): Promise<string> {
  const reference = await referenceOf(token, keys, issuer);
  return reference === token ? token : `${userinfoMark}${reference}`;
}
