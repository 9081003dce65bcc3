import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CallInit, startTestGateway, type TestGateway } from "./testing/gateway.ts";

describe("the way of a request", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.close());

  test("a user of an allowed group gets an answer, and the row says who, what, how much", async () => {
    const token = await gateway.token({ act: { sub: "voicebox", iss: "https://idp.example" } });
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const requestId = `job/7@eu-1/${"Ab+/".repeat(28)}Aw==`;
    const answer = await gateway.call("/v1/chat/completions", {
      token,
      headers: {
        traceparent,
        "x-request-id": requestId,
        "x-onbehalf-app": "demo",
        "x-openwebui-user-email": "eve@example.com",
      },
      body: { model: "claude", messages: [{ role: "user", content: "Who is Bob?" }] },
    });
    expect(answer.status).toBe(200);
    expect(answer.json.choices[0].message.content).toBe("Bob is an engineer.");
    expect(answer.headers.get("x-request-id")).toBe(requestId);
    expect(answer.headers.get("request-id")).toBe(requestId);
    expect(answer.headers.get("traceparent")).toContain("4bf92f3577b34da6a3ce929d0e0e4736");

    const { json } = await gateway.call("/audit/events?trace=4bf92f3577b34da6a3ce929d0e0e4736", { token });
    expect(json.events).toHaveLength(1);
    expect(json.events[0]).toMatchObject({
      user_id: "alice@example.com",
      subject: "alice",
      issuer: gateway.issuer.issuer,
      client_id: "voicebox",
      actors: [{ issuer: "https://idp.example", subject: "voicebox" }],
      groups: ["users"],
      audience: ["llm-gateway"],
      scopes: ["llm-gateway"],
      app: "demo",
      route: "POST /v1/chat/completions",
      model: "claude",
      provider_model: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      status: 200,
      outcome: "ok",
      prompt_tokens: 11,
      completion_tokens: 7,
      tokens: 18,
      stream: false,
      request_id: requestId,
      detail: { openwebui_user: "eve@example.com" },
    });
    // us. is bound to a geography: a tenth above the list price of 3 and 15 USD per million tokens.
    expect(json.events[0].cost_usd).toBeCloseTo((11 * 3.3 + 7 * 16.5) / 1e6, 9);

    const query = new URLSearchParams({ request_id: requestId });
    const same = await gateway.call(`/audit/events?${query}`, { token });
    expect(same.json.events).toEqual(json.events);
  });

  test("a user in no group is refused, told which groups were seen and needed, and recorded", async () => {
    const token = await gateway.token({ sub: "mallory", groups: [] });
    const answer = await gateway.chat(token);
    expect(answer.status).toBe(403);
    expect(answer.json.error.message).toMatch(
      /one of the groups \[users, developers, admins\] is needed; the token's groups are empty/,
    );
    const { json } = await gateway.call("/audit/events", { token });
    expect(json.events.find((row: { route: string }) => row.route === "POST /v1/chat/completions")).toMatchObject({
      subject: "mallory",
      status: 403,
      outcome: "denied",
      error_code: "forbidden",
      rule: "access.groups",
      model: "claude",
    });
  });

  test.each([
    ["no credential", undefined, /^Bearer resource_metadata="/],
    ["neither JWT nor key", "invalid-token", /^Bearer error="invalid_token"/],
    ["an injection", "x' OR pg_sleep(5)--", /^Bearer error="invalid_token"/],
  ])("%s: 401 with a challenge, in the dialect's envelope", async (_, token, challenge) => {
    const answer = await gateway.call("/v1/chat/completions", { token, body: { model: "claude", messages: [] } });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toMatch(challenge);
    expect(answer.json.error).toMatchObject({ message: expect.any(String), type: expect.any(String) });
  });

  test("a token for another audience is told both", async () => {
    const answer = await gateway.chat(await gateway.token({ aud: "voicebox" }));
    expect(answer.status).toBe(401);
    expect(answer.json.error.message).toMatch(/audience is \[voicebox\], this service is llm-gateway/);
  });

  test("a token without the scope is 403 insufficient_scope", async () => {
    const answer = await gateway.chat(await gateway.token({ scp: ["openid"] }));
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toMatch(/error="insufficient_scope".*scope="llm-gateway"/);
  });

  test("models are listed as far as the caller may use them, in the form of the client", async () => {
    const token = await gateway.token();
    const openai = await gateway.call("/v1/models", { token });
    expect(openai.json).toEqual({
      object: "list",
      data: [{ id: "claude", object: "model", created: expect.any(Number), owned_by: "onbehalf" }],
    });
    const anthropic = await gateway.call("/models", { token, headers: { "anthropic-version": "2026-10-21" } });
    expect(anthropic.json.data).toEqual([expect.objectContaining({ type: "model", id: "claude" })]);
    expect((await gateway.call("/v1/models/claude", { token })).json.id).toBe("claude");
    expect((await gateway.call("/v1/models/nova", { token })).status).toBe(404);
  });

  test("a refused list of models is refused in the envelope of the client that asked", async () => {
    const token = await gateway.token({ sub: "mallory", groups: [] });
    const ask = async (path: string, headers: Record<string, string> = {}) =>
      (await gateway.call(path, { token, headers })).json;
    expect(await ask("/v1/models")).toMatchObject({
      error: { message: expect.stringContaining("is needed"), type: expect.any(String) },
    });
    expect(await ask("/v1/models/claude")).toMatchObject({ error: { message: expect.any(String) } });
    expect(await ask("/v1/models", { "anthropic-version": "2026-10-21" })).toMatchObject({
      type: "error",
      error: { type: "permission_error" },
    });
    expect(await ask("/inference-profiles")).toMatchObject({ message: expect.stringContaining("is needed") });
    expect(await ask("/user/info")).toMatchObject({
      error: "forbidden",
      message: expect.any(String),
      request_id: expect.any(String),
    });
  });

  test("the resource describes itself", async () => {
    const { json } = await gateway.call("/.well-known/oauth-protected-resource");
    expect(json).toMatchObject({ authorization_servers: [gateway.issuer.issuer], scopes_supported: ["llm-gateway"] });
    // As it is called where it is started, not as the address it is bound to.
    expect(json.resource).toBe(`http://localhost:${gateway.gateway.port}`);
  });

  test.each(["/system/health", "/system/ready", "/health/liveliness", "/health/readiness", "/"])(
    "%s needs nobody",
    async (path) => {
      const answer = await gateway.call(path);
      expect([200, 204]).toContain(answer.status);
    },
  );

  test("own events are one's own; an administrator sees everyone's", async () => {
    await gateway.chat(await gateway.token({ sub: "bob" }));
    const own = await gateway.call("/audit/events", { token: await gateway.token() });
    expect(new Set(own.json.events.map((row: { subject: string }) => row.subject))).toEqual(new Set(["alice"]));
    const all = await gateway.call("/audit/events", {
      token: await gateway.token({ sub: "carol", groups: ["admins"] }),
    });
    expect(all.json.events.map((row: { subject: string }) => row.subject)).toEqual(
      expect.arrayContaining(["alice", "bob", "mallory"]),
    );
  });

  test("what was wrong with a request stands in its row by name, and is no fault of ours", async () => {
    const token = await gateway.token({ sub: "carol", groups: ["admins"] });
    const asked: readonly [string, string, CallInit][] = [
      ["nowhere", "not_found", {}],
      ["policy/explain", "invalid_request", { body: {} }],
      ["audit/events?limit=0", "invalid_request", {}],
      ["key/generate", "invalid_request", { body: { models: "x" } }],
    ];
    for (const [path, code, init] of asked) {
      const id = `named-${path.replace(/\W/g, "-")}`;
      await gateway.call(`/${path}`, { token, headers: { "x-request-id": id }, ...init });
      const { json } = await gateway.call(`/audit/events?request_id=${id}`, { token });
      expect([path, json.events[0]?.error_code]).toEqual([path, code]);
    }
  });

  test("no token stands in any log line", async () => {
    const token = await gateway.token();
    await gateway.chat(token);
    expect(gateway.logs.text()).not.toContain(token);
    expect(gateway.logs.text()).not.toContain(token.split(".")[2]);
  });
});
