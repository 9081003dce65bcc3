import { describe, expect, it } from "vitest";
import { anthropicErrorBody } from "../dialects/anthropic/error.ts";
import { bedrockDialectError, exceptionFrame } from "../dialects/bedrock/error.ts";
import { openaiErrorBody } from "../dialects/openai-chat/error.ts";
import { bedrockError } from "./bedrock/error.ts";
import { httpError } from "./http-error.ts";

const bedrock = (message: string) =>
  bedrockError(400, { "x-amzn-errortype": "ValidationException" }, Buffer.from(JSON.stringify({ message })));
const openai = (error: object) => httpError(400, {}, Buffer.from(JSON.stringify({ error })));

const aws = [
  bedrock("Input is too long for requested model."),
  bedrock("The model returned the following errors: prompt is too long: 215000 tokens > 200000 maximum"),
  bedrock("input length and `max_tokens` exceed context limit: 199000 + 8192 > 200000"),
];
/** The first three are vLLM's: of text, of text that is far too long, and of pictures as tokens. */
const others = [
  openai({
    message:
      "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens, which exceeds this limit even without any output tokens. Please reduce the length of the input prompt. (parameter=input_tokens, value=2049)",
    type: "BadRequestError",
    param: "input_tokens",
    code: 400,
  }),
  openai({
    message:
      "This model's maximum context length is 2048 tokens. However, your prompt contains 100050 characters (more than 26624 characters, which is the upper bound for 2048 input tokens). Please reduce the length of the input prompt. (parameter=input_text, value=100050)",
    type: "BadRequestError",
    param: "input_text",
    code: 400,
  }),
  openai({
    message:
      "The decoder prompt (length 8357) is longer than the maximum model length of 8192. Make sure that `max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    type: "BadRequestError",
    param: null,
    code: 400,
  }),
  openai({ message: "The input (4000 tokens) is longer than the model's context length (2048 tokens)." }),
  openai({ message: "request (65646 tokens) exceeds the available context size (65536 tokens)" }),
  openai({ message: "This model's maximum context length is 8192 tokens.", type: "invalid_request_error" }),
  // Ollama
  openai({ message: "the input length exceeds the context length", type: "api_error", param: null, code: null }),
  openai({ message: "Too long.", code: "context_length_exceeded" }),
];

describe("what is too long for a model", () => {
  it.each([...aws, ...others])("is told by OpenAI's code for it, and in the provider's words", (error) => {
    expect(error).toMatchObject({ status: 400, code: "context_length_exceeded", shouldRetry: false });
    expect(JSON.parse(openaiErrorBody(error)).error).toMatchObject({
      code: "context_length_exceeded",
      type: "invalid_request_error",
      message: error.message,
    });
  });

  it.each(aws)("is told by AWS in words that its clients and Anthropic's know", (error) => {
    expect(JSON.parse(anthropicErrorBody(error)).error).toEqual({
      type: "invalid_request_error",
      message: error.message,
    });
    expect(JSON.parse(bedrockDialectError(error, "r").body)).toEqual({ message: error.message });
  });

  // Anthropic and AWS have no code for it: agents read for these words whether to shorten the conversation.
  it.each(others)("is told in the dialect's words, too, where the provider has its own", (error) => {
    expect(JSON.parse(anthropicErrorBody(error)).error).toEqual({
      type: "invalid_request_error",
      message: `prompt is too long: ${error.message}`,
    });
    const message = `Input is too long for requested model. ${error.message}`;
    expect(JSON.parse(bedrockDialectError(error, "r").body)).toEqual({ message });
    expect(exceptionFrame(error).toString("latin1")).toContain(JSON.stringify({ message }));
  });

  it.each([bedrock("temperature: too large"), openai({ message: "The tool is too long to name." })])(
    "is not what is wrong for another reason",
    (error) => {
      expect(error.code).toBe("upstream_invalid_request");
      expect(JSON.parse(anthropicErrorBody(error)).error.message).toBe(error.message);
      expect(JSON.parse(bedrockDialectError(error, "r").body)).toEqual({ message: error.message });
    },
  );
});
