import { ConfigError } from "@onbehalf/service-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { masterKey, startTestGateway, type TestGateway } from "../testing/gateway.ts";

const page = "https://chat.example.com";
const asking = {
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization,content-type,x-stainless-lang",
};
const chat = "/v1/chat/completions";
const body = { model: "claude", messages: [{ role: "user", content: "Who is Bob?" }] };

/** What a browser reads of an answer before it shows anything of it to a page. */
function allowance({ headers }: { readonly headers: Headers }) {
  return { origin: headers.get("access-control-allow-origin"), vary: headers.get("vary") };
}

const opened: TestGateway[] = [];
const startWith = async (origins?: string): Promise<TestGateway> => {
  const gateway = await startTestGateway(origins === undefined ? {} : { env: { LITELLM_CORS_ORIGINS: origins } });
  opened.push(gateway);
  return gateway;
};
afterAll(async () => {
  for (const gateway of opened) await gateway.close();
});

describe("pages of other origins", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startWith(`http://localhost:5173, ${page}`);
  });

  test("of an allowed origin are told before they send what they may, on every route", async () => {
    for (const path of [chat, "/v1/models", "/model/nova/converse", "/key/info", "/spend/logs", "/nowhere"]) {
      const answer = await gateway.call(path, { method: "OPTIONS", headers: { origin: page, ...asking } });
      expect([path, answer.status, answer.text, allowance(answer)]).toEqual([
        path,
        204,
        "",
        { origin: page, vary: "origin" },
      ]);
      expect(answer.headers.get("access-control-allow-headers")).toBe(asking["access-control-request-headers"]);
      expect(answer.headers.get("access-control-allow-methods")).toBe("GET, HEAD, POST");
      expect(answer.headers.get("access-control-max-age")).toBe("7200");
      expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
    }
  });

  test("may read answers and refusals, from a model and from administration", async () => {
    const headers = { origin: page };
    const token = await gateway.token({ groups: ["users"] });
    const answers = {
      whole: await gateway.call(chat, { token, body, headers }),
      unknown: await gateway.call(chat, { body, headers }),
      refused: await gateway.call(chat, { token, body: { ...body, model: "nova" }, headers }),
      broken: await gateway.call(chat, { token, body: "{", headers }),
      models: await gateway.call("/v1/models", { token, headers }),
      administration: await gateway.call("/key/list", { token, headers }),
      metadata: await gateway.call("/.well-known/oauth-protected-resource", { headers }),
    };
    const seen = Object.entries(answers).map(([name, answer]) => [name, answer.status, allowance(answer).origin]);
    expect(seen).toEqual([
      ["whole", 200, page],
      ["unknown", 401, page],
      ["refused", 403, page],
      ["broken", 400, page],
      ["models", 200, page],
      ["administration", 403, page],
      ["metadata", 200, page],
    ]);
    expect(answers.whole.headers.get("access-control-expose-headers")).toBe("*");
  });

  test.each([
    "https://evil.example",
    "http://chat.example.com",
    "https://chat.example.com:8443",
    "https://chat.example.com.evil.example",
    "https://CHAT.example.com",
    "null",
  ])("of %s are told nothing", async (origin) => {
    const before = await gateway.call(chat, { method: "OPTIONS", headers: { origin, ...asking } });
    expect([before.status, allowance(before)]).toEqual([404, { origin: null, vary: "origin" }]);
    expect(before.headers.has("access-control-allow-headers")).toBe(false);
    const answer = await gateway.call(chat, {
      token: await gateway.token({ groups: ["users"] }),
      body,
      headers: { origin },
    });
    expect(allowance(answer)).toEqual({ origin: null, vary: "origin" });
  });

  test("have no row for asking beforehand, and the line in the log", async () => {
    const headers = { origin: page, ...asking, "x-request-id": "asked-before" };
    await gateway.call(chat, { method: "OPTIONS", headers });
    await expect.poll(() => gateway.logs.requests().map(({ request_id: id }) => id)).toContain("asked-before");
    const { json } = await gateway.call("/audit/events?limit=100", {
      headers: { authorization: `Bearer ${masterKey}` },
    });
    expect(json.events.length).toBeGreaterThan(0);
    expect(json.events.map((event: { request_id: string }) => event.request_id)).not.toContain("asked-before");
  });
});

describe("how they are allowed", () => {
  test("nobody is, where nothing is said", async () => {
    const gateway = await startWith();
    const before = await gateway.call(chat, { method: "OPTIONS", headers: { origin: page, ...asking } });
    expect([before.status, allowance(before)]).toEqual([404, { origin: null, vary: null }]);
    const answer = await gateway.call("/v1/models", { token: await gateway.token(), headers: { origin: page } });
    expect([answer.status, allowance(answer)]).toEqual([200, { origin: null, vary: null }]);
  });

  test("everybody is, by a star, which is the same answer for all", async () => {
    const gateway = await startWith("*");
    const answer = await gateway.call("/v1/models", { token: await gateway.token(), headers: { origin: page } });
    expect([answer.status, allowance(answer)]).toEqual([200, { origin: "*", vary: null }]);
    expect(answer.headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("a program that names no origin is told nothing of it, also by a star", async () => {
    const gateway = await startWith("*");
    const answer = await gateway.call("/v1/models", { token: await gateway.token() });
    expect([answer.status, allowance(answer)]).toEqual([200, { origin: null, vary: null }]);
    const before = await gateway.call(chat, { method: "OPTIONS", headers: asking });
    expect([before.status, before.headers.has("access-control-allow-headers")]).toEqual([404, false]);
  });

  test("header names that are none are not given back", async () => {
    const gateway = await startWith("*");
    const headers = { origin: page, ...asking, "access-control-request-headers": "authorization, <script>" };
    const before = await gateway.call(chat, { method: "OPTIONS", headers });
    expect([before.status, before.headers.has("access-control-allow-headers")]).toEqual([204, false]);
  });

  test.each([
    "https://chat.example.com/",
    "https://chat.example.com/page",
    "chat.example.com",
    "https://*.example.com",
    "null",
  ])("%s is no origin, and the start says so", async (origin) => {
    const started = startWith(origin);
    await expect(started).rejects.toThrow(ConfigError);
    await expect(started).rejects.toThrow(/LITELLM_CORS_ORIGINS.*https:\/\/chat\.example\.com/s);
  });
});
