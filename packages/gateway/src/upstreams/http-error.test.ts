import { expect, test } from "vitest";
import { anthropicError } from "../dialects/anthropic/error.ts";
import { bedrockDialectError } from "../dialects/bedrock/error.ts";
import { openaiError } from "../dialects/openai-chat/error.ts";
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

const refused = (code: unknown, message = "No.") => {
  const body = JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code } });
  return httpError(400, {}, Buffer.from(body));
};

test.each(["content_filter", "content_policy_violation"])(
  "content that is not answered has a code of its own: %s",
  (code) => {
    const message = "The response was filtered due to the prompt triggering a content management policy.";
    for (const error of [
      refused(code, message),
      eventError(JSON.stringify({ error: { message, code, status: 400 } })),
    ]) {
      expect(error).toMatchObject({ code: "content_filtered", status: 400, message, shouldRetry: false });
      const openai = { code: "content_filter", type: "invalid_request_error", message };
      expect(JSON.parse(openaiError(error, "r").body).error).toMatchObject(openai);
      expect(JSON.parse(anthropicError(error, "r").body).error).toEqual({ type: "invalid_request_error", message });
      expect(bedrockDialectError(error, "r").headers["x-amzn-errortype"]).toBe("ValidationException");
    }
  },
);

test.each(["invalid_image_format", "unsupported_value", "string_above_max_length", "invalid_base64_image"])(
  "OpenAI's clients are told the provider's own code: %s",
  (code) => {
    expect(refused(code).code).toBe("upstream_invalid_request");
    expect(JSON.parse(openaiError(refused(code), "r").body).error.code).toBe(code);
  },
);

test.each([
  ["a number", 400],
  ["one word, as a key may be", "sk0canary0canary"],
  ["a key", "sk-canary-canary"],
  ["a key with words in it", "sk_live_CANARYcanary"],
  ["digits", "0123456789abcdef0123456789abcdef"],
  ["without an end", "a_very".repeat(20)],
  ["with a line break", "invalid_image\nformat"],
  ["about the gateway's own key", "invalid_api_key"],
  ["about the gateway's own model", "model_not_found"],
])("a code that is %s stays here", (_, code) => {
  expect(JSON.parse(openaiError(refused(code), "r").body).error.code).toBe("upstream_invalid_request");
});

test("nor does one hide that a conversation is too long", () => {
  const error = refused("string_above_max_length", "This model's maximum context length is 8192 tokens.");
  expect(JSON.parse(openaiError(error, "r").body).error.code).toBe("context_length_exceeded");
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
