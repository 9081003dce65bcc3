import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuthEvent } from "../events.ts";
import { testClock } from "../fixtures/clock.ts";
import { refusal, refusalCode } from "../fixtures/refusal.ts";
import { createTestIssuer, type TestAnswer, type TestIssuer } from "../testing.ts";
import { createExchange, type ExchangeOptions } from "./create.ts";
import type { Subject } from "./exchange.ts";

let issuer: TestIssuer;
let events: AuthEvent[];
beforeEach(async () => {
  issuer = await createTestIssuer();
  events = [];
});
afterEach(() => issuer.close());

const subject = async (claims: Record<string, unknown> = {}): Promise<Subject> => ({
  token: await issuer.mint(claims),
  identity: { issuer: issuer.issuer, subject: "alice", expiresAt: Date.now() / 1000 + 600 },
});

const exchanger = (options: Partial<ExchangeOptions> = {}) =>
  createExchange({
    profile: "okta",
    issuer: { discoveryUrl: issuer.discoveryUrl },
    clientId: "voicebox",
    clientAuth: { method: "client_secret_basic", secret: "voicebox-secret" },
    audience: "llm-gateway",
    scopes: ["llm-gateway"],
    onEvent: (event) => events.push(event),
    ...options,
  });

const accessToken = "urn:ietf:params:oauth:token-type:access_token";
const answer = (more: Record<string, unknown> = {}): TestAnswer => ({
  status: 200,
  body: { access_token: "opaque", token_type: "Bearer", expires_in: 3600, issued_token_type: accessToken, ...more },
});
const failing = (status: number, body: unknown = {}, headers: Record<string, string> = {}) =>
  issuer.answer("token", () => ({ status, body, headers }));

describe("a good exchange", () => {
  test("gives the token with whom it is for, and asks as the profile says", async () => {
    const before = Date.now() / 1000;
    const { token, identity } = await subject();
    const scoped = await exchanger()({ token, identity });
    expect(scoped).toMatchObject({
      tokenType: "Bearer",
      audience: "llm-gateway",
      scopes: ["llm-gateway"],
      issuer: issuer.issuer,
      clientId: "voicebox",
      source: "fresh",
    });
    // The issued JWT ends before the answer's expires_in does.
    expect(scoped.expiresAt).toBeGreaterThan(before + 590);
    expect(scoped.expiresAt).toBeLessThan(before + 620);
    const { form, headers } = issuer.requests.find(({ endpoint }) => endpoint === "token") ?? {};
    expect(Object.fromEntries(form ?? [])).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
      subject_token: token,
      subject_token_type: accessToken,
      audience: "llm-gateway",
      scope: "llm-gateway",
    });
    expect(headers?.authorization).toBe(`Basic ${btoa("voicebox:voicebox%2Dsecret")}`);
  });

  test("an ID token and a refresh token that come along are dropped unread", async () => {
    issuer.answer("token", () => answer({ id_token: "not-even-a-jwt", refresh_token: "r" }));
    const scoped = await exchanger()(await subject());
    expect(JSON.stringify(scoped)).not.toMatch(/not-even-a-jwt|"r"/);
  });

  test("an absent scope means as asked", async () => {
    issuer.answer("token", () => answer());
    expect((await exchanger()(await subject())).scopes).toEqual(["llm-gateway"]);
  });

  test("the document is loaded once, whoever asks", async () => {
    const exchange = exchanger();
    const caller = await subject();
    await Promise.all(Array.from({ length: 20 }, () => exchange(caller)));
    expect(issuer.hits("discovery")).toBe(1);
    expect(issuer.hits("token")).toBe(20);
  });
});

