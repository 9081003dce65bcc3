import { createRemoteJWKSet, importPKCS8, jwtVerify, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import type { IdentityProvider } from "./start.ts";
import {
  claimsIn,
  exchange,
  type Form,
  launchpadBackend,
  post,
  providerForTest,
  toGateway,
  toVoicebox,
  voicebox,
} from "./testing.ts";

async function aliceAt(provider: IdentityProvider, audience = "launchpad", issuer = "default"): Promise<string> {
  const scope = `openid ${audience === "launchpad" ? "" : audience}`.trim();
  return (await signIn({ issuer: provider.issuerUrl(issuer), user: "alice", audience, scope })).accessToken;
}

describe("token exchange (RFC 8693)", () => {
  test("carries the user through two hops and two authorization servers, each token for one audience", async () => {
    const { provider } = await providerForTest();
    const [atDefault, atLlm] = [provider.issuerUrl("default"), provider.issuerUrl("llm")];

    const first = await exchange(atDefault, launchpadBackend, await aliceAt(provider), {
      audience: "voicebox",
      scope: "voicebox",
    });
    expect(first).toMatchObject({
      status: 200,
      body: { issued_token_type: tokenTypes.accessToken, token_type: "Bearer", scope: "voicebox" },
    });
    expect(first.headers.get("cache-control")).toContain("no-store");
    const second = await exchange(atLlm, voicebox, String(first.body.access_token), toGateway);

    const keys = createRemoteJWKSet(new URL(`${atLlm}/v1/keys`));
    const rules = { issuer: atLlm, audience: "llm-gateway", typ: "at+jwt", algorithms: ["RS256"] };
    const { payload } = await jwtVerify(String(second.body.access_token), keys, rules);
    expect(payload).toMatchObject({
      sub: "alice",
      cid: "voicebox",
      scp: ["llm-gateway"],
      email: "alice@example.com",
      name: "Alice Archer",
      groups: ["litellm-users"],
    });
  });

  test("accepts a user of the partner's server, whom default trusts", async () => {
    const { provider } = await providerForTest();
    const subject = await aliceAt(provider, "launchpad", "partner");
    const answer = await exchange(provider.issuerUrl("default"), launchpadBackend, subject, toVoicebox);
    expect(claimsIn(answer)).toMatchObject({ iss: provider.issuerUrl("default"), sub: "alice", aud: "voicebox" });
  });

  test("issues nothing that outlives the subject token", async () => {
    const { provider } = await providerForTest({ lifetimes: { accessTokenSeconds: 20 } });
    const subject = await aliceAt(provider);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const answer = await exchange(provider.issuerUrl("default"), launchpadBackend, subject, toVoicebox);
    expect(answer.body.expires_in).toBeLessThan(20);
    expect(claimsIn(answer).exp).toBeLessThanOrEqual(claimsIn({ ...answer, body: { access_token: subject } }).exp ?? 0);
  });

  test("client authentication: post and private_key_jwt serve like basic", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const subject = await aliceAt(provider);
    const assertion = await assertionOf(provider, "launchpad-backend");
    const signed: Form = {
      ...toVoicebox,
      client_assertion: assertion,
      client_assertion_type: assertionType,
    };
    const [id, secret] = launchpadBackend;

    const byPost = await exchange(issuer, undefined, subject, {
      ...toVoicebox,
      client_id: id,
      client_secret: secret,
    });
    const bySignature = await exchange(issuer, undefined, subject, signed);
    const replayed = await exchange(issuer, undefined, subject, signed);
    expect([byPost.status, bySignature.status]).toEqual([200, 200]);
    expect(replayed).toMatchObject({ status: 401, body: { error: "invalid_client" } });
  });
});

test("a client that has only a secret cannot come with a signature, not even a good one", async () => {
  const { provider } = await providerForTest();
  const issuer = provider.issuerUrl("default");
  const answer = await exchange(issuer, undefined, await aliceAt(provider), {
    ...toVoicebox,
    client_assertion: await assertionOf(provider, "launchpad"),
    client_assertion_type: assertionType,
  });
  expect(answer).toMatchObject({ status: 401, body: { error: "invalid_client" } });
});

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What a client proves itself with instead of its secret (RFC 7523, section 2.2). */
async function assertionOf(provider: IdentityProvider, clientId: string): Promise<string> {
  return await new SignJWT({ jti: crypto.randomUUID() })
    .setProtectedHeader({ alg: "ES256" })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(provider.issuerUrl("default"))
    .setIssuedAt()
    .setExpirationTime("1m")
    .sign(await importPKCS8(provider.clientKey(clientId), "ES256"));
}

