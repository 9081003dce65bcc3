import { type AuthError, createVerifier, type Identity } from "@onbehalf/shared-auth";
import { createExchange, type Exchange, type ExchangeOptions } from "@onbehalf/shared-auth/exchange";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import type { IdentityProvider } from "./start.ts";
import { claimsIn, post, providerForTest, voicebox } from "./testing.ts";

type Make = "okta" | "generic" | "keycloak" | "entra" | "entra-v1" | "auth0" | "zitadel";

/** How the library that services use is set up against each make, as an operator would. */
const makes: readonly {
  readonly make: Make;
  readonly issuer: string;
  readonly dialect: "okta" | "generic" | "keycloak" | "entra" | "auth0";
  readonly profile: ExchangeOptions["profile"];
  readonly backend: string;
}[] = [
  { make: "okta", issuer: "default", dialect: "okta", profile: "okta", backend: "launchpad-backend" },
  { make: "generic", issuer: "generic", dialect: "generic", profile: "rfc8693", backend: "launchpad-backend" },
  { make: "keycloak", issuer: "keycloak", dialect: "keycloak", profile: "keycloak", backend: "launchpad-backend" },
  { make: "entra", issuer: "entra", dialect: "entra", profile: "entra", backend: "launchpad" },
  { make: "entra-v1", issuer: "entra-v1", dialect: "entra", profile: "entra", backend: "launchpad" },
  { make: "auth0", issuer: "auth0", dialect: "auth0", profile: "auth0", backend: "launchpad-backend" },
  { make: "zitadel", issuer: "zitadel", dialect: "generic", profile: "zitadel", backend: "launchpad-backend" },
];

const isEntra = (make: Make) => make === "entra" || make === "entra-v1";

function hop(provider: IdentityProvider, made: (typeof makes)[number], clientId: string, audience: string): Exchange {
  const entra = isEntra(made.make);
  // At Zitadel audiences only shrink, so a hop asks for those of the hops behind it, too.
  const onward = made.make === "zitadel" && audience === "voicebox" ? ["voicebox", "llm-gateway"] : audience;
  return createExchange({
    profile: made.profile,
    issuer: { discoveryUrl: `${provider.issuerUrl(made.issuer)}/.well-known/openid-configuration` },
    clientId,
    clientAuth: { method: "client_secret_basic", secret: `${clientId}-secret` },
    ...(entra ? {} : { audience: onward }),
    scopes: [entra ? `api://${audience}/.default` : audience],
  });
}

function verify(
  provider: IdentityProvider,
  made: (typeof makes)[number],
  audience: string,
  token: string,
): Promise<Identity> {
  const expected = made.make === "entra-v1" ? `api://${audience}` : audience;
  const issuer = provider.issuerUrl(made.issuer);
  const jwksUri = `${issuer}/v1/keys`;
  return createVerifier({ issuers: [{ issuer, jwksUri, audience: expected, dialect: made.dialect }] })(token);
}

describe.each(makes)("the chain at $make", (made) => {
  test("alice travels from Launchpad over Voicebox to the gateway, each token verified by the next", async () => {
    const { provider } = await providerForTest();
    const { accessToken } = await signIn({ issuer: provider.issuerUrl(made.issuer), user: "alice" });
    const atLaunchpad = await verify(provider, made, "launchpad", accessToken);

    const toVoicebox = hop(provider, made, made.backend, "voicebox");
    const first = await toVoicebox({ token: accessToken, identity: atLaunchpad });
    const atVoicebox = await verify(provider, made, "voicebox", first.accessToken);
    const toGateway = hop(provider, made, "voicebox", "llm-gateway");
    const second = await toGateway({ token: first.accessToken, identity: atVoicebox });
    const atGateway = await verify(provider, made, "llm-gateway", second.accessToken);

    expect(atGateway).toMatchObject({
      issuer: provider.issuerUrl(made.issuer),
      clientId: "voicebox",
      groups: ["litellm-users"],
      email: "alice@example.com",
      kind: "user",
    });
    expect(atGateway.scopes).toContain("llm-gateway");
    const sameUser = isEntra(made.make) ? "oid" : "sub";
    expect(decodeJwt(second.accessToken)[sameUser]).toBe(decodeJwt(accessToken)[sameUser]);
    await expect(verify(provider, made, "voicebox", second.accessToken)).rejects.toMatchObject({
      code: "audience_mismatch",
    });
  });

  test("a client's own token is told apart, and is not exchanged", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl(made.issuer);
    const own = await post(`${issuer}/v1/token`, { grant_type: "client_credentials" }, [
      "nightly-job",
      "nightly-job-secret",
    ]);
    const token = String(own.body.access_token);
    const failure = await hop(
      provider,
      made,
      made.backend,
      "voicebox",
    )({
      token,
      identity: { issuer, subject: "nightly-job", expiresAt: 0 },
    }).catch((error: AuthError) => error.code);
    expect(["subject_rejected", "exchange_refused"]).toContain(failure);
  });

  test("a revoked token of a user is not exchanged any more", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl(made.issuer);
    const { accessToken } = await signIn({ issuer, user: "alice" });
    const identity = await verify(provider, made, "launchpad", accessToken);
    await post(`${issuer}/v1/revoke`, { token: accessToken, client_id: "sandbox-cli" });
    const failure = await hop(
      provider,
      made,
      made.backend,
      "voicebox",
    )({ token: accessToken, identity }).catch((error: AuthError) => error.code);
    expect(["subject_rejected", "exchange_refused"]).toContain(failure);
  });
});

