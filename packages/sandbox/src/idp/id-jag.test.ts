import { decodeJwt, decodeProtectedHeader } from "jose";
import { expect, test } from "vitest";
import { signIn } from "../token.ts";
import type { IssuerInput } from "./definitions.ts";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import type { IdentityProvider } from "./start.ts";
import { claimsIn, exchange, type Form, launchpadBackend, post, providerForTest, voicebox } from "./testing.ts";

const launchpad = ["launchpad", "launchpad-secret"] as const;

async function idTokenAt(provider: IdentityProvider): Promise<string> {
  const { idToken = "" } = await signIn({
    issuer: provider.issuerUrl("default"),
    user: "alice",
    clientId: launchpad[0],
    clientSecret: launchpad[1],
    redirectUri: "http://localhost:3000/oauth/okta/redirect",
    scope: "openid",
  });
  return idToken;
}

const firstLeg = (provider: IdentityProvider): Form => ({
  subject_token_type: tokenTypes.idToken,
  requested_token_type: tokenTypes.idJag,
  audience: provider.issuerUrl("llm"),
  scope: "llm-gateway",
});

async function assertionOf(provider: IdentityProvider): Promise<string> {
  const answer = await exchange(
    provider.issuerUrl("default"),
    launchpad,
    await idTokenAt(provider),
    firstLeg(provider),
  );
  return String(answer.body.access_token);
}

const redeem = (url: string, assertion: string, credentials: readonly [string, string], more: Form = {}) =>
  post(`${url}/v1/token`, { grant_type: grantTypes.jwtBearer, assertion, ...more }, credentials);

test("the first leg makes an assertion, which is nothing to call a service with", async () => {
  const { provider } = await providerForTest();
  const answer = await exchange(
    provider.issuerUrl("default"),
    launchpad,
    await idTokenAt(provider),
    firstLeg(provider),
  );
  expect(answer.body).toMatchObject({
    issued_token_type: tokenTypes.idJag,
    token_type: "N_A",
    expires_in: 300,
    scope: "llm-gateway",
  });
  const assertion = String(answer.body.access_token);
  expect(decodeProtectedHeader(assertion)).toMatchObject({ typ: "oauth-id-jag+jwt", alg: "RS256" });
  expect(decodeJwt(assertion)).toMatchObject({
    iss: provider.issuerUrl("default"),
    sub: "alice",
    aud: provider.issuerUrl("llm"),
    client_id: "launchpad",
    scope: "llm-gateway",
    jti: expect.any(String),
  });
});

test.each<[string, string, Form, (readonly [string, string])?]>([
  ["an access token as subject", "invalid_request", { subject_token_type: tokenTypes.accessToken }],
  ["a server the client may not go to", "invalid_target", { audience: "http://localhost/elsewhere" }],
  ["no audience", "invalid_target", { audience: undefined }],
  ["a scope the client may not have there", "invalid_scope", { scope: "litellm_proxy_admin" }],
  ["another client's ID token", "unauthorized_client", {}, launchpadBackend],
  ["what is no ID token", "invalid_grant", { subject_token: "x.y.z" }],
])("the first leg refuses %s: %s", async (_name, error, fields, credentials = launchpad) => {
  const { provider } = await providerForTest();
  const form = { ...firstLeg(provider), ...fields };
  const answer = await exchange(provider.issuerUrl("default"), credentials, await idTokenAt(provider), form);
  expect(answer).toMatchObject({ status: 400, body: { error } });
});

test("the second leg gives a token of that server, once", async () => {
  const { provider } = await providerForTest();
  const far = provider.issuerUrl("llm");
  const assertion = await assertionOf(provider);
  const answer = await redeem(far, assertion, launchpad);
  expect(answer.body).toMatchObject({ token_type: "Bearer", scope: "llm-gateway", expires_in: 3600 });
  expect(answer.body).not.toHaveProperty("refresh_token");
  expect(claimsIn(answer)).toMatchObject({ iss: far, sub: "alice", aud: "llm-gateway", cid: "launchpad" });
  expect((await redeem(far, assertion, launchpad)).body).toMatchObject({
    error: "invalid_grant",
    error_description: "the assertion was used already",
  });
});

test("the second leg refuses an assertion for another server, client or scope, and what is none", async () => {
  const { provider } = await providerForTest();
  const [home, far] = [provider.issuerUrl("default"), provider.issuerUrl("llm")];
  const errorOf = async (...args: Parameters<typeof redeem>) => (await redeem(...args)).body.error;
  expect(await errorOf(home, await assertionOf(provider), launchpad)).toBe("unauthorized_client");
  expect(await errorOf(far, await assertionOf(provider), voicebox)).toBe("unauthorized_client");
  expect(await errorOf(far, await assertionOf(provider), launchpad, { scope: "voicebox" })).toBe("invalid_scope");
  expect(await errorOf(far, await idTokenAt(provider), launchpad)).toBe("invalid_grant");
  expect(await errorOf(far, "opaque", launchpad)).toBe("invalid_grant");
  const withoutAssertion = await post(`${far}/v1/token`, { grant_type: grantTypes.jwtBearer }, launchpad);
  expect(withoutAssertion.body.error).toBe("invalid_request");
});

test("an assertion is for one server and one client of it, though others trust the same issuer", async () => {
  const accepts = [{ from: ["default"], audience: "llm-gateway", scopes: ["llm-gateway"] }];
  const twin: IssuerInput = {
    title: "Another server that trusts default",
    dialect: "okta",
    audiences: { "llm-gateway": ["llm-gateway"] },
    trusts: ["default"],
    clients: {
      launchpad: { name: "Launchpad", secret: "launchpad-secret", accepts },
      other: { name: "Another", secret: "other-secret", accepts },
    },
  };
  const { provider } = await providerForTest({ issuers: { llm: twin, twin } });
  const [far, elsewhere] = [provider.issuerUrl("llm"), provider.issuerUrl("twin")];
  const refused = await Promise.all([
    redeem(elsewhere, await assertionOf(provider), launchpad),
    redeem(far, await assertionOf(provider), ["other", "other-secret"]),
  ]);
  expect(refused.map(({ body }) => body.error_description)).toEqual([
    "the assertion is not one of a trusted issuer for this server, or it has expired",
    "the assertion was made for another client",
  ]);
  expect((await redeem(far, await assertionOf(provider), launchpad)).status).toBe(200);
});
