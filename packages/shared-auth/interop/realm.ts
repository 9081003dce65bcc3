/** A realm with one user and the three clients of the chain; each hop's audience comes from a client scope of its name. */
export const realmName = "onbehalf";
export const clientSecret = "interop-secret";
export const user = { username: "alice", password: "alice", email: "alice@example.com" };

/** A client scope that puts a client into the token's `aud`. */
const audienceScope = (client: string) => ({
  name: client,
  protocol: "openid-connect",
  attributes: { "include.in.token.scope": "true" },
  protocolMappers: [
    {
      name: `audience ${client}`,
      protocol: "openid-connect",
      protocolMapper: "oidc-audience-mapper",
      config: { "included.client.audience": client, "access.token.claim": "true", "introspection.token.claim": "true" },
    },
  ],
});

/** A client scope with mappers; a realm that brings its own scopes gets none of the built-in ones. */
const mappingScope = (name: string, mappers: Readonly<Record<string, object>>) => ({
  name,
  protocol: "openid-connect",
  attributes: { "include.in.token.scope": "true" },
  protocolMappers: Object.entries(mappers).map(([protocolMapper, config]) => ({
    name: protocolMapper,
    protocol: "openid-connect",
    protocolMapper,
    config: { "access.token.claim": "true", ...config },
  })),
});

const attribute = (name: string, claim: string) => ({
  "user.attribute": name,
  "claim.name": claim,
  "jsonType.label": "String",
});

const scopes = [
  // Without this one, tokens have no `sub` (since Keycloak 25).
  mappingScope("basic", { "oidc-sub-mapper": {} }),
  mappingScope("email", { "oidc-usermodel-attribute-mapper": attribute("email", "email") }),
  mappingScope("profile", { "oidc-usermodel-attribute-mapper": attribute("username", "preferred_username") }),
  mappingScope("groups", { "oidc-group-membership-mapper": { "claim.name": "groups", "full.path": "false" } }),
];

const client = (clientId: string, defaults: readonly string[], optional: readonly string[], more: object = {}) => ({
  clientId,
  secret: clientSecret,
  publicClient: false,
  standardFlowEnabled: false,
  serviceAccountsEnabled: true,
  fullScopeAllowed: false,
  attributes: { "standard.token.exchange.enabled": "true" },
  defaultClientScopes: ["basic", "email", "profile", "groups", ...defaults],
  optionalClientScopes: optional,
  ...more,
});

export const realm = (redirectUri: string) => ({
  realm: realmName,
  enabled: true,
  sslRequired: "none",
  groups: [{ name: "litellm-users" }],
  users: [
    {
      username: user.username,
      email: user.email,
      emailVerified: true,
      firstName: "Alice",
      lastName: "Archer",
      enabled: true,
      groups: ["/litellm-users"],
      credentials: [{ type: "password", value: user.password, temporary: false }],
    },
  ],
  clientScopes: [
    audienceScope("launchpad-backend"),
    audienceScope("voicebox"),
    audienceScope("llm-gateway"),
    ...scopes,
  ],
  clients: [
    client("launchpad", ["launchpad-backend"], [], {
      standardFlowEnabled: true,
      redirectUris: [redirectUri],
      attributes: { "pkce.code.challenge.method": "S256" },
    }),
    client("launchpad-backend", [], ["voicebox"]),
    client("voicebox", [], ["llm-gateway"]),
    client("llm-gateway", [], []),
  ],
});
