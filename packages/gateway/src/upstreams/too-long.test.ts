import { describe, expect, it } from "vitest";
import { anthropicErrorBody } from "../dialects/anthropic/error.ts";
import { openaiErrorBody } from "../dialects/openai-chat/error.ts";
import { bedrockError } from "./bedrock/error.ts";
import { httpError } from "./http-error.ts";

const bedrock = (message: string) =>
  bedrockError(400, { "x-amzn-errortype": "ValidationException" }, Buffer.from(JSON.stringify({ message })));
const openai = (error: object) => httpError(400, {}, Buffer.from(JSON.stringify({ error })));

describe("what is too long for a model", () => {
  it.each([
    bedrock("Input is too long for requested model."),
    bedrock("The model returned the following errors: prompt is too long: 215000 tokens > 200000 maximum"),
    bedrock("input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000"),
    openai({ message: "This model's maximum context length is 8192 tokens.", type: "invalid_request_error" }),
    // Ollama
    openai({ message: "the input length exceeds the context length", type: "api_error", param: null, code: null }),
    openai({ message: "Too long.", code: "context_length_exceeded" }),
  ])("is told by OpenAI's code for it, and in the provider's words", (error) => {
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", shouldRetry: false });
    expect(JSON.parse(openaiErrorBody(error)).error).toMatchObject({
      code: "context_length_exceeded",
      type: "invalid_request_error",
      message: error.message,
    });
    expect(JSON.parse(anthropicErrorBody(error)).error).toEqual({
      type: "invalid_request_error",
      message: error.message,
    });
  });

  it.each([bedrock("temperature: too large"), openai({ message: "The tool is too long to name." })])(
    "is not what is wrong for another reason",
    (error) => {
      expect(error.code).toBe("upstream_invalid_request");
    },
  );
});
