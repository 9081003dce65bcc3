import type { LlmCall, RawCall } from "../../call.ts";
import {
  arrayField,
  booleanField,
  type JsonObject,
  missing,
  parseObject,
  requiredString,
  wholeField,
} from "../body.ts";
import { estimateTokens } from "../estimate.ts";

/** Messages and token counting: the checks every upstream needs, and no more. */
export function parseMessages(raw: RawCall): LlmCall<JsonObject> {
  const body = parseObject(raw.body);
  const model = requiredString(body, "model");
  const messages = arrayField(body, "messages");
  if (messages === undefined || messages.length === 0) throw missing("messages");
  const counts = raw.path.endsWith("/count_tokens");
  // None fills the cache and asks for no answer.
  const maxTokens = wholeField(body, "max_tokens", 0);
  if (maxTokens === undefined && !counts) throw missing("max_tokens");
  const inputTokens = estimateTokens(messages) + estimateTokens(body.system) + estimateTokens(body.tools);
  return {
    dialect: "anthropic",
    operation: counts ? "count_tokens" : "generate",
    model,
    stream: !counts && booleanField(body, "stream") === true,
    estimate: { inputTokens, outputTokens: counts ? 0 : (maxTokens ?? 0) },
    body,
    raw,
  };
}
