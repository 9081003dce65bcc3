import { noUsage, type Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { cachedForHour, thoughtTokens } from "../anthropic/watch.ts";
import type { UpstreamHeaders } from "../exchange.ts";

/**
 * What an InvokeModel answer cost: Bedrock's own count in its headers, else the family's in the body.
 * @returns undefined when neither says
 */
export function invokeUsage(body: Buffer, headers: UpstreamHeaders): Usage | undefined {
  const input = headerCount(headers["x-amzn-bedrock-input-token-count"]);
  const output = headerCount(headers["x-amzn-bedrock-output-token-count"]);
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  const said = isObject(parsed) ? usageIn(parsed) : undefined;
  if (input === undefined && output === undefined) return said;
  return {
    ...(said ?? noUsage),
    inputTokens: input ?? said?.inputTokens ?? 0,
    outputTokens: output ?? said?.outputTokens ?? 0,
  };
}

/** Claude and Nova say `usage`, Titan and Llama their own counters. */
export function usageIn(body: JsonObject): Usage | undefined {
  const metrics = body["amazon-bedrock-invocationMetrics"];
  if (isObject(metrics)) {
    return {
      inputTokens: count(metrics.inputTokenCount),
      outputTokens: count(metrics.outputTokenCount),
      cacheReadTokens: count(metrics.cacheReadInputTokenCount),
      cacheWriteTokens: count(metrics.cacheWriteInputTokenCount),
      reasoningTokens: 0,
    };
  }
  if (isObject(body.usage)) return familyUsage(body.usage);
  if (typeof body.inputTextTokenCount === "number") {
    const results = Array.isArray(body.results) ? body.results : [];
    const output = results.reduce(
      (sum: number, result: unknown) => sum + count(isObject(result) ? result.tokenCount : 0),
      0,
    );
    return { ...noUsage, inputTokens: body.inputTextTokenCount, outputTokens: output };
  }
  if (typeof body.prompt_token_count === "number") {
    return { ...noUsage, inputTokens: body.prompt_token_count, outputTokens: count(body.generation_token_count) };
  }
  return undefined;
}

function familyUsage(usage: JsonObject): Usage {
  const forHour = cachedForHour(usage);
  const counted = {
    inputTokens: count(usage.input_tokens ?? usage.inputTokens),
    outputTokens: count(usage.output_tokens ?? usage.outputTokens),
    cacheReadTokens: count(
      usage.cache_read_input_tokens ?? usage.cacheReadInputTokenCount ?? usage.cacheReadInputTokens,
    ),
    cacheWriteTokens: count(
      usage.cache_creation_input_tokens ?? usage.cacheWriteInputTokenCount ?? usage.cacheWriteInputTokens,
    ),
    reasoningTokens: thoughtTokens(usage) ?? 0,
  };
  return forHour === undefined ? counted : { ...counted, cacheWriteHourTokens: forHour };
}

function count(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0;
}

function headerCount(value: string | string[] | undefined): number | undefined {
  return typeof value === "string" && /^\d+$/.test(value) ? Number(value) : undefined;
}

/** InvokeModel's word for a guardrail that stepped in; Converse has a stop reason for it. */
export function guardrailStop(body: unknown): "guardrail_intervened" | undefined {
  return isObject(body) && body["amazon-bedrock-guardrailAction"] === "INTERVENED" ? "guardrail_intervened" : undefined;
}
