/** How a provider shapes its access tokens. */
export type Dialect = "generic" | "plain" | "okta" | "keycloak" | "entra" | "auth0";

/** Where each fact about the caller stands: dotted paths into the claims, the first that is present wins. */
export interface ClaimMapping {
  readonly scope: readonly string[];
  readonly client: readonly string[];
  readonly groups: readonly string[];
  readonly roles: readonly string[];
  readonly email: readonly string[];
  readonly name: readonly string[];
}

type Claims = Readonly<Record<string, unknown>>;

/** What there is to know about a provider's access tokens. */
export interface DialectProfile {
  readonly claims: ClaimMapping;
  /** True when the token speaks for an application and no user. */
  readonly isApp: (claims: Claims) => boolean;
  /** One of these must be there for a plain `JWT` to count as an access token. */
  readonly accessTokenClaims: readonly string[];
  /** True when the token is no access token, although its header does not say so. */
  readonly isOtherToken: (claims: Claims) => boolean;
}

const common: ClaimMapping = {
  scope: ["scope", "scp"],
  client: ["client_id", "azp", "cid", "appid"],
  groups: ["groups"],
  roles: ["roles"],
  email: ["email"],
  name: ["name", "preferred_username"],
};

/** Not `azp`, which ID tokens may have too; where a dialect tells those apart by other means, it is added. */
const accessTokenClaims = ["scope", "scp", "client_id", "cid"];
/** Claims that only ID tokens and logout tokens carry (OpenID Connect Core 2, Back-Channel Logout 2.4). */
const foreignClaims = ["nonce", "at_hash", "c_hash", "s_hash", "events"];
const isForeign = (claims: Claims) => foreignClaims.some((name) => Object.hasOwn(claims, name));

/** What ID tokens say of the sign-in, and that they are for the client itself (OpenID Connect Core 2). */
const isOfSignIn = (claims: Claims) =>
  Object.hasOwn(claims, "auth_time") ||
  Object.hasOwn(claims, "amr") ||
  (claims.azp !== undefined && [claims.aud].flat().includes(claims.azp));

/** Collected from the providers' own documentation, and for Keycloak from a running server. */
export const dialects: Readonly<Record<Dialect, DialectProfile>> = {
  generic: { claims: common, isApp: () => false, accessTokenClaims, isOtherToken: isForeign },
  // A provider whose tokens say who for whom, and nothing of what kind they are: whatever no ID token would be without.
  plain: {
    claims: common,
    isApp: () => false,
    accessTokenClaims: [...accessTokenClaims, "aud"],
    isOtherToken: (claims) => isForeign(claims) || isOfSignIn(claims),
  },
  okta: {
    claims: { ...common, scope: ["scp", "scope"], client: ["cid", "client_id"] },
    // Okta puts `uid` into every user's token and into no client's.
    isApp: (claims) => claims.uid === undefined && claims.cid !== undefined && claims.cid === claims.sub,
    accessTokenClaims,
    isOtherToken: isForeign,
  },
  keycloak: {
    claims: { ...common, client: ["azp", "client_id"], roles: ["realm_access.roles"] },
    // A service account is a user to Keycloak; its reserved name tells it apart, or the scope made for such accounts.
    isApp: ({ preferred_username: name, clientHost, clientAddress }) =>
      (typeof name === "string" && name.startsWith("service-account-")) || (clientHost ?? clientAddress) !== undefined,
    accessTokenClaims: [...accessTokenClaims, "azp"],
    // Keycloak names the kind of token in a claim: Bearer, DPoP, ID, Refresh, Offline, Logout.
    isOtherToken: (claims) =>
      claims.typ === undefined ? isForeign(claims) : claims.typ !== "Bearer" && claims.typ !== "DPoP",
  },
  entra: {
    claims: {
      ...common,
      scope: ["scp"],
      client: ["azp", "appid"],
      email: ["email", "upn", "preferred_username"],
    },
    // `idtyp` when the application asks for it; else only a user's token carries delegated scopes.
    isApp: ({ idtyp, scp }) => idtyp === "app" || (idtyp !== "user" && scp === undefined),
    accessTokenClaims: [...accessTokenClaims, "azp", "appid"],
    isOtherToken: isForeign,
  },
  auth0: {
    claims: { ...common, client: ["azp", "client_id"], roles: ["roles", "permissions"] },
    isApp: ({ gty, sub }) => gty === "client-credentials" || (typeof sub === "string" && sub.endsWith("@clients")),
    accessTokenClaims: [...accessTokenClaims, "azp"],
    isOtherToken: isForeign,
  },
};
