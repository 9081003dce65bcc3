import { captureLogs } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type IdentityProvider, startIdentityProvider } from "../../../sandbox/src/idp/index.ts";
import { walkDevice } from "../../../sandbox/src/token.ts";
import { models, startTestGateway, type TestGateway } from "../testing/gateway.ts";

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
const groups = "access: { groups: { litellm-users: { models: [nova] } } }";

let provider: IdentityProvider;
let gateway: TestGateway;
const logs = captureLogs();
const usual = ["scopes: [openid, email, profile, offline_access, llm-gateway]", "audience: llm-gateway"];
const configured = (...signIn: readonly string[]): string => `
issuers:
  - issuer: "${provider.issuerUrl("default")}"
    audience: llm-gateway
    dialect: okta
    required_scopes: [llm-gateway]
sign_in:
  issuer: "${provider.issuerUrl("default")}"
  client_id: claude-code
  ${signIn.join("\n  ")}
${groups}
${models}`;
const use = async (...signIn: readonly string[]): Promise<void> => {
  gateway.writeConfig(configured(...signIn));
  await gateway.gateway.reload();
};

beforeAll(async () => {
  provider = await startIdentityProvider({ destination: logs.destination });
  gateway = await startTestGateway({ yaml: configured(...usual) });
});
afterAll(async () => {
  await gateway.close();
  await provider.close();
});
beforeEach(() => fetch(`${provider.url}/sandbox/reset`, { method: "POST" }));

