import { ConfigError } from "@onbehalf/service-kit";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { startIdentityProvider } from "./start.ts";
import { exchange, type Form, launchpadBackend, post, providerForTest, toVoicebox, voicebox } from "./testing.ts";

const json = async (url: string): Promise<Record<string, unknown>> =>
  (await fetch(url)).json() as Promise<Record<string, unknown>>;

describe("issuers", () => {
  test.each(["default", "llm", "partner"])(
    "%s: metadata at all three addresses, endpoints as Okta has them",
    async (name) => {
      const { provider } = await providerForTest();
      const issuer = provider.issuerUrl(name);
      expect(issuer).toBe(`http://localhost:${provider.port}/oauth2/${name}`);

      const document = await json(`${issuer}/.well-known/openid-configuration`);
      expect(await json(`${issuer}/.well-known/oauth-authorization-server`)).toEqual(document);
      expect(await json(`${provider.url}/.well-known/oauth-authorization-server/oauth2/${name}`)).toEqual(document);
      expect(document).toMatchObject({
        issuer,
        authorization_endpoint: `${issuer}/v1/authorize`,
        token_endpoint: `${issuer}/v1/token`,
        jwks_uri: `${issuer}/v1/keys`,
        userinfo_endpoint: `${issuer}/v1/userinfo`,
        revocation_endpoint: `${issuer}/v1/revoke`,
        introspection_endpoint: `${issuer}/v1/introspect`,
        end_session_endpoint: `${issuer}/v1/logout`,
        authorization_response_iss_parameter_supported: true,
        code_challenge_methods_supported: ["S256"],
        backchannel_logout_supported: true,
      });
    },
  );

  test("publish public keys only, each issuer its own", async () => {
    const { provider } = await providerForTest();
    const sets = await Promise.all(["default", "llm"].map((name) => json(`${provider.issuerUrl(name)}/v1/keys`)));
    const keys = sets.flatMap((set) => set.keys as Record<string, unknown>[]);
    expect(keys).toHaveLength(2);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(2);
    for (const key of keys) expect(Object.keys(key).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
  });

  test("an unknown issuer or endpoint: 404 that names what there is", async () => {
    const { provider } = await providerForTest();
    expect(await json(`${provider.url}/oauth2/other/v1/keys`)).toMatchObject({
      error: "not_found",
      message: expect.stringContaining("default, llm, partner"),
    });
    expect(await json(`${provider.url}/oauth2/default/v1/secrets`)).toMatchObject({ error: "not_found" });
    const wrongMethod = await fetch(`${provider.url}/oauth2/default/v1/token`);
    expect([wrongMethod.status, await wrongMethod.json()]).toMatchObject([404, { error: "not_found" }]);
  });
});

describe("tokens at the other endpoints", () => {
  test("userinfo tells what the scopes cover, and nothing for a token without openid", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const ask = async (token: string) =>
      await fetch(`${issuer}/v1/userinfo`, { headers: { authorization: `Bearer ${token}` } });
    const { accessToken } = await signIn({ issuer, user: "bob", scope: "openid email" });
    expect(await (await ask(accessToken)).json()).toEqual({
      sub: "bob",
      email: "bob@example.com",
      email_verified: true,
    });

    const exchanged = await exchange(issuer, launchpadBackend, accessToken, toVoicebox);
    expect((await ask(String(exchanged.body.access_token))).status).toBe(403);
    expect((await ask(`${accessToken.slice(0, -8)}AAAAAAAA`)).status).toBe(401);
    expect((await ask(`${accessToken} ${accessToken}`)).status).toBe(400);
  });

  test("introspection answers confidential clients only; a revoked or foreign token is inactive", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const introspect = (token: string) => post(`${issuer}/v1/introspect`, { token }, voicebox);
    const { accessToken } = await signIn({ issuer, user: "alice" });
    expect((await introspect(accessToken)).body).toMatchObject({
      active: true,
      sub: "alice",
      client_id: "sandbox-cli",
      aud: "launchpad",
      scope: "openid profile email groups",
      groups: ["litellm-users"],
      token_type: "Bearer",
    });
    const asPublic = await post(`${issuer}/v1/introspect`, { token: accessToken, client_id: "sandbox-cli" });
    expect(asPublic.body).toEqual({ active: false });

    const elsewhere = await signIn({ issuer: provider.issuerUrl("partner"), user: "alice" });
    expect((await introspect(elsewhere.accessToken)).body).toEqual({ active: false });
    expect((await introspect("opaque")).body).toEqual({ active: false });
    const two = await post(`${issuer}/v1/introspect`, { token: [accessToken, accessToken] }, voicebox);
    expect(two.body).toMatchObject({ error: "invalid_request" });

    await post(`${issuer}/v1/revoke`, { token: accessToken, client_id: "sandbox-cli" });
    expect((await introspect(accessToken)).body).toEqual({ active: false });
  });
});

