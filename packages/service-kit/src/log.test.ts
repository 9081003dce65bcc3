import { pino } from "pino";
import { describe, expect, test, vi } from "vitest";
import { createLogger, gather, hideAlso, plainLines } from "./log.ts";
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

  test("hides what came later, told by its log or a child of it", () => {
    const { log, logs } = logger({ secrets: ["first-canary"] });
    hideAlso(log, ["second-canary"]);
    hideAlso(log.child({ part: "a" }), ["third-canary"]);
    log.info({ all: "first-canary second-canary third-canary" }, "x");
    log.child({ part: "b" }).info({ all: "first-canary second-canary third-canary" }, "x");
    expect(logs.lines()).toHaveLength(2);
    expect(logs.text()).not.toContain("canary");
  });

  test("is its maker's where that is another: there is nothing to tell it of secrets that come later", () => {
    const logs = captureLogs();
    const log = pino({}, logs.destination);
    hideAlso(log, ["canary"]);
    log.info("said");
    expect(logs.lines()).toMatchObject([{ msg: "said" }]);
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

describe("a line of plain values", () => {
  const secrets = ["client-canary-value"];

  test("reads as pino writes it, and is masked alike", () => {
    const fields = {
      route: 'GET /"a"\n',
      ms: 1.5,
      stream: false,
      none: undefined,
      nothing: null,
      token: "canary",
      note: `Bearer ${jwt} client-canary-value`,
    };
    const [pinos, plain] = [logger({ secrets }), logger({ secrets })];
    pinos.log.info(fields, "request");
    const { route, ms, ...others } = fields;
    plainLines(plain.log)("info", [{}, { route, ms }, { none: undefined }, others], "request");
    const [written] = plain.logs.lines();
    expect(written).toEqual({ ...pinos.logs.lines()[0], time: written?.time });
    expect(plain.logs.text()).not.toContain("canary");
  });

  test("is bounded, and silent below the level", () => {
    const { log, logs } = logger();
    plainLines(log)("debug", [{ a: 1 }], "request");
    plainLines(log)("error", [{ a: "x".repeat(100_000) }], "request");
    expect(logs.lines()).toMatchObject([{ level: "error", msg: expect.stringContaining("was left out") }]);
    plainLines(log)("error", [{ model: `Bearer ${jwt}${"x".repeat(100_000)}` }], "request");
    expect(logs.text()).not.toContain("canary");
  });

  test("with a value that JSON has no words for is written all the same", () => {
    const { log, logs } = logger();
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    plainLines(log)("info", [{ b: 2 }, { big: 10n, circle, a: 1 }], "request");
    expect(logs.lines()).toMatchObject([{ level: "info", a: 1, b: 2, msg: "request" }]);
  });

  test("of a child logger has the child's fields", () => {
    const { log, logs } = logger();
    plainLines(log.child({ part: "b" }))("info", [{ a: 1 }, { b: 2 }], "request");
    expect(logs.lines()).toMatchObject([{ service: "gateway", part: "b", a: 1, b: 2, msg: "request" }]);
  });
});

describe("gathered lines", () => {
  const open = () => {
    const written: string[] = [];
    return { written, stream: gather({ write: (text: string) => void written.push(text) }) };
  };

  test("leave in one write, when there are enough of them, in time, or when asked", () => {
    vi.useFakeTimers();
    try {
      const { written, stream } = open();
      stream.write("a\n");
      stream.write("b\n");
      expect(written).toEqual([]);
      vi.advanceTimersByTime(200);
      expect(written).toEqual(["a\nb\n"]);
      const line = `${"x".repeat(99)}\n`;
      for (let count = 0; count < 123; count += 1) stream.write(line);
      expect(written).toEqual(["a\nb\n", line.repeat(123)]);
      stream.write("last\n");
      stream.flushSync();
      stream.flushSync();
      vi.advanceTimersByTime(1_000);
      expect(written.slice(2)).toEqual(["last\n"]);
    } finally {
      vi.useRealTimers();
    }
  });
});