const post = async (path: string, form: Readonly<Record<string, string>> | string = {}) => {
  const response = await fetch(`${gateway.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: typeof form === "string" ? form : new URLSearchParams(form).toString(),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
};
const begin = () => post("/oauth/device_authorization");
const redeem = (code: unknown) => post("/oauth/token", { grant_type: deviceGrant, device_code: String(code) });
const signedIn = async (user: string) => {
  const begun = await begin();
  await walkDevice(String(begun.body.verification_uri_complete), { user });
  return redeem(begun.body.device_code);
};

describe("signing in from a client that knows the gateway's address only", () => {
  test("is described at that address, and leads to no other", async () => {
    const { json } = await gateway.call("/.well-known/oauth-authorization-server");
    const address = gateway.url.replace("127.0.0.1", "localhost");
    expect(json).toMatchObject({
      issuer: address,
      device_authorization_endpoint: `${address}/oauth/device_authorization`,
      token_endpoint: `${address}/oauth/token`,
      grant_types_supported: [deviceGrant, "refresh_token"],
    });
    const begun = await begin();
    expect(begun.status).toBe(200);
    expect(begun.headers.get("cache-control")).toBe("no-store");
    // The person signs in at the provider, which alone sees a password.
    expect(String(begun.body.verification_uri)).toMatch(new RegExp(`^${provider.issuerUrl("default")}`));
  });

  test("ends with the person's own token, which is good here and recorded as hers, and can be renewed", async () => {
    const begun = await begin();
    expect(await redeem(begun.body.device_code)).toMatchObject({
      status: 400,
      body: { error: "authorization_pending" },
    });
    await walkDevice(String(begun.body.verification_uri_complete), { user: "alice" });
    const { status, body } = await redeem(begun.body.device_code);
    expect(status).toBe(200);
    expect(Object.keys(body).sort()).toEqual(["access_token", "expires_in", "refresh_token", "token_type"]);
    const token = String(body.access_token);
    expect((await gateway.chat(token, { model: "nova" })).status).toBe(200);
    const { json } = await gateway.call("/audit/events", { token });
    expect(json.events[0]).toMatchObject({
      issuer: provider.issuerUrl("default"),
      user_id: "alice@example.com",
      client_id: "claude-code",
    });
    const renewed = await post("/oauth/token", {
      grant_type: "refresh_token",
      refresh_token: String(body.refresh_token),
    });
    expect(renewed.status).toBe(200);
    expect((await gateway.chat(String(renewed.body.access_token), { model: "nova" })).status).toBe(200);
    // Once redeemed, a code is nothing.
    expect((await redeem(begun.body.device_code)).body.error).toBe("invalid_grant");
    const all = gateway.logs.text() + logs.text();
    expect(all).toContain("POST /oauth/token");
    for (const secret of [token, body.refresh_token, begun.body.device_code]) expect(all).not.toContain(String(secret));
  });

  test("tells in words why a token would open nothing, while the person still looks", async () => {
    await use("scopes: [openid, email]", "audience: llm-gateway");
    const refused = await signedIn("alice").finally(() => use(...usual));
    expect(refused).toMatchObject({ status: 400, body: { error: "access_denied" } });
    expect(refused.body.error_description).toMatch(
      /signed in, but the token does not open this gateway: .*llm-gateway/,
    );
  });

  test("says whose fault it is when the provider does not know the client", async () => {
    gateway.writeConfig(configured(...usual).replace("client_id: claude-code", "client_id: nobody"));
    await gateway.gateway.reload();
    const refused = await begin().finally(() => use(...usual));
    expect(refused).toMatchObject({ status: 502, body: { error: "server_error" } });
    expect(refused.body.error_description).toContain("Tell its operator");
  });

  test.each([
    ["grant_type=password&username=alice", "unsupported_grant_type"],
    [`grant_type=${deviceGrant}`, "invalid_request"],
    [`grant_type=${deviceGrant}&device_code=a&device_code=b`, "invalid_request"],
    ["grant_type=refresh_token&refresh_token=", "invalid_request"],
    ["grant_type=refresh_token&refresh_token=invented", "invalid_grant", 401],
    [`grant_type=${deviceGrant}&device_code=invented`, "invalid_grant"],
  ])("%s is refused: %s", async (form, error, expected = 400) => {
    const { status, body } = await post("/oauth/token", form);
    expect(status).toBe(expected);
    expect(body).toEqual({ error, error_description: expect.any(String) });
  });

  test("a body that is no sign-in's is cut", async () => {
    const answer = await post("/oauth/token", `grant_type=refresh_token&refresh_token=${"x".repeat(20_000)}`);
    expect(answer.status).toBe(413);
  });

  test("says that the provider is away, and when to come back", async () => {
    const fault = { issuer: "default", endpoint: "device_authorization", fault: "5xx", count: 1 };
    await fetch(`${provider.url}/sandbox/faults`, { method: "POST", body: JSON.stringify(fault) });
    const { status, headers, body } = await begin();
    expect([status, body.error, headers.get("retry-after")]).toEqual([503, "temporarily_unavailable", "5"]);
    expect((await begin()).status).toBe(200);
  });
});

describe("beside the sign-in", () => {
  test("managed settings are handed to who is signed in, as long as they are new", async () => {
    const token = String((await signedIn("alice")).body.access_token);
    expect((await gateway.call("/managed/settings", { token })).status).toBe(404);
    await use(...usual, "managed_settings: { permissions: { deny: [WebFetch] } }");
    const first = await gateway.call("/managed/settings", { token });
    expect(first.json).toEqual({ permissions: { deny: ["WebFetch"] } });
    const headers = { "if-none-match": first.headers.get("etag") ?? "" };
    expect((await gateway.call("/managed/settings", { token, headers })).status).toBe(304);
    expect((await gateway.call("/managed/settings")).status).toBe(401);
  });

  test.each(["/v1/metrics", "/v1/logs", "/v1/traces"])(
    "%s takes a client's report, and only a known person's",
    async (path) => {
      const token = String((await signedIn("alice")).body.access_token);
      expect((await gateway.call(path, { token, body: { resourceMetrics: [] } })).status).toBe(200);
      expect((await gateway.call(path, { body: {} })).status).toBe(401);
    },
  );
});

test("without `sign_in` none of it is there", async () => {
  const plain = await startTestGateway();
  try {
    for (const path of ["/.well-known/oauth-authorization-server", "/managed/settings"])
      expect((await plain.call(path, { token: await plain.token() })).status).toBe(404);
    expect((await plain.call("/oauth/token", { body: "grant_type=refresh_token" })).status).toBe(404);
    expect((await plain.call("/v1/metrics", { token: await plain.token(), body: {} })).status).toBe(404);
  } finally {
    await plain.close();
  }
});
