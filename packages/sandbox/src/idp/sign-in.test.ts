import { decodeJwt } from "jose";
import * as oidc from "openid-client";
import { describe, expect, test } from "vitest";
import { signIn, walkSignIn } from "../token.ts";
import { acr } from "./acr.ts";
import type { IdentityProvider } from "./start.ts";
import { clientOf, providerForTest } from "./testing.ts";

const redirectUri = "http://localhost:3000/oauth/okta/redirect";

/** An authorization request of Launchpad, with what is needed to redeem its answer. */
async function request(config: oidc.Configuration, more: Record<string, string> = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const expectedNonce = oidc.randomNonce();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid profile email groups offline_access",
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...more,
  });
  return { url, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

async function launchpad(provider: IdentityProvider) {
  return await clientOf(provider, "launchpad", "launchpad-secret");
}

/** The login page of a new authorization request, as a browser without cookies gets it. */
async function loginPage(provider: IdentityProvider) {
  const { url } = await request(await launchpad(provider));
  const first = await fetch(url, { redirect: "manual" });
  const action = new URL(first.headers.get("location") ?? "", url);
  const cookie = first.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");
  const page = await fetch(action, { headers: { cookie } });
  const html = await page.text();
  const formToken = /name="form_token" value="([^"]+)"/.exec(html)?.[1] ?? "";
  const submit = (form: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(action, {
      method: "POST",
      redirect: "manual",
      headers: { cookie, ...headers },
      body: new URLSearchParams(form),
    });
  return { page, html, formToken, submit, action, cookie };
}

describe("authorization code with PKCE (OpenID Connect Core, RFC 7636, RFC 9207)", () => {
  test("openid-client is satisfied with state, nonce, iss, ID token, and refresh token", async () => {
    const { provider } = await providerForTest();
    const config = await launchpad(provider);
    const { url, checks } = await request(config);
    const callback = await walkSignIn(url, redirectUri, { user: "alice" });
    expect(callback.searchParams.get("iss")).toBe(provider.issuerUrl("default"));

    const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
    expect(tokens.claims()).toMatchObject({
      sub: "alice",
      email: "alice@example.com",
      groups: ["litellm-users"],
      acr: acr.password,
      sid: expect.any(String),
    });
    expect(tokens.refresh_token).toEqual(expect.any(String));
    await expect(oidc.authorizationCodeGrant(config, callback, checks)).rejects.toMatchObject({
      error: "invalid_grant",
    });
  });

  test("a second application in the same browser needs no second password; prompt=none is answered without a page", async () => {
    const { provider } = await providerForTest();
    const config = await launchpad(provider);
    const cookies = new Map<string, string>();
    await walkSignIn((await request(config)).url, redirectUri, { user: "alice" }, cookies);
    const silent = await request(config, { prompt: "none" });
    const again = await walkSignIn(silent.url, redirectUri, { user: "nobody" }, cookies);
    expect((await oidc.authorizationCodeGrant(config, again, silent.checks)).claims()?.sub).toBe("alice");

    const stranger = await walkSignIn((await request(config, { prompt: "none" })).url, redirectUri, { user: "alice" });
    expect(stranger.searchParams.get("error")).toBe("login_required");
  });

  test.each([
    ["no code challenge", { code_challenge: "", code_challenge_method: "" }],
    ["the plain method", { code_challenge: "a".repeat(43), code_challenge_method: "plain" }],
  ])("%s: invalid_request", async (_name, more) => {
    const { provider } = await providerForTest();
    const { url } = await request(await launchpad(provider), more);
    for (const [name, value] of Object.entries(more)) if (value === "") url.searchParams.delete(name);
    const callback = await walkSignIn(url, redirectUri, { user: "alice" });
    expect(callback.searchParams.get("error")).toBe("invalid_request");
  });

  test("a redirect URI or client that is not registered: a page, no redirect", async () => {
    const { provider } = await providerForTest();
    const config = await launchpad(provider);
    for (const more of [{ redirect_uri: "https://evil.example/cb" }, { client_id: "nobody" }]) {
      const { url } = await request(config, more);
      const response = await fetch(url, { redirect: "manual", headers: { accept: "text/html" } });
      expect([response.status, response.headers.get("location")]).toEqual([400, null]);
      expect(await response.text()).toContain("Sign-in did not work");
    }
  });

  test("a scope that nobody knows is not in the token, and nothing in its place", async () => {
    const { provider } = await providerForTest();
    const { accessToken } = await signIn({ issuer: provider.issuerUrl("default"), user: "alice", scope: "nope" });
    expect(decodeJwt(accessToken).scp).toEqual([]);
  });

  test("a scope reserved for a group is left out for others", async () => {
    const { provider } = await providerForTest();
    const wanted = {
      issuer: provider.issuerUrl("default"),
      audience: "llm-gateway",
      scope: "openid litellm_proxy_admin",
    };
    expect((await signIn({ ...wanted, user: "carol" })).response.scope).toBe("openid litellm_proxy_admin");
    expect((await signIn({ ...wanted, user: "mallory" })).response.scope).toBe("openid");
  });

  test("step-up: acr_values asks a signed-in person again, and the ID token says so", async () => {
    const { provider } = await providerForTest();
    const config = await launchpad(provider);
    const cookies = new Map<string, string>();
    await walkSignIn((await request(config)).url, redirectUri, { user: "alice" }, cookies);

    const stronger = await request(config, { acr_values: acr.stepUp });
    await expect(
      walkSignIn(stronger.url, redirectUri, { user: "alice", password: "wrong" }, cookies),
    ).rejects.toThrow();
    const callback = await walkSignIn(stronger.url, redirectUri, { user: "alice" }, cookies);
    const tokens = await oidc.authorizationCodeGrant(config, callback, stronger.checks);
    expect(tokens.claims()?.acr).toBe(acr.stepUp);
  });
});

