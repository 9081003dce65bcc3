import type { LlmCall, RawCall } from "../../call.ts";
import {
  arrayField,
  booleanField,
  type JsonObject,
  missing,
  parseObject,
  positiveField,
  requiredString,
} from "../body.ts";
import { defaultOutputTokens, estimateTokens } from "../estimate.ts";

/** Chat completions as they came: the checks every upstream needs, and no more. */
export function parseChat(raw: RawCall): LlmCall<JsonObject> {
  const body = parseObject(raw.body);
  const model = requiredString(body, "model");
  const messages = arrayField(body, "messages");
  if (messages === undefined || messages.length === 0) throw missing("messages");
  const outputTokens =
    positiveField(body, "max_completion_tokens") ?? positiveField(body, "max_tokens") ?? defaultOutputTokens;
  return {
    dialect: "openai-chat",
    operation: "generate",
    model,
    stream: booleanField(body, "stream") === true,
    estimate: {
      inputTokens: estimateTokens(messages) + estimateTokens(body.tools),
      outputTokens: Math.min(outputTokens * answersOf(body.n), Number.MAX_SAFE_INTEGER),
    },
    body,
    raw,
  };
}

/** OpenAI's own bound of one request. */
const maxAnswers = 128;

/** How many are to be written; whatever else it may be, the upstream says what is wrong with it. */
function answersOf(n: unknown): number {
  return typeof n === "number" && Number.isInteger(n) && n > 1 ? Math.min(n, maxAnswers) : 1;
}
