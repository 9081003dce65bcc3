import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import { signIn } from "../token.ts";
import { startIdentityProvider } from "./start.ts";
import { claimsIn, exchange, launchpadBackend, post, providerForTest, toVoicebox } from "./testing.ts";

const launchpad = ["launchpad", "launchpad-secret"] as const;
const redirectUri = "http://localhost:3000/oauth/okta/redirect";

/** Signed in at Launchpad's own client. */
function atLaunchpad(issuer: string, user = "alice", scope = "openid offline_access") {
  const [clientId, clientSecret] = launchpad;
  return signIn({ issuer, user, clientId, clientSecret, redirectUri, scope });
}

const refresh = (issuer: string, token: string) =>
  post(`${issuer}/v1/token`, { grant_type: "refresh_token", refresh_token: token }, launchpad);

async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "idp-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

describe("refresh tokens (RFC 9700, section 4.14.2)", () => {
  test("are good for one use; a second use ends the newest one too", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { refreshToken = "" } = await atLaunchpad(issuer);

    const first = await refresh(issuer, refreshToken);
    expect(claimsIn(first)).toMatchObject({ sub: "alice", aud: "launchpad", groups: ["litellm-users"] });
    expect(first.body.refresh_token).not.toBe(refreshToken);
    const replay = await refresh(issuer, refreshToken);
    expect(replay).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const newest = await refresh(issuer, String(first.body.refresh_token));
    expect(newest).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });

  test("of twenty uses at once exactly one succeeds", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { refreshToken = "" } = await atLaunchpad(issuer);
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(issuer, refreshToken)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("are given with offline_access only", async () => {
    const { provider } = await providerForTest();
    const { refreshToken } = await atLaunchpad(provider.issuerUrl("default"), "alice", "openid");
    expect(refreshToken).toBeUndefined();
  });

  test("belong to one client", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { refreshToken = "" } = await atLaunchpad(issuer);
    const form = { grant_type: "refresh_token", refresh_token: refreshToken, client_id: "sandbox-cli" };
    expect((await post(`${issuer}/v1/token`, form)).body).toMatchObject({ error: "invalid_grant" });
  });
});