/** The second leg's issuer trusts the first's; the ID token was given to the client that exchanges. */
test("across domains, by an identity assertion", async () => {
  const { provider } = await providerForTest();
  const [home, far] = [provider.issuerUrl("default"), provider.issuerUrl("llm")];
  const clientAuth = { method: "client_secret_basic", secret: "launchpad-secret" } as const;
  const { idToken = "", accessToken } = await signIn({
    issuer: home,
    user: "alice",
    clientId: "launchpad",
    clientSecret: "launchpad-secret",
    redirectUri: "http://localhost:3000/oauth/okta/redirect",
    scope: "openid email",
  });
  const across = createExchange({
    profile: "id_jag",
    issuer: { discoveryUrl: `${home}/.well-known/openid-configuration` },
    clientId: "launchpad",
    clientAuth,
    target: {
      issuer: { discoveryUrl: `${far}/.well-known/openid-configuration` },
      clientId: "launchpad",
      clientAuth,
    },
    scopes: ["llm-gateway"],
  });
  const identity = { issuer: home, subject: "alice", expiresAt: 0 };
  const token = await across({ token: idToken, identity });
  expect(decodeJwt(token.accessToken)).toMatchObject({
    iss: far,
    sub: "alice",
    aud: "llm-gateway",
    cid: "launchpad",
    scp: ["llm-gateway"],
    groups: ["litellm-users"],
  });
  await expect(across({ token: accessToken, identity })).rejects.toMatchObject({ code: "subject_rejected" });
});

/** What only the shape of a token shows. */
describe("shapes", () => {
  const tokenOf = async (provider: IdentityProvider, issuer: string, user = "alice") => {
    const { accessToken, idToken = "" } = await signIn({ issuer: provider.issuerUrl(issuer), user });
    return { header: decodeProtectedHeader(accessToken), claims: decodeJwt(accessToken), id: decodeJwt(idToken) };
  };

  test("Keycloak: azp, scope as text, roles in their place, the exchanging client in aud, user id as sub", async () => {
    const { provider } = await providerForTest();
    const { header, claims, id } = await tokenOf(provider, "keycloak");
    expect(header.typ).toBe("JWT");
    expect(claims).toMatchObject({
      typ: "Bearer",
      azp: "sandbox-cli",
      aud: ["launchpad", "launchpad-backend"],
      scope: "openid profile email groups",
      realm_access: { roles: expect.arrayContaining(["litellm-users"]) },
      groups: ["litellm-users"],
      preferred_username: "alice",
      sub: id.sub,
    });
    expect(claims).not.toHaveProperty("client_id");
    expect(claims.sub).toMatch(/^[0-9a-f-]{36}$/);
  });

  test("Entra: scp as text, oid and tid, azp in version 2 and appid in version 1, sub differs by application", async () => {
    const { provider } = await providerForTest();
    const two = await tokenOf(provider, "entra");
    const one = await tokenOf(provider, "entra-v1");
    expect(two.claims).toMatchObject({
      ver: "2.0",
      azp: "sandbox-cli",
      aud: "launchpad",
      scp: "",
      tid: expect.any(String),
    });
    expect(one.claims).toMatchObject({
      ver: "1.0",
      appid: "sandbox-cli",
      aud: "api://launchpad",
      upn: "alice@example.com",
    });
    expect(two.claims.oid).toBe(two.id.oid);
    expect(two.claims.sub).not.toBe(two.id.sub);
    expect(two.claims).not.toHaveProperty("jti");
  });

  test("Entra: above 200 groups they are left out, and it is said where they are", async () => {
    const groups = Array.from({ length: 201 }, (_, number) => `group-${number}`);
    const dave = { sub: "dave", name: "Dave Dunn", given_name: "Dave", family_name: "Dunn", email: "dave@example.com" };
    const user = {
      ...dave,
      uid: "00u0dave",
      oid: "da7e0000-0000-4000-8000-000000000005",
      title: "In many groups",
      groups,
    };
    const { provider } = await providerForTest({ users: [user] });
    const { claims, id } = await tokenOf(provider, "entra", "dave");
    expect(claims).toMatchObject({
      _claim_names: { groups: "src1" },
      _claim_sources: { src1: { endpoint: expect.any(String) } },
    });
    expect(claims).not.toHaveProperty("groups");
    expect(id).toMatchObject({ _claim_names: { groups: "src1" } });
    expect(id).not.toHaveProperty("groups");
  });

  test("Auth0 and Zitadel: their own names of a user", async () => {
    const { provider } = await providerForTest();
    expect((await tokenOf(provider, "auth0")).claims).toMatchObject({ sub: "auth0|alice", azp: "sandbox-cli" });
    const zitadel = await tokenOf(provider, "zitadel");
    expect(zitadel.claims.sub).toMatch(/^\d{15,}$/);
    expect(zitadel.claims).toMatchObject({
      aud: ["launchpad", "voicebox", "llm-gateway"],
      "urn:zitadel:iam:org:project:roles": { "litellm-users": expect.any(Object) },
    });
  });

  test("by the book: introspection tells the same as the token", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("generic");
    const answer = await signIn({ issuer, user: "bob", audience: "voicebox", scope: "openid voicebox" });
    const { body } = await post(`${issuer}/v1/introspect`, { token: answer.accessToken }, voicebox);
    const claims = claimsIn({ status: 200, headers: new Headers(), body: { access_token: answer.accessToken } });
    for (const name of ["iss", "sub", "aud", "client_id", "scope", "exp", "groups", "email"]) {
      expect([name, body[name]]).toEqual([name, claims[name]]);
    }
  });
});