describe("the login page", () => {
  test("loads nothing from anywhere, cannot be framed, and is not kept", async () => {
    const { provider } = await providerForTest();
    const { page, html } = await loginPage(provider);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'self' http://localhost:3000");
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
    expect(html).not.toContain("<script");
  });

  test.each([
    ["a wrong password", { username: "alice", password: "Alice" }],
    ["an unknown user", { username: "nobody", password: "nobody" }],
    ["an empty name and password", { username: "", password: "" }],
    ["a name of the language's own", { username: "__proto__", password: "__proto__" }],
  ])("%s: refused in words, without saying which of the two was wrong", async (_name, credentials) => {
    const { provider } = await providerForTest();
    const { submit, formToken } = await loginPage(provider);
    const response = await submit({ form_token: formToken, ...credentials });
    expect([response.status, response.headers.get("location")]).toEqual([403, null]);
    expect(await response.text()).toContain("User name and password do not match");
  });

  test("what was typed is shown again as text, never as markup", async () => {
    const { provider } = await providerForTest();
    const { submit, formToken } = await loginPage(provider);
    const html = await (await submit({ form_token: formToken, username: '"><img src=x>', password: "x" })).text();
    expect(html).toContain("&quot;&gt;&lt;img src=x&gt;");
    expect(html).not.toContain("<img");
  });

  test("a form without our token, with another sign-in's, or from another origin is refused", async () => {
    const { provider } = await providerForTest();
    const { submit, formToken } = await loginPage(provider);
    const other = await loginPage(provider);
    const alice = { username: "alice", password: "alice" };
    const refused = await Promise.all([
      submit(alice),
      submit({ ...alice, form_token: other.formToken }),
      submit({ ...alice, form_token: formToken }, { origin: "http://localhost:6666" }),
      submit({ ...alice, form_token: formToken }, { origin: "null" }),
    ]);
    expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403]);
    expect((await submit({ ...alice, form_token: formToken }, { origin: provider.url })).status).toBe(303);
  });

  test("a sign-in of another browser is not answered, whatever the form says", async () => {
    const { provider } = await providerForTest();
    const { action, formToken } = await loginPage(provider);
    const other = await loginPage(provider);
    const body = new URLSearchParams({ username: "alice", password: "alice", form_token: formToken });
    const without = await fetch(action, { method: "POST", redirect: "manual", body });
    expect(without.status).toBe(400);
    expect((await fetch(action)).status).toBe(400);
    const withOthers = { method: "POST", redirect: "manual", body, headers: { cookie: other.cookie } } as const;
    expect((await fetch(action, withOthers)).status).toBe(400);
    expect((await other.submit({ username: "alice", password: "alice", form_token: other.formToken })).status).toBe(
      303,
    );
  });

  test("cancel goes back to the application with access_denied", async () => {
    const { provider } = await providerForTest();
    const { url } = await request(await launchpad(provider));
    const cookies = new Map<string, string>();
    const first = await fetch(url, { redirect: "manual" });
    for (const line of first.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
    }
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const action = new URL(first.headers.get("location") ?? "", url);
    const html = await (await fetch(action, { headers: { cookie } })).text();
    const form_token = /name="form_token" value="([^"]+)"/.exec(html)?.[1] ?? "";
    const body = new URLSearchParams({ form_token, cancel: "yes" });
    const cancelled = await fetch(action, { method: "POST", redirect: "manual", headers: { cookie }, body });
    const resumed = await fetch(cancelled.headers.get("location") ?? "", { redirect: "manual", headers: { cookie } });
    const callback = new URL(resumed.headers.get("location") ?? "");
    expect(callback.searchParams.get("error")).toBe("access_denied");
  });
});