describe("a restart", () => {
  test("with a data folder keeps keys, refresh tokens and revocations; the file is its owner's alone", async () => {
    const dataDir = await dataFolder();
    const { provider: before } = await providerForTest({ dataDir });
    const issuer = before.issuerUrl("default");
    const { accessToken, refreshToken = "" } = await atLaunchpad(issuer);
    const revoked = await atLaunchpad(issuer, "bob");
    await post(`${issuer}/v1/revoke`, { token: revoked.accessToken }, launchpad);
    const pem = before.clientKey("voicebox");
    await before.close();

    const { provider: after } = await providerForTest({ dataDir, port: before.port });
    // By its other name, so that no connection kept from before is used again.
    const again = `http://127.0.0.1:${after.port}/oauth2/default`;
    expect((await exchange(again, launchpadBackend, accessToken, toVoicebox)).status).toBe(200);
    expect((await exchange(again, launchpadBackend, revoked.accessToken, toVoicebox)).status).toBe(400);
    expect((await refresh(again, refreshToken)).status).toBe(200);
    expect(after.clientKey("voicebox")).toBe(pem);
    for (const file of ["identity-provider.sqlite", "keys/voicebox.pem"]) {
      expect((await stat(join(dataDir, file))).mode & 0o777).toBe(0o600);
    }
  });

  test("without one starts from nothing", async () => {
    const { provider: before } = await providerForTest();
    const issuer = before.issuerUrl("default");
    const { refreshToken = "" } = await atLaunchpad(issuer);
    await before.close();
    const after = await startIdentityProvider({ port: before.port, destination: { write: () => undefined } });
    onTestFinished(() => after.close());
    const again = `http://127.0.0.1:${after.port}/oauth2/default`;
    expect((await refresh(again, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
  });
});

/** A relying party that keeps the logout tokens it is sent. */
async function logoutReceiver() {
  const received: string[] = [];
  const server = createServer(async (incoming, outgoing) => {
    received.push(new URLSearchParams(await readText(incoming)).get("logout_token") ?? "");
    outgoing.writeHead(200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { received, url: `http://localhost:${(server.address() as AddressInfo).port}` };
}

describe("sign-out", () => {
  test("asked for by the application ends the session, tells the application by a signed logout token, and goes back", async () => {
    const receiver = await logoutReceiver();
    const { provider } = await providerForTest({ launchpadUrl: receiver.url });
    const issuer = provider.issuerUrl("default");
    const cookies = new Map<string, string>();
    const [clientId, clientSecret] = launchpad;
    const scope = "openid";
    const request = { issuer, user: "alice", clientId, clientSecret, scope, cookies };
    const { idToken = "" } = await signIn({ ...request, redirectUri: `${receiver.url}/oauth/okta/redirect` });

    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const logout = new URL(`${issuer}/v1/logout`);
    logout.search = new URLSearchParams({
      id_token_hint: idToken,
      post_logout_redirect_uri: `${receiver.url}/`,
      state: "back",
    }).toString();
    const asked = await fetch(logout, { headers: { cookie } });
    const page = await asked.text();
    expect(page).toContain('getElementById("yes").click()');
    expect(asked.headers.get("content-security-policy")).toMatch(/form-action 'self' http:\/\/localhost:\d+/);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page)?.[1] ?? "";
    const done = await fetch(`${issuer}/v1/logout/confirm`, {
      method: "POST",
      redirect: "manual",
      headers: { cookie: [cookie, ...asked.headers.getSetCookie().map((line) => line.split(";")[0])].join("; ") },
      body: new URLSearchParams({ xsrf, logout: "yes" }),
    });
    expect(done.headers.get("location")).toBe(`${receiver.url}/?state=back`);

    const keys = createRemoteJWKSet(new URL(`${issuer}/v1/keys`));
    const { payload, protectedHeader } = await jwtVerify(receiver.received[0] ?? "", keys, {
      issuer,
      audience: clientId,
    });
    expect(protectedHeader.typ).toBe("logout+jwt");
    expect(payload).toMatchObject({
      sub: "alice",
      sid: expect.any(String),
      events: { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    const again = signIn({
      ...request,
      parameters: { prompt: "none" },
      redirectUri: `${receiver.url}/oauth/okta/redirect`,
    });
    await expect(again).rejects.toThrow("login_required");
  });

  test("by an administrator ends the user's sessions, tokens and refresh tokens, and tells the applications", async () => {
    const receiver = await logoutReceiver();
    const { provider } = await providerForTest({ launchpadUrl: receiver.url });
    const issuer = provider.issuerUrl("default");
    const [clientId, clientSecret] = launchpad;
    const request = { issuer, clientId, clientSecret, redirectUri: `${receiver.url}/oauth/okta/redirect` };
    const cookies = new Map<string, string>();
    const scope = "openid offline_access";
    const alice = await signIn({ ...request, user: "alice", scope, cookies });
    const bob = await signIn({ ...request, user: "bob", scope });
    const response = await fetch(`${provider.url}/sandbox/sign-out`, {
      method: "POST",
      body: JSON.stringify({ user: "alice" }),
    });
    expect(await response.json()).toEqual({ sessions: 1, told: ["launchpad"], failed: [] });

    const keys = createRemoteJWKSet(new URL(`${issuer}/v1/keys`));
    const { payload } = await jwtVerify(receiver.received[0] ?? "", keys, { issuer, audience: clientId });
    expect(payload).toMatchObject({ sub: "alice", sid: expect.any(String) });
    expect((await refresh(issuer, alice.refreshToken ?? "")).body).toMatchObject({ error: "invalid_grant" });
    expect((await exchange(issuer, launchpadBackend, alice.accessToken, toVoicebox)).status).toBe(400);
    expect((await refresh(issuer, bob.refreshToken ?? "")).status).toBe(200);
    const silently = { ...request, user: "alice", cookies, parameters: { prompt: "none" } };
    await expect(signIn(silently)).rejects.toThrow("login_required");
  });

  test("by a bare link asks the person first", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const cookies = new Map<string, string>();
    await signIn({ issuer, user: "alice", cookies });
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const page = await (await fetch(`${issuer}/v1/logout`, { headers: { cookie } })).text();
    expect(page).toContain("Sign out?");
    expect(page).not.toContain("<script");
  });
});
