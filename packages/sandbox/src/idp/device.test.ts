import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import {
  allowInsecureRequests,
  discovery,
  initiateDeviceAuthorization,
  pollDeviceAuthorizationGrant,
} from "openid-client";
import { describe, expect, onTestFinished, test } from "vitest";
import { SignInError, signIn, walkDevice } from "../token.ts";
import { acr } from "./acr.ts";
import { grantTypes } from "./grant-types.ts";
import { entraChallenge } from "./step-up.ts";
import { type Answer, claimsIn, type Form, post, providerForTest } from "./testing.ts";

const asked = { audience: "llm-gateway", scope: "openid llm-gateway offline_access" } as const;

/** A device of a public client at an issuer. */
async function deviceAt(issuerUrl: string, clientId = "claude-code", form: Form = asked) {
  const start = await post(`${issuerUrl}/v1/device_authorization`, { client_id: clientId, ...form });
  const token = (more: Form) => post(`${issuerUrl}/v1/token`, { client_id: clientId, ...more });
  const poll = () => token({ grant_type: grantTypes.deviceCode, device_code: String(start.body.device_code) });
  const refresh = (value: unknown) => token({ grant_type: "refresh_token", refresh_token: String(value) });
  return { start, link: String(start.body.verification_uri_complete), token, poll, refresh };
}

/** What a token says that is the same in the next one. */
function lasting(token: unknown): Record<string, unknown> {
  const own = new Set(["iat", "exp", "nbf", "jti", "uti", "sid", "auth_time", "nonce", "at_hash"]);
  return Object.fromEntries(Object.entries(decodeJwt(String(token))).filter(([claim]) => !own.has(claim)));
}

const refusal = ({ status, body }: Answer) => [status, body.error];

