import { decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import type { IdentityProvider } from "./start.ts";
import { exchange, launchpadBackend, providerForTest, toGateway, toVoicebox, voicebox } from "./testing.ts";

async function tell(provider: IdentityProvider, path: string, body?: unknown, method = "POST") {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? { method } : { method, headers, body: JSON.stringify(body) };
  const response = await fetch(`${provider.url}/sandbox${path}`, init);
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

const keyIds = async (issuer: string): Promise<string[]> => {
  const { keys } = (await (await fetch(`${issuer}/v1/keys`)).json()) as { keys: { kid: string }[] };
  return keys.map(({ kid }) => kid);
};

describe("key rotation", () => {
  test("signs with the new key and still publishes the old one", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const [old] = await keyIds(issuer);
    const before = await signIn({ issuer, user: "alice", scope: "openid offline_access" });
    const elsewhere = await keyIds(provider.issuerUrl("llm"));

    expect((await tell(provider, "/keys/rotate", { issuer: "default" })).status).toBe(200);
    const now = await keyIds(issuer);
    expect(now).toHaveLength(2);
    expect(now[1]).toBe(old);
    const after = await signIn({ issuer, user: "alice" });
    expect(decodeProtectedHeader(after.accessToken).kid).toBe(now[0]);
    expect(decodeProtectedHeader(after.idToken ?? "").kid).toBe(now[0]);
    expect((await exchange(issuer, launchpadBackend, before.accessToken, toVoicebox)).status).toBe(200);
    expect(await keyIds(provider.issuerUrl("llm"))).toEqual(elsewhere);
  });

  test("without keeping the old one makes its tokens worthless; without an issuer it is for all", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const before = await signIn({ issuer, user: "alice" });
    const names = ["default", "llm", "partner"];
    const old = await Promise.all(names.map((name) => keyIds(provider.issuerUrl(name))));
    await tell(provider, "/keys/rotate", { keepOld: false });
    const now = await Promise.all(names.map((name) => keyIds(provider.issuerUrl(name))));
    expect(now.flat()).toHaveLength(3);
    expect(now.flat().filter((kid) => old.flat().includes(kid))).toEqual([]);
    expect((await exchange(issuer, launchpadBackend, before.accessToken, toVoicebox)).body).toMatchObject({
      error: "invalid_grant",
    });
  });
});

test("after rotation everywhere the whole chain goes on with new tokens at once", async () => {
  const { provider } = await providerForTest();
  const [atDefault, atLlm] = [provider.issuerUrl("default"), provider.issuerUrl("llm")];
  await tell(provider, "/keys/rotate");
  const { accessToken } = await signIn({ issuer: atDefault, user: "alice" });
  const first = await exchange(atDefault, launchpadBackend, accessToken, toVoicebox);
  const second = await exchange(atLlm, voicebox, String(first.body.access_token), toGateway);
  expect(second.status).toBe(200);
  const { kid } = decodeProtectedHeader(String(second.body.access_token));
  expect(await keyIds(atLlm)).toContain(kid);
});

