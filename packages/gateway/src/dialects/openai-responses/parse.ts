import type { LlmCall, RawCall } from "../../call.ts";
import { booleanField, type JsonObject, missing, parseObject, positiveField, requiredString } from "../body.ts";
import { defaultOutputTokens, estimateTokens } from "../estimate.ts";

/** Responses as they came: the checks every upstream needs, and no more. */
export function parseResponses(raw: RawCall): LlmCall<JsonObject> {
  const body = parseObject(raw.body);
  const model = requiredString(body, "model");
  if (body.input == null || body.input === "") throw missing("input");
  const inputTokens = estimateTokens(body.input) + estimateTokens(body.instructions) + estimateTokens(body.tools);
  return {
    dialect: "openai-responses",
    operation: "generate",
    model,
    stream: booleanField(body, "stream") === true,
    estimate: { inputTokens, outputTokens: positiveField(body, "max_output_tokens") ?? defaultOutputTokens },
    body,
    raw,
  };
}