describe("whose fault it is", () => {
  test.each([
    ["invalid_grant", 400, "subject_rejected"],
    ["invalid_token", 401, "subject_rejected"],
    ["interaction_required", 400, "step_up_required"],
    ["insufficient_user_authentication", 401, "step_up_required"],
    ["invalid_client", 401, "exchange_refused"],
    ["unauthorized_client", 400, "exchange_refused"],
    ["invalid_scope", 400, "exchange_refused"],
    ["invalid_target", 400, "exchange_refused"],
    ["invalid_request", 400, "exchange_refused"],
    ["unsupported_grant_type", 400, "exchange_refused"],
    ["access_denied", 403, "exchange_refused"],
    ["something_new", 400, "exchange_refused"],
    ["temporarily_unavailable", 400, "exchange_unavailable"],
  ])("%s: %s, and exactly 1 call", async (error, status, code) => {
    const said = "secret words of the server, about alice@example.com";
    failing(status, { error, error_description: said }, { "www-authenticate": 'Basic realm="as"' });
    const refused = await refusal(exchanger()(await subject()));
    expect(refused.code).toBe(code);
    expect(refused.message).not.toContain("secret words");
    expect(issuer.hits("token")).toBe(1);
  });

  test("Entra's step-up carries its claims challenge", async () => {
    const claims = '{"access_token":{"capolids":{"essential":true,"values":["x"]}}}';
    failing(400, { error: "interaction_required", suberror: "basic_action", error_codes: [50076], claims });
    expect(await refusal(exchanger()(await subject()))).toMatchObject({ code: "step_up_required", claims });
  });

  test.each([500, 502, 503, 504, 429])("%i: unavailable, with when to come back", async (status) => {
    failing(status, "<html>busy</html>", { "retry-after": "7" });
    const error = await refusal(exchanger({ retries: 0 })(await subject()));
    expect(error).toMatchObject({ code: "exchange_unavailable", retryAfterSeconds: 7 });
  });

  test.each([
    ["86400", 300],
    ["0", 1],
  ])("a Retry-After of %s is told as %i: within reason", async (asked, told) => {
    failing(503, "", { "retry-after": asked });
    expect(await refusal(exchanger({ retries: 0 })(await subject()))).toMatchObject({ retryAfterSeconds: told });
  });

  test("nobody listens, or the connection breaks", async () => {
    const exchange = exchanger({ issuer: { issuer: issuer.issuer, tokenEndpoint: "http://127.0.0.1:1/token" } });
    expect(await refusalCode(exchange(await subject()))).toBe("exchange_unavailable");
    issuer.answer("token", () => "drop");
    expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_unavailable");
  });

  test("discovery down, then up again", async () => {
    const exchange = exchanger();
    issuer.answer("discovery", () => ({ status: 500 }));
    expect(await refusalCode(exchange(await subject()))).toBe("exchange_unavailable");
    issuer.answer("discovery", undefined);
    expect((await exchange(await subject())).source).toBe("fresh");
  });

  test("a document that speaks for another issuer, or sends us elsewhere", async () => {
    for (const change of [
      { issuer: "https://other.example" },
      { issuer: 1 },
      { token_endpoint: "http://evil.example/token" },
      { token_endpoint: undefined },
    ]) {
      const body = { issuer: issuer.issuer, token_endpoint: issuer.tokenEndpoint, ...change };
      issuer.answer("discovery", () => ({ status: 200, body }));
      expect(await refusalCode(exchanger()(await subject()))).toBe("issuer_misconfigured");
    }
    expect(issuer.hits("token")).toBe(0);
  });

  test("a document that stands elsewhere than below its issuer speaks for nobody, unless it is named", async () => {
    const elsewhere = "https://as.example/tenants/other/.well-known/openid-configuration";
    const body = { issuer: "https://as.example/tenants/ours", token_endpoint: "https://as.example/token" };
    const asked: string[] = [];
    const fetch: typeof globalThis.fetch = async (url) => {
      asked.push(String(url));
      return url === elsewhere ? Response.json(body) : Response.json({ error: "invalid_grant" }, { status: 400 });
    };
    const ask = async (issuer?: string) =>
      refusalCode(exchanger({ issuer: { discoveryUrl: elsewhere, issuer }, fetch: fetch as never })(await subject()));
    expect(await ask()).toBe("issuer_misconfigured");
    expect(await ask("https://as.example/tenants/other")).toBe("issuer_misconfigured");
    expect(asked).toEqual([elsewhere, elsewhere]);
    expect(await ask(body.issuer)).toBe("subject_rejected");
  });

  test("never the subject's token in place of an exchanged one, nor in an error", async () => {
    failing(400, { error: "invalid_grant" });
    const caller = await subject();
    const error = await refusal(exchanger()(caller));
    const { cause } = error as { cause?: Error };
    expect([error.message, error.stack, cause?.message, cause?.stack].join(" ")).not.toContain(
      caller.token.slice(0, 30),
    );
  });
});

