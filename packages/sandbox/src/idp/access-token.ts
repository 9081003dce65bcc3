import type { AccessToken, Adapter, ClientCredentials, JWTStructured, KoaContextWithOIDC } from "oidc-provider";
import type { Accounts } from "./accounts.ts";
import { accessTokenClaims, type Carried } from "./claims.ts";
import type { IssuerDefinition } from "./definitions.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { type ReferenceOf, rememberIssued } from "./token-reference.ts";

/** What writing an access token needs of its issuer. */
interface TokenSetting {
  readonly url: string;
  readonly definition: IssuerDefinition;
  readonly dialect: Dialect;
  readonly storage: (model: string) => Adapter;
  readonly referenceOf: ReferenceOf;
}

/** What the token of somebody who is here carries: who it is, and how strongly that was shown. */
export function carriedAtSignIn(
  ctx: KoaContextWithOIDC,
  token: AccessToken | ClientCredentials,
  accounts: Accounts,
): Carried {
  const user = token.kind === "AccessToken" ? accounts.bySubject(token.accountId) : undefined;
  if (user === undefined) return {};
  const { AuthorizationCode, DeviceCode, RefreshToken } = ctx.oidc.entities;
  return { user: accessTokenClaims(user), acr: (AuthorizationCode ?? DeviceCode ?? RefreshToken)?.acr };
}

/** Gives a token its issuer's shape, and remembers it, so that it can be introspected, exchanged and revoked. */
export async function writeToken(setting: TokenSetting, token: AccessToken | ClientCredentials, jwt: JWTStructured) {
  const { jti, iat, exp, sub, cnf } = jwt.payload as {
    jti: string;
    iat: number;
    exp: number;
    sub: string;
    cnf?: object;
  };
  const { user, acr, actor } = (token.extra ?? {}) as Carried;
  const audiences = [token.aud ?? []].flat();
  const shaped = setting.dialect.token({
    jti,
    issuer: setting.url,
    subject: sub,
    user,
    audiences:
      audiences.length === 1 ? (setting.definition.audienceClaims[audiences[0] ?? ""] ?? audiences) : audiences,
    clientId: String(token.clientId),
    // Of scopes that nobody knows the library keeps one empty word.
    scopes: [...token.scopes].filter((scope) => scope !== ""),
    issuedAt: iat,
    expiresAt: exp,
    sessionId: token.kind === "AccessToken" ? token.sid : undefined,
    acr,
    actor,
  });
  jwt.header = { ...shaped.header };
  jwt.payload = { ...shaped.payload, ...(cnf && { cnf }) };
  await rememberIssued(setting.storage(token.kind), setting.referenceOf, token, {
    jti,
    iat,
    exp,
    aud: audiencesIn(shaped.payload),
  });
}

/** Without the form Entra gives to applications, so that one audience has one name inside. */
function audiencesIn({ aud }: Record<string, unknown>): string[] {
  return [aud ?? []].flat().map((one) => String(one).replace(/^api:\/\//, ""));
}