test("the id inside a token is no token: neither userinfo, introspection nor exchange take it, in any spelling", async () => {
  const { provider } = await providerForTest();
  for (const name of ["default", "zitadel"]) {
    const issuer = provider.issuerUrl(name);
    const { accessToken } = await signIn({ issuer, user: "alice" });
    const jti = String(decodeJwt(accessToken).jti);
    for (const forged of [jti, `userinfo.${jti}`, `jwt.${jti}`, `userinfo.jwt.${jti}`]) {
      const asked = await fetch(`${issuer}/v1/userinfo`, { headers: { authorization: `Bearer ${forged}` } });
      expect(asked.status).toBe(401);
      expect((await post(`${issuer}/v1/introspect`, { token: forged }, voicebox)).body).toEqual({ active: false });
      expect((await exchange(issuer, launchpadBackend, forged, toVoicebox)).status).toBe(400);
    }
  }
});

describe("a client's own tokens", () => {
  const own = (issuer: string, form: Form, credentials: readonly [string, string] = launchpadBackend) =>
    post(`${issuer}/v1/token`, { grant_type: "client_credentials", ...form }, credentials);

  test("are for the audience and scopes it asks for, and of no user", async () => {
    const { provider } = await providerForTest();
    const answer = await own(provider.issuerUrl("default"), { audience: "voicebox", scope: "voicebox" });
    expect(answer.body).toMatchObject({ token_type: "Bearer", scope: "voicebox" });
    const claims = decodeJwt(String(answer.body.access_token));
    expect(claims).toMatchObject({
      sub: "launchpad-backend",
      cid: "launchpad-backend",
      aud: "voicebox",
      scp: ["voicebox"],
    });
    expect(claims).not.toHaveProperty("uid");
  });

  test.each<[string, Form, string]>([
    ["an audience it may not have", { audience: "llm-gateway" }, "invalid_target"],
    ["the same as a resource", { resource: "urn:onbehalf:audience:llm-gateway" }, "invalid_target"],
    ["a foreign resource", { resource: "https://llm-gateway.example" }, "invalid_target"],
    ["two audiences", { audience: ["voicebox", "voicebox2"] }, "invalid_target"],
    ["a scope it may not have", { audience: "voicebox", scope: "llm-gateway" }, "invalid_scope"],
  ])("%s: %s", async (_name, form, error) => {
    const { provider } = await providerForTest();
    expect(await own(provider.issuerUrl("default"), form)).toMatchObject({ status: 400, body: { error } });
  });

  test("are revoked and introspected like others", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const token = String((await own(issuer, {})).body.access_token);
    const introspect = () => post(`${issuer}/v1/introspect`, { token }, voicebox);
    expect((await introspect()).body).toMatchObject({ active: true, client_id: "launchpad-backend", aud: "voicebox" });
    await post(`${issuer}/v1/revoke`, { token }, launchpadBackend);
    expect((await introspect()).body).toEqual({ active: false });
  });
});

describe("the process", () => {
  test("two providers share nothing: neither keys nor sessions nor counters", async () => {
    const [{ provider: one }, { provider: two }] = [await providerForTest(), await providerForTest()];
    await signIn({ issuer: one.issuerUrl("default"), user: "alice" });
    expect(await json(`${two.url}/sandbox/calls`)).toEqual({ total: 0, calls: {} });
    expect(await json(`${one.issuerUrl("default")}/v1/keys`)).not.toEqual(
      await json(`${two.issuerUrl("default")}/v1/keys`),
    );
  });

  test("a taken port is said with the variable that sets it", async () => {
    const { provider } = await providerForTest();
    const again = startIdentityProvider({ port: provider.port, destination: { write: () => undefined } });
    await expect(again).rejects.toThrow(ConfigError);
    await expect(again).rejects.toMatchObject({ problems: [{ name: "SANDBOX_IDP_PORT" }] });
  });

  test("the log has the client, and the real reason of a refusal, which the caller is not told", async () => {
    const { provider, logs } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const answer = await exchange(issuer, ["voicebox", "wrong-secret"], "x");
    expect(JSON.stringify(answer.body)).not.toContain("secret");
    await provider.close();
    expect(logs.requests().at(-1)).toMatchObject({
      client_id: "voicebox",
      error_code: "invalid_client",
      reason: "invalid secret provided",
      status: 401,
      outcome: "denied",
    });
  });

  test("logs one line per request and no token, code, cookie or secret", async () => {
    const { provider, logs } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { accessToken, refreshToken } = await signIn({ issuer, user: "alice", scope: "openid offline_access" });
    await exchange(issuer, launchpadBackend, accessToken, toVoicebox);
    await provider.close();
    expect(logs.requests().map(({ route, status }) => `${route} ${status}`)).toEqual([
      "GET /oauth2/:issuer/v1/:endpoint 303",
      "GET /oauth2/:issuer/signin/:uid 200",
      "POST /oauth2/:issuer/signin/:uid 303",
      "GET /oauth2/:issuer/v1/:endpoint/:step 303",
      "POST /oauth2/:issuer/v1/:endpoint 200",
      "POST /oauth2/:issuer/v1/:endpoint 200",
    ]);
    expect(logs.requests().at(-1)).toMatchObject({ endpoint: "token", issuer, outcome: "ok" });
    for (const secret of [accessToken, accessToken.split(".")[2] ?? "", refreshToken ?? "", launchpadBackend[1]]) {
      expect(secret.length).toBeGreaterThan(10);
      expect(logs.text()).not.toContain(secret);
    }
  });
});