describe("an answer that cannot be used", () => {
  test.each([
    ["issued type missing", { issued_token_type: undefined }],
    ["a refresh token", { issued_token_type: "urn:ietf:params:oauth:token-type:refresh_token" }],
    ["an ID token", { issued_token_type: "urn:ietf:params:oauth:token-type:id_token" }],
    ["an issued type of another kind", { issued_token_type: [accessToken] }],
    ["N_A", { token_type: "N_A" }],
    ["MAC", { token_type: "MAC" }],
    ["no token type", { token_type: undefined }],
    ["no token", { access_token: undefined }],
    ["an empty token", { access_token: "" }],
    ["a token of another type", { access_token: { token: "x" } }],
    ["a token that no header can carry", { access_token: "x\r\nx-injected: 1" }],
    ["a token of 100 KB", { access_token: "x".repeat(100_000) }],
    ["a negative lifetime", { expires_in: -1 }],
    ["a lifetime that is no number", { expires_in: "soon" }],
    ["a scope of another type", { scope: ["llm-gateway"] }],
    ["a wider scope", { scope: "llm-gateway admin" }],
  ])("%s", async (_name, change) => {
    issuer.answer("token", () => answer(change));
    expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_answer_invalid");
    expect(issuer.hits("token")).toBe(1);
  });

  test.each([
    ["another user's token", { sub: "mallory" }],
    ["a token without a user", { sub: undefined }],
    ["another audience", { aud: "somewhere" }],
    ["no audience", { aud: undefined }],
    ["a wider scope inside", { scp: ["llm-gateway", "admin"] }],
  ])("a JWT of the issuer itself: %s", async (_name, change) => {
    const token = await issuer.mint({ aud: "llm-gateway", scp: ["llm-gateway"], ...change });
    issuer.answer("token", () => answer({ access_token: token }));
    expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_answer_invalid");
  });

  test("a JWT of the issuer itself: for one of two audiences that were asked for", async () => {
    const both = exchanger({ audience: ["llm-gateway", "search"] });
    const issued = async (aud: string | readonly string[]) => {
      const token = await issuer.mint({ aud, scp: ["llm-gateway"] });
      issuer.answer("token", () => answer({ access_token: token }));
    };
    await issued("llm-gateway");
    expect(await refusalCode(both(await subject()))).toBe("exchange_answer_invalid");
    await issued(["llm-gateway", "search"]);
    expect((await both(await subject())).source).toBe("fresh");
  });

  test("20 MB, an endless body, no JSON, no object, a redirect", async () => {
    issuer.answer("token", () => answer({ filler: "x".repeat(20_000_000) }));
    expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_answer_invalid");
    for (const body of ["", "null", "[]", "{", '"token"']) {
      failing(200, body);
      expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_answer_invalid");
    }
    for (const status of [201, 204, 302, 307]) {
      failing(status, "", { location: "http://127.0.0.1:1/" });
      expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_answer_invalid");
    }
  });

  test("an end that nobody knows stays unknown; of two, the earlier counts", async () => {
    const now = Math.floor(Date.now() / 1000);
    issuer.answer("token", () => answer({ expires_in: undefined }));
    expect((await exchanger()(await subject())).expiresAt).toBeUndefined();
    issuer.answer("token", () => answer({ expires_in: 1e12 }));
    expect((await exchanger()(await subject())).expiresAt).toBeGreaterThan(now + 1e11);
    const token = await issuer.mint({ aud: "llm-gateway", scp: ["llm-gateway"], exp: now + 100 });
    for (const [expires_in, end] of [
      [undefined, now + 100],
      [1e12, now + 100],
      [0, now],
    ] as const) {
      issuer.answer("token", () => answer({ access_token: token, expires_in }));
      expect((await exchanger()(await subject())).expiresAt).toBeCloseTo(end, -1);
    }
  });
});

