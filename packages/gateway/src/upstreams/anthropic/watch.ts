import type { Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { noUsage } from "../../dialects/conversation.ts";
import type { Progress } from "../exchange.ts";

const typeForm = /^\s*\{\s*"type"\s*:\s*"([a-z_]+)"/;

/**
 * Reads usage and end from Anthropic's events as they pass. Words, by far the most events, are recognised by their first
 * characters and not parsed.
 * @returns the event's type
 */
export function createClaudeWatch(progress: Progress): (event: string) => string {
  return (event) => {
    const type = typeForm.exec(event)?.[1] ?? typeOf(JSON.parse(event));
    if (type === "content_block_delta") progress.characters += Math.max(4, event.length - deltaOverhead);
    else if (type === "message_start") started(progress, JSON.parse(event));
    else if (type === "message_delta") ended(progress, JSON.parse(event));
    else if (type === "message_stop") progress.complete = true;
    return type;
  };
}

/** Characters of a text delta that are not its text; what is left is a token at least. */
const deltaOverhead = 80;

function typeOf(event: unknown): string {
  return isObject(event) && typeof event.type === "string" ? event.type : "unknown";
}

function started(progress: Progress, event: JsonObject): void {
  if (isObject(event.message)) progress.usage = claudeUsage(event.message.usage, noUsage);
}

function ended(progress: Progress, event: JsonObject): void {
  progress.usage = claudeUsage(event.usage, progress.usage ?? noUsage);
  if (isObject(event.delta) && typeof event.delta.stop_reason === "string")
    progress.stopReason = event.delta.stop_reason;
}

/** Anthropic's counts; those an event leaves out keep their earlier value. */
export function claudeUsage(usage: unknown, before: Usage): Usage {
  const from: JsonObject = isObject(usage) ? usage : {};
  const count = (name: string, known: number): number => {
    const value = from[name];
    return typeof value === "number" && value >= 0 ? value : known;
  };
  const counted = {
    inputTokens: count("input_tokens", before.inputTokens),
    outputTokens: count("output_tokens", before.outputTokens),
    cacheReadTokens: count("cache_read_input_tokens", before.cacheReadTokens),
    cacheWriteTokens: count("cache_creation_input_tokens", before.cacheWriteTokens),
    reasoningTokens: 0,
  };
  const forHour = cachedForHour(from) ?? before.cacheWriteHourTokens;
  return forHour === undefined ? counted : { ...counted, cacheWriteHourTokens: forHour };
}

/** What of the cache's writes is kept for an hour; undefined where it is nothing. */
export function cachedForHour({ cache_creation: written }: JsonObject): number | undefined {
  const tokens = isObject(written) ? written.ephemeral_1h_input_tokens : undefined;
  return typeof tokens === "number" && tokens > 0 ? tokens : undefined;
}
