import { describe, expect, test } from "vitest";
import { createLogger } from "./log.ts";
import { captureLogs } from "./testing/logs.ts";

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary";

function logger(options: { level?: string; secrets?: string[] } = {}) {
  const logs = captureLogs();
  return { logs, log: createLogger({ service: "gateway", destination: logs.destination, ...options }) };
}

describe("a log line", () => {
  test("is JSON with level, time and service", () => {
    const { log, logs } = logger();
    log.info({ model: "m" }, "said");
    expect(logs.lines()).toEqual([
      { level: "info", time: expect.stringMatching(/^\d{4}-.*Z$/), service: "gateway", model: "m", msg: "said" },
    ]);
  });

  test("shows no secret, wherever it was handed in", () => {
    const { log, logs } = logger({ secrets: ["client-canary-value"] });
    const cause = new Error(`POST /token?client_secret=canary answered ${jwt}`);
    const circular: Record<string, unknown> = {
      token: "canary",
      deep: { deeper: { deepest: { cookie: "a=canary" } } },
    };
    circular.self = circular;
    log.error({ err: new Error("Authorization: Bearer canary-opaque-1", { cause }) }, `msg sk-canary-1 ${jwt}`);
    log.error(new Error(`thrown with ${jwt}`, { cause }));
    log.info({ error: Object.assign(new Error("x"), { request: { headers: { authorization: "canary" } } }) }, "x");
    log.warn({ url: "http://u:canary@h/?access_token=canary", headers: { "Set-Cookie": ["a=canary"] }, circular }, "x");
    log.info({ list: [{ "x-api-key": "canary" }, `Cookie: id=canary`], note: "client-canary-value" }, "x");
    log.child({ apiKey: "canary" }).info({}, "child sk-canary-2");
    expect(logs.lines()).toHaveLength(6);
    expect(logs.text()).not.toContain("canary");
    expect(logs.text()).not.toContain("Y2FuYXJ5");
  });

  test("keeps what an error says and where it came from, with its causes", () => {
    const { log, logs } = logger();
    const cause = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    log.error({ err: new TypeError("keys out of reach", { cause }) }, "failed");
    expect(logs.lines()[0]?.err).toEqual({
      type: "TypeError",
      message: "keys out of reach",
      stack: expect.stringMatching(/keys out of reach\n.*log\.test\.ts[\s\S]*caused by: Error: connect ECONNREFUSED/),
    });
  });

  test("that would be enormous is left out, and says so", () => {
    const { log, logs } = logger();
    log.info({ body: "x".repeat(100_000) }, "big");
    expect(logs.lines()).toEqual([
      expect.objectContaining({
        level: "info",
        msg: expect.stringMatching(/^a line of 100\d{3} characters was left out$/),
      }),
    ]);
  });

  test("below the level is not written", () => {
    const { log, logs } = logger({ level: "warn" });
    log.info({}, "no");
    expect(logs.text()).toBe("");
  });
});