describe("patience", () => {
  const answers = (...list: TestAnswer[]) => issuer.answer("token", () => list.shift() ?? answer());

  test("503, 503, 200", async () => {
    answers({ status: 503 }, { status: 503 });
    expect((await exchanger()(await subject())).source).toBe("fresh");
    expect(issuer.hits("token")).toBe(3);
    expect(events.filter(({ type }) => type === "exchange_retried")).toHaveLength(2);
  });

  test("429 with a short pause is waited out; a long one is handed up", async () => {
    answers({ status: 429, headers: { "retry-after": "1" } });
    expect((await exchanger()(await subject())).source).toBe("fresh");
    answers({ status: 429, headers: { "retry-after": "30" } });
    expect(await refusal(exchanger()(await subject()))).toMatchObject({
      code: "exchange_unavailable",
      retryAfterSeconds: 30,
    });
    expect(issuer.hits("token")).toBe(3);
  });

  test("a server that stays busy is asked three times", async () => {
    failing(500);
    expect(await refusalCode(exchanger()(await subject()))).toBe("exchange_unavailable");
    expect(issuer.hits("token")).toBe(3);
  });

  test("a server that hangs is left when the time is up, discovery included", async () => {
    issuer.answer("token", () => "hang");
    expect(await refusalCode(exchanger({ timeoutMs: 300 })(await subject()))).toBe("exchange_unavailable");
    issuer.answer("discovery", () => "hang");
    expect(await refusalCode(exchanger({ timeoutMs: 300 })(await subject()))).toBe("exchange_unavailable");
  });

  test("unless said otherwise, its time is 5 seconds", async () => {
    const fiveSeconds = new AbortController();
    const never = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout");
    timeout.mockImplementation((ms) => (ms <= 5000 ? fiveSeconds : never).signal);
    issuer.answer("token", () => "hang");
    const work = refusalCode(exchanger()(await subject()));
    await expect.poll(() => issuer.hits("token")).toBe(1);
    fiveSeconds.abort(new DOMException("time is up", "TimeoutError"));
    expect(await work).toBe("exchange_unavailable");
    timeout.mockRestore();
  });

  test("a caller that gives up is told so, and ends the request", async () => {
    issuer.answer("token", () => "hang");
    const controller = new AbortController();
    const work = exchanger()(await subject(), { signal: controller.signal });
    controller.abort(new Error("the client left"));
    await expect(work).rejects.toThrow("the client left");
    await expect(exchanger()(await subject(), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  test("after five failures in a row the server is left alone, and then asked again", async () => {
    const clock = testClock();
    failing(503);
    const exchange = exchanger({ retries: 0, steadyNow: clock.steadyNow });
    const caller = await subject();
    for (let index = 0; index < 5; index += 1) await refusal(exchange(caller));
    expect(await refusal(exchange(caller))).toMatchObject({ code: "exchange_unavailable", retryAfterSeconds: 3 });
    expect(issuer.hits("token")).toBe(5);
    expect(events.at(-1)).toMatchObject({ type: "breaker_changed", state: "open" });
    issuer.answer("token", undefined);
    clock.advance(3);
    expect((await exchange(caller)).source).toBe("fresh");
    expect(events.at(-1)).toMatchObject({ type: "breaker_changed", state: "closed" });
  });

  test("callers who leave do not open the breaker", async () => {
    issuer.answer("token", () => "hang");
    const exchange = exchanger();
    const caller = await subject();
    for (let index = 0; index < 8; index += 1) {
      const controller = new AbortController();
      const work = exchange(caller, { signal: controller.signal });
      await expect.poll(() => issuer.hits("token")).toBe(index + 1);
      controller.abort(new Error("gone"));
      await expect(work).rejects.toThrow("gone");
    }
    issuer.answer("token", undefined);
    expect((await exchange(caller)).source).toBe("fresh");
  });

  test("refusals do not open the breaker: they are answers", async () => {
    failing(400, { error: "invalid_grant" });
    const exchange = exchanger();
    const caller = await subject();
    for (let index = 0; index < 8; index += 1) expect(await refusalCode(exchange(caller))).toBe("subject_rejected");
    expect(issuer.hits("token")).toBe(8);
  });
});

describe("options that are wrong are refused at construction", () => {
  test.each([
    [{ profile: "saml" as never }, /profile must be one of okta/],
    [{ clientId: "" }, /clientId/],
    [{ audience: undefined }, /Profile okta needs `audience`/],
    [{ scopes: [] }, /Profile okta needs `scopes`/],
    [{ resource: "https://gateway" }, /Profile okta has no `resource`/],
    [{ profile: "entra" as const }, /Profile entra has no `audience`/],
    [{ profile: "id_jag" as const }, /Profile id_jag needs `target`/],
    [{ clientAuth: { method: "client_secret_post" as const, secret: "" } }, /non-empty secret/],
    [{ clientAuth: { method: "none" } as never }, /clientAuth.method/],
    [
      { clientAuth: { method: "private_key_jwt" as const, keyFile: "/nowhere/key.pem" } },
      /no key file at \/nowhere\/key.pem/,
    ],
    [{ issuer: { discoveryUrl: "http://as.example/.well-known/openid-configuration" } }, /https URL/],
    [{ issuer: { issuer: "x", tokenEndpoint: "http://as.example/token" } }, /https URL/],
  ])("%#", (options, message) => {
    expect(() => exchanger(options as Partial<ExchangeOptions>)).toThrow(TypeError);
    expect(() => exchanger(options as Partial<ExchangeOptions>)).toThrow(message);
  });
});
