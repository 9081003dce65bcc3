import { noUsage, type Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import { charactersPerToken } from "../../dialects/estimate.ts";
import type { Progress } from "../exchange.ts";

const typeForm = /^\s*\{\s*"type"\s*:\s*"([a-z_]+)"/;

/**
 * Reads usage and end from Anthropic's events as they pass. Words, by far the most events, are recognised by their first
 * characters and not parsed. The first event says what was read and nothing of what will be written: until the last one
 * says it, that is counted by its length, for a stream may end before.
 * @returns the event's type
 */
export function createClaudeWatch(progress: Progress): (event: string) => string {
  let soFar: { -readonly [Count in keyof Usage]: Usage[Count] } | undefined;
  return (event) => {
    const type = typeForm.exec(event)?.[1] ?? typeOf(JSON.parse(event));
    if (type === "content_block_delta") {
      progress.characters += deltaCharacters(event.length);
      if (soFar !== undefined) soFar.outputTokens = tokensOf(progress.characters);
    } else if (type === "message_start") {
      const said = usageAtStart(JSON.parse(event));
      soFar = said === undefined ? undefined : { ...said };
      progress.usage = soFar;
    } else if (type === "message_delta") ended(progress, JSON.parse(event));
    else if (type === "message_stop") progress.complete = true;
    return type;
  };
}

/** Characters of a text delta that are not its text. */
const deltaOverhead = 80;

/** Of the text in a `content_block_delta` of such a length; a token's at least. */
export function deltaCharacters(length: number): number {
  return Math.max(charactersPerToken, length - deltaOverhead);
}

/** An estimate, for a stream that ended before its count came. */
export function tokensOf(characters: number): number {
  return Math.ceil(characters / charactersPerToken);
}

function typeOf(event: unknown): string {
  return isObject(event) && typeof event.type === "string" ? event.type : "unknown";
}

function usageAtStart({ message }: JsonObject): Usage | undefined {
  return isObject(message) && isObject(message.usage) ? claudeUsage(message.usage, noUsage) : undefined;
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
    reasoningTokens: thoughtTokens(from) ?? before.reasoningTokens,
  };
  const forHour = cachedForHour(from) ?? before.cacheWriteHourTokens;
  return forHour === undefined ? counted : { ...counted, cacheWriteHourTokens: forHour };
}

/** What of the output was thought; undefined where it is not said. */
export function thoughtTokens({ output_tokens_details: details }: JsonObject): number | undefined {
  const tokens = isObject(details) ? details.thinking_tokens : undefined;
  return typeof tokens === "number" && tokens >= 0 ? tokens : undefined;
}

/** What of the cache's writes is kept for an hour; undefined where it is nothing. */
export function cachedForHour({ cache_creation: written }: JsonObject): number | undefined {
  const tokens = isObject(written) ? written.ephemeral_1h_input_tokens : undefined;
  return typeof tokens === "number" && tokens > 0 ? tokens : undefined;
}
