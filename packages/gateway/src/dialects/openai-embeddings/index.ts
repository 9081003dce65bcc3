import type { Dialect, LlmCall, RawCall } from "../../call.ts";
import { type JsonObject, missing, parseObject, requiredString } from "../body.ts";
import { estimateTokens } from "../estimate.ts";
import { openaiError } from "../openai-chat/error.ts";

/** `POST /v1/embeddings`. */
export const openaiEmbeddings: Dialect<JsonObject> = { name: "openai-embeddings", parse, error: openaiError };

function parse(raw: RawCall): LlmCall<JsonObject> {
  const body = parseObject(raw.body);
  const model = requiredString(body, "model");
  if (body.input == null || body.input === "" || (Array.isArray(body.input) && body.input.length === 0))
    throw missing("input");
  return {
    dialect: "openai-embeddings",
    operation: "embed",
    model,
    stream: false,
    estimate: { inputTokens: estimateInput(body.input), outputTokens: 0 },
    body,
    raw,
  };
}

/** A text may come as the numbers of its tokens, and a batch may be a list of such lists. */
function estimateInput(input: unknown): number {
  if (typeof input === "number") return 1;
  if (!Array.isArray(input)) return estimateTokens(input);
  let tokens = 0;
  for (const item of input) tokens += Array.isArray(item) ? item.length : estimateInput(item);
  return tokens;
}
