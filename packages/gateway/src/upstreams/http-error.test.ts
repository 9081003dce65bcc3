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