describe("faults", () => {
  test.each([
    ["5xx", 503, { error: "temporarily_unavailable" }],
    ["429", 429, { error: "slow_down" }],
  ])("%s hits as many calls as asked, at one endpoint of one issuer", async (fault, status, body) => {
    const { provider } = await providerForTest();
    const keys = `${provider.issuerUrl("default")}/v1/keys`;
    expect((await tell(provider, "/faults", { endpoint: "keys", issuer: "default", fault, count: 2 })).status).toBe(
      201,
    );
    expect((await fetch(`${provider.issuerUrl("llm")}/v1/keys`)).status).toBe(200);
    const hit = await fetch(keys);
    expect(hit.status).toBe(status);
    expect(await hit.json()).toMatchObject(body);
    expect(hit.headers.get("retry-after")).toBe(status === 429 ? "1" : null);
    expect((await tell(provider, "/faults", undefined, "GET")).body.faults).toMatchObject([{ count: 1 }]);
    expect((await fetch(keys)).status).toBe(status);
    expect((await fetch(keys)).status).toBe(200);
  });

  test("drop closes the connection without an answer", async () => {
    const { provider } = await providerForTest();
    await tell(provider, "/faults", { endpoint: "discovery", fault: "drop" });
    const address = `${provider.issuerUrl("default")}/.well-known/openid-configuration`;
    await expect(fetch(address)).rejects.toThrow("fetch failed");
    expect((await fetch(address)).status).toBe(200);
  });

  test("slow answers as usual, later; a client that gives up is let go", async () => {
    const { provider } = await providerForTest();
    const keys = `${provider.issuerUrl("default")}/v1/keys`;
    await tell(provider, "/faults", { endpoint: "keys", fault: "slow", milliseconds: 300 });
    const startedAt = performance.now();
    expect((await fetch(keys)).status).toBe(200);
    expect(performance.now() - startedAt).toBeGreaterThan(250);
    await tell(provider, "/faults", { endpoint: "keys", fault: "slow", milliseconds: 600_000 });
    await expect(fetch(keys, { signal: AbortSignal.timeout(200) })).rejects.toThrow();
  });

  test("are cleared by DELETE; what makes no sense is refused", async () => {
    const { provider } = await providerForTest();
    await tell(provider, "/faults", { endpoint: "keys", fault: "5xx", count: 5 });
    expect((await tell(provider, "/faults", undefined, "DELETE")).status).toBe(204);
    expect((await fetch(`${provider.issuerUrl("default")}/v1/keys`)).status).toBe(200);
    for (const wrong of [{}, { endpoint: "keys", fault: "fire" }, { endpoint: "keys", fault: "5xx", count: 0 }]) {
      expect((await tell(provider, "/faults", wrong)).status).toBe(400);
    }
    expect((await tell(provider, "/faults", { endpoint: "keys", fault: "5xx", issuer: "x" })).status).toBe(404);
  });
});

test("lifetimes change under way, and only to what makes sense", async () => {
  const { provider } = await providerForTest();
  const issuer = provider.issuerUrl("default");
  expect((await tell(provider, "/lifetimes", { accessTokenSeconds: 60 })).body).toMatchObject({
    accessTokenSeconds: 60,
  });
  const { accessToken, response } = await signIn({ issuer, user: "alice" });
  expect(response.expires_in).toBe(60);
  expect((await exchange(issuer, launchpadBackend, accessToken, toVoicebox)).body.expires_in).toBeLessThanOrEqual(60);
  for (const wrong of [{ accessTokenSeconds: 0 }, { accessTokenSeconds: "soon" }, { other: 1 }]) {
    expect((await tell(provider, "/lifetimes", wrong)).status).toBe(400);
  }
  expect((await tell(provider, "/lifetimes", undefined, "GET")).body.accessTokenSeconds).toBe(60);
});

test("calls are counted by issuer and endpoint until they are reset", async () => {
  const { provider } = await providerForTest();
  const issuer = provider.issuerUrl("default");
  const { accessToken } = await signIn({ issuer, user: "alice" });
  await exchange(issuer, launchpadBackend, accessToken, toVoicebox);
  const { body } = await tell(provider, "/calls", undefined, "GET");
  expect(body).toEqual({ total: 6, calls: { default: { authorize: 2, signin: 2, token: 2 } } });
  await tell(provider, "/calls", undefined, "DELETE");
  expect((await tell(provider, "/calls", undefined, "GET")).body).toEqual({ total: 0, calls: {} });
});

test("the switches are not for web pages, nor for names that only point here", async () => {
  const { provider } = await providerForTest();
  const rotate = `${provider.url}/sandbox/keys/rotate`;
  const page = await fetch(rotate, { method: "POST", headers: { origin: "https://evil.example" } });
  expect(page.status).toBe(403);
  const { request } = await import("node:http");
  const status = await new Promise((resolve) => {
    const options = { port: provider.port, path: "/sandbox/calls", headers: { host: "evil.example" } };
    request(options, (response) => resolve(response.statusCode)).end();
  });
  expect(status).toBe(403);
});