describe("token exchange refuses (RFC 8693, section 2.2.2)", () => {
  const cases: [name: string, error: string, fields: Form, credentials?: readonly [string, string]][] = [
    ["a request without subject token", "invalid_request", { subject_token: undefined }],
    ["a request without subject token type", "invalid_request", { subject_token_type: undefined }],
    ["an ID token as subject", "invalid_request", { subject_token_type: tokenTypes.idToken }],
    ["a refresh token as result", "invalid_request", { requested_token_type: tokenTypes.refreshToken }],
    ["an actor token", "invalid_request", { actor_token: "x", actor_token_type: tokenTypes.accessToken }],
    ["a subject that is no JWT", "invalid_grant", { subject_token: "opaque" }],
    ["an unknown audience", "invalid_target", { audience: "somewhere-else" }],
    ["an audience of another client", "invalid_target", { audience: "llm-gateway" }],
    ["a request without audience", "invalid_request", { audience: undefined }],
    ["a request without scope, as there are no default ones", "invalid_scope", { scope: undefined }],
    ["two audiences", "invalid_target", { audience: ["voicebox", "llm-gateway"] }],
    ["a resource", "invalid_target", { resource: "https://voicebox.example" }],
    ["a scope the client was not given", "invalid_scope", { scope: "voicebox llm-gateway" }],
    ["a client without the right", "unauthorized_client", {}, ["launchpad", "launchpad-secret"]],
    ["a subject meant for another client", "invalid_grant", { audience: "llm-gateway" }, voicebox],
    ["a wrong secret", "invalid_client", {}, ["launchpad-backend", "guessed"]],
    ["an unknown client", "invalid_client", {}, ["nobody", "launchpad-backend-secret"]],
  ];

  test.each(cases)("%s: %s", async (_name, error, fields, credentials = launchpadBackend) => {
    const { provider } = await providerForTest();
    const answer = await exchange(provider.issuerUrl("default"), credentials, await aliceAt(provider), {
      ...toVoicebox,
      ...fields,
    });
    expect(answer).toMatchObject({ status: error === "invalid_client" ? 401 : 400, body: { error } });
    expect(answer.body).not.toHaveProperty("access_token");
  });

  test("an expired subject token: invalid_grant", async () => {
    const { provider } = await providerForTest({ tokenSeconds: 1 });
    const subject = await aliceAt(provider);
    await new Promise((resolve) => setTimeout(resolve, 2100));
    const answer = await exchange(provider.issuerUrl("default"), launchpadBackend, subject, toVoicebox);
    expect(answer.body).toEqual({ error: "invalid_grant", error_description: "the subject token has expired" });
  });

  test("a token of an issuer that is not trusted: invalid_grant", async () => {
    const { provider } = await providerForTest();
    const subject = await aliceAt(provider, "voicebox", "partner");
    const answer = await exchange(provider.issuerUrl("llm"), voicebox, subject, toGateway);
    expect(answer.body).toMatchObject({
      error: "invalid_grant",
      error_description: expect.stringContaining("not trusted"),
    });
  });

  test("a token another provider signed in the name of ours: invalid_grant", async () => {
    const { provider } = await providerForTest();
    const { provider: other } = await providerForTest({ publicUrl: provider.url });
    expect(other.issuerUrl("default")).toBe(provider.issuerUrl("default"));
    const token = `http://localhost:${other.port}/oauth2/default/v1/token`;
    const made = await post(token, { grant_type: "client_credentials" }, ["nightly-job", "nightly-job-secret"]);
    const forged = String(made.body.access_token);
    const answer = await exchange(provider.issuerUrl("default"), launchpadBackend, forged, toVoicebox);
    expect(answer.body).toMatchObject({
      error: "invalid_grant",
      error_description: expect.stringContaining("signature"),
    });
  });

  test("a client's own token, of no user: invalid_grant that says so", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const own = await post(`${issuer}/v1/token`, { grant_type: "client_credentials" }, [
      "nightly-job",
      "nightly-job-secret",
    ]);
    expect(claimsIn(own)).toMatchObject({ sub: "nightly-job", cid: "nightly-job", aud: "launchpad" });
    const answer = await exchange(issuer, launchpadBackend, String(own.body.access_token), toVoicebox);
    expect(answer.body).toMatchObject({
      error: "invalid_grant",
      error_description: expect.stringContaining("of no user"),
    });
  });

  test("a revoked subject token: invalid_grant; what was exchanged from it before lives on", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { accessToken: subject } = await signIn({ issuer, user: "alice" });
    const before = await exchange(issuer, launchpadBackend, subject, toVoicebox);
    await post(`${issuer}/v1/revoke`, { token: subject, client_id: "sandbox-cli" });
    const after = await exchange(issuer, launchpadBackend, subject, toVoicebox);
    expect(after.body).toEqual({
      error: "invalid_grant",
      error_description: "the subject token was revoked, or is no access token",
    });
    const seen = await post(`${issuer}/v1/introspect`, { token: String(before.body.access_token) }, voicebox);
    expect(seen.body).toMatchObject({ active: true, aud: "voicebox", sub: "alice" });
  });
});

test("the grant's name is the one of the RFC", () => {
  expect(grantTypes.tokenExchange).toBe("urn:ietf:params:oauth:grant-type:token-exchange");
});
