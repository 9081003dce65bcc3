import { expect, test } from "vitest";
import { eventError, httpError } from "./http-error.ts";

test.each(["Bearer canary0without0form0", "sk-canary-canary", "ABSKcanarycanarycanary"])(
  "an upstream that repeats the key it was asked with (%s) is not repeated",
  (key) => {
    const body = JSON.stringify({ error: { type: "invalid_request_error", message: `no ${key} here`, param: key } });
    for (const error of [httpError(400, {}, Buffer.from(body)), eventError(body)]) {
      expect(error.code).toBe("upstream_invalid_request");
      expect(error.message).toMatch(/^no .*\[masked\] here$/);
      expect(JSON.stringify([error.message, error.param, String(error.cause)])).not.toContain("canary");
    }
  },
);

test("what it says otherwise is said as it is", () => {
  const message = "max_tokens: 200001 > 64000, which is the maximum for us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const body = JSON.stringify({ error: { message, param: "max_tokens" } });
  expect(httpError(400, {}, Buffer.from(body))).toMatchObject({ message, param: "max_tokens" });
});

test.each(["invalid JSON schema in format", 'invalid format: "true"; expected "json" or a valid JSON Schema object'])(
  "Ollama's 500 for what is wrong in the request is not its own failure: %s",
  (message) => {
    const body = JSON.stringify({ error: { message, type: "api_error", param: null, code: null } });
    expect(httpError(500, {}, Buffer.from(body))).toMatchObject({
      status: 400,
      code: "upstream_invalid_request",
      message,
    });
  },
);

test("Ollama's 500 for anything else stays one", () => {
  const message = "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error";
  const body = JSON.stringify({ error: { message, type: "api_error", param: null, code: null } });
  expect(httpError(500, {}, Buffer.from(body))).toMatchObject({ code: "upstream_unavailable" });
});

test("however much it says, a client and the log are told no more than helps", () => {
  const body = JSON.stringify({ error: { type: "invalid_request_error", message: "x".repeat(50_000) } });
  expect(httpError(400, {}, Buffer.from(body)).message).toHaveLength(2_000);
  const page = httpError(502, {}, Buffer.from("<p>busy".repeat(10_000)));
  expect(String(page.cause).length).toBeLessThan(250);
});

test.each([{ "retry-after": "864000" }, { "retry-after-ms": "999999999" }])(
  "a wait of %j is its mistake: an hour at most",
  (headers) => {
    expect(httpError(429, headers, Buffer.from(""))).toMatchObject({ retryAfterSeconds: 3_600 });
  },
);