describe("the device authorization grant (RFC 8628)", () => {
  test.each(["default", "llm"])("at %s: pending, then tokens for the gateway that can be refreshed", async (name) => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl(name);
    const { start, link, poll, refresh } = await deviceAt(issuer);
    expect([start.status, start.body]).toEqual([
      200,
      {
        device_code: expect.any(String),
        user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/),
        verification_uri: `${issuer}/v1/device`,
        verification_uri_complete: `${issuer}/v1/device?user_code=${start.body.user_code}`,
        expires_in: 600,
      },
    ]);
    expect(refusal(await poll())).toEqual([400, "authorization_pending"]);

    await walkDevice(link, { user: "bob" });
    const answer = await poll();
    expect([answer.status, answer.body]).toMatchObject([200, { token_type: "Bearer", scope: asked.scope }]);
    expect(claimsIn(answer)).toMatchObject({
      iss: issuer,
      sub: "bob",
      aud: "llm-gateway",
      cid: "claude-code",
      scp: ["openid", "llm-gateway", "offline_access"],
      groups: ["litellm-developers"],
    });
    const identity = decodeJwt(String(answer.body.id_token));
    expect(identity).toMatchObject({ aud: "claude-code", sub: "bob", acr: acr.password });

    const refreshed = await refresh(answer.body.refresh_token);
    expect(claimsIn(refreshed)).toMatchObject({ sub: "bob", aud: "llm-gateway", groups: ["litellm-developers"] });
    expect(refreshed.body.refresh_token).not.toBe(answer.body.refresh_token);
    // Rotated: the one before is good for nothing, and whoever tries it ends them all.
    expect(refusal(await refresh(answer.body.refresh_token))).toEqual([400, "invalid_grant"]);
    expect(refusal(await refresh(refreshed.body.refresh_token))).toEqual([400, "invalid_grant"]);
  });

  test("openid-client finds the endpoint in the discovery document, and polls until somebody has signed in", async () => {
    const { provider } = await providerForTest();
    const issuer = new URL(provider.issuerUrl("default"));
    const config = await discovery(issuer, "claude-code", undefined, undefined, { execute: [allowInsecureRequests] });
    expect(config.serverMetadata()).toMatchObject({
      device_authorization_endpoint: `${issuer.href}/v1/device_authorization`,
      grant_types_supported: expect.arrayContaining([grantTypes.deviceCode]),
    });
    const device = await initiateDeviceAuthorization(config, asked);
    await walkDevice(device.verification_uri_complete ?? "", { user: "alice" });
    // Five seconds between polls unless the server says otherwise (RFC 8628, section 3.2), which are not waited for here.
    const tokens = await pollDeviceAuthorizationGrant(config, { ...device, interval: 0.01 });
    expect(tokens.claims()?.sub).toBe("alice");
  });

  test.each(["default", "llm", "partner", "generic", "keycloak", "entra", "entra-v1", "auth0", "zitadel"])(
    "%s says of the person what it says after a sign-in with a redirect",
    async (name) => {
      const { provider } = await providerForTest();
      const issuer = provider.issuerUrl(name);
      const wanted = { scope: "openid profile groups", audience: "launchpad" };
      const { link, poll } = await deviceAt(issuer, "sandbox-cli", wanted);
      await walkDevice(link, { user: "alice" });
      const answer = await poll();
      const { response } = await signIn({ issuer, user: "alice", clientId: "sandbox-cli", ...wanted });
      expect(lasting(answer.body.access_token)).toEqual(lasting(response.access_token));
      expect(lasting(answer.body.id_token)).toEqual(lasting(response.id_token));
      expect(Object.keys(answer.body).sort()).toEqual(Object.keys(response).sort());
    },
  );

  test("no audience: the client's own; no offline_access: no refresh token; reserved scopes are left out", async () => {
    const { provider } = await providerForTest();
    const scope = "openid litellm_proxy_admin";
    const { link, poll } = await deviceAt(provider.issuerUrl("default"), "claude-code", { scope });
    await walkDevice(link, { user: "alice" });
    const answer = await poll();
    expect(claimsIn(answer)).toMatchObject({ aud: "llm-gateway", scp: ["openid"] });
    expect(answer.body).not.toHaveProperty("refresh_token");
  });

  test("a stronger sign-in that was asked for is in the ID token", async () => {
    const { provider } = await providerForTest();
    const more = { scope: "openid", acr_values: acr.stepUp };
    const { link, poll } = await deviceAt(provider.issuerUrl("default"), "claude-code", more);
    await walkDevice(link, { user: "alice" });
    expect(decodeJwt(String((await poll()).body.id_token)).acr).toBe(acr.stepUp);
  });

  test("at Entra: its numbers in refusals at both endpoints, and its challenge makes the sign-in a stronger one", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("entra");
    const { start } = await deviceAt(issuer, "nobody");
    expect(start.body).toMatchObject({ error: "invalid_client", error_codes: [7000215] });
    const challenge = { scope: "openid", audience: "launchpad", claims: JSON.stringify(entraChallenge) };
    const { link, poll } = await deviceAt(issuer, "sandbox-cli", challenge);
    expect((await poll()).body).toMatchObject({ error: "authorization_pending", error_codes: [70016] });
    await walkDevice(link, { user: "alice" });
    expect(decodeJwt(String((await poll()).body.id_token)).acr).toBe(acr.stepUp);
  });

  test.each([
    ["a client that is not known", "nobody", asked, [401, "invalid_client"]],
    ["an audience the client may not have", "claude-code", { audience: "voicebox" }, [400, "invalid_target"]],
    ["an audience that is not served", "claude-code", { audience: "nowhere" }, [400, "invalid_target"]],
    ["a resource of somebody else's", "claude-code", { resource: "https://else.example/" }, [400, "invalid_target"]],
  ])("%s gets no code", async (_name, clientId, form, expected) => {
    const { provider } = await providerForTest();
    const { start } = await deviceAt(provider.issuerUrl("default"), clientId, form);
    expect(refusal(start)).toEqual(expected);
  });

  test("a client that is not for devices gets no code, and cannot redeem another's", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const openWebui = ["open-webui", "open-webui-secret"] as const;
    const refused = await post(`${issuer}/v1/device_authorization`, { scope: "openid" }, openWebui);
    expect(refusal(refused)).toEqual([400, "invalid_request"]);
    const { start } = await deviceAt(issuer);
    const form = { grant_type: grantTypes.deviceCode, device_code: String(start.body.device_code) };
    expect(refusal(await post(`${issuer}/v1/token`, form, openWebui))).toEqual([400, "invalid_request"]);
  });

  test("a device code is of one client, and of one use; two polls at once get one answer", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { start, link, poll, refresh } = await deviceAt(issuer);
    await walkDevice(link, { user: "alice" });
    const form = { grant_type: grantTypes.deviceCode, device_code: String(start.body.device_code) };
    const stolen = await post(`${issuer}/v1/token`, { client_id: "sandbox-cli", ...form });
    expect(refusal(stolen)).toEqual([400, "invalid_grant"]);

    const both = await Promise.all([poll(), poll()]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(refusal(await poll())).toEqual([400, "invalid_grant"]);
    // Whoever brings it again had it from somebody: what came of it ends.
    const answered = both.find(({ status }) => status === 200);
    expect(refusal(await refresh(answered?.body.refresh_token))).toEqual([400, "invalid_grant"]);
  });

  test("an expired code is told apart from an unknown one, by the endpoint and by the page", async () => {
    const { provider } = await providerForTest({ lifetimes: { deviceCodeSeconds: 1 } });
    const { start, link, token, poll } = await deviceAt(provider.issuerUrl("default"));
    expect(start.body.expires_in).toBe(1);
    await expect.poll(async () => refusal(await poll()), { timeout: 5000 }).toEqual([400, "expired_token"]);
    await expect(walkDevice(link, { user: "alice" })).rejects.toThrow("This code has expired");
    const unknown = await token({ grant_type: grantTypes.deviceCode, device_code: "unknown" });
    expect(refusal(unknown)).toEqual([400, "invalid_grant"]);
  });

  test("a restart keeps codes and what was confirmed", async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "idp-device-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const { provider } = await providerForTest({ dataDir });
    const { link, poll } = await deviceAt(provider.issuerUrl("default"));
    await provider.close();
    await providerForTest({ dataDir, port: provider.port });
    await walkDevice(link, { user: "alice" });
    expect((await poll()).status).toBe(200);
  });

  test("faults and counters know the endpoints; a device that is told to slow down gets its tokens after that", async () => {
    const { provider } = await providerForTest();
    const tell = (fault: object) =>
      fetch(`${provider.url}/sandbox/faults`, {
        method: "POST",
        body: JSON.stringify({ issuer: "default", ...fault }),
      });
    await tell({ endpoint: "device_authorization", fault: "5xx" });
    expect((await deviceAt(provider.issuerUrl("default"))).start.status).toBe(503);
    const { link, poll } = await deviceAt(provider.issuerUrl("default"));
    await tell({ endpoint: "device", fault: "5xx" });
    await expect(walkDevice(link, { user: "alice" })).rejects.toThrow("the server fails");
    await walkDevice(link, { user: "alice" });
    await tell({ endpoint: "token", fault: "429" });
    expect(refusal(await poll())).toEqual([429, "slow_down"]);
    expect((await poll()).status).toBe(200);
    const { calls } = (await (await fetch(`${provider.url}/sandbox/calls`)).json()) as { calls: object };
    // At the page: the one that failed, the code, the confirmation, and the way back from the password.
    expect(calls).toEqual({ default: { device_authorization: 2, device: 4, signin: 2, token: 2 } });
  });

  test("the walker says what stopped it", async () => {
    const { provider } = await providerForTest();
    const { start, link } = await deviceAt(provider.issuerUrl("default"));
    const walk = (address: unknown, password = "alice") => walkDevice(String(address), { user: "alice", password });
    await expect(walk(start.body.verification_uri)).rejects.toThrow("take verification_uri_complete");
    await expect(walk(link.replace(/=.*/, "=BBBB-BBBB"))).rejects.toThrow("There is no such code");
    await expect(walk(link, "wrong")).rejects.toThrow(SignInError);
    // Begun is used: a code is for one sign-in, whether that comes to an end or not.
    await expect(walk(link)).rejects.toThrow("This code was used already");
  });
});
