import type { Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Answer, ContentBlock } from "../../dialects/conversation.ts";
import { GatewayError } from "../../errors.ts";
import { malformedAnswer } from "../answer-stream.ts";

/** A whole Converse answer. @throws GatewayError `upstream_failed` when it is not one, or says so itself */
export function converseAnswer(body: Buffer): Answer {
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  const output = isObject(parsed) && isObject(parsed.output) ? parsed.output.message : undefined;
  if (
    !isObject(parsed) ||
    !isObject(output) ||
    !Array.isArray(output.content) ||
    typeof parsed.stopReason !== "string"
  ) {
    throw malformedAnswer("it carries no message");
  }
  const broken = brokenOutput(parsed.stopReason);
  if (broken !== undefined) throw broken;
  return {
    content: output.content.filter(isObject).map(blockOf),
    stopReason: parsed.stopReason,
    stopSequence: stopSequence(parsed.additionalModelResponseFields),
    usage: converseUsage(parsed.usage),
  };
}

/** Blocks pass as they are; the dialects look at the kinds they know. Words with citations are words. */
function blockOf(block: JsonObject): ContentBlock {
  const { citationsContent: cited } = block;
  if (!isObject(cited)) return block as unknown as ContentBlock;
  const parts = Array.isArray(cited.content) ? cited.content.filter(isObject) : [];
  return { text: parts.map(({ text }) => (typeof text === "string" ? text : "")).join("") };
}

/**
 * What the model wrote could not be read by Bedrock, which ends it there: not whole, and no other protocol has a word for
 * it. Some models answer 424 ModelErrorException to the same.
 */
export function brokenOutput(stopReason: string): GatewayError | undefined {
  const what = brokenOutputs[stopReason];
  if (what === undefined) return undefined;
  return new GatewayError("upstream_failed", `${what} The answer is not whole. Try again.`, { cause: stopReason });
}

const brokenOutputs: Readonly<Record<string, string>> = {
  malformed_model_output: "The model wrote what its provider could not read.",
  malformed_tool_use: "The model called a tool in a way that its provider could not read.",
};

/** Bedrock's count excludes cached tokens from `inputTokens`, as `Usage` does. */
export function converseUsage(usage: unknown): Usage {
  const count = (name: string): number => {
    const value = isObject(usage) ? usage[name] : undefined;
    return typeof value === "number" && value >= 0 ? value : 0;
  };
  const counted = {
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    cacheReadTokens: count("cacheReadInputTokens"),
    cacheWriteTokens: count("cacheWriteInputTokens"),
    reasoningTokens: 0,
  };
  if (counted.cacheWriteTokens === 0 || !isObject(usage) || !Array.isArray(usage.cacheDetails)) return counted;
  const forHour = usage.cacheDetails.find((detail) => isObject(detail) && detail.ttl === "1h")?.inputTokens;
  return typeof forHour === "number" && forHour > 0 ? { ...counted, cacheWriteHourTokens: forHour } : counted;
}

/** Which stop sequence was hit comes only among the model's own fields. */
export function stopSequence(fields: unknown): string | undefined {
  const found = isObject(fields) ? fields.stop_sequence : undefined;
  return typeof found === "string" ? found : undefined;
}
