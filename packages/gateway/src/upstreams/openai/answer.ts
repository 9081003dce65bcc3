import { randomUUID } from "node:crypto";
import { noUsage, tokensOf, type Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Answer, ContentBlock, StopReason } from "../../dialects/conversation.ts";
import { malformedAnswer } from "../answer-stream.ts";
import type { WholeAnswer } from "../exchange.ts";
import { eventError } from "../http-error.ts";

const stopReasons: Readonly<Record<string, StopReason>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  function_call: "tool_use",
  content_filter: "content_filtered",
};

/** From OpenAI's word to Converse's; what is unknown is an ordinary end. */
export function stopReasonOf(finishReason: unknown): StopReason {
  return stopReasons[String(finishReason)] ?? "end_turn";
}

/**
 * How a choice ended, more exactly than OpenAI's word for it says. A call that was asked for by name ends with `stop`, and
 * other dialects' clients run what they are told was called; vLLM names the stop text that it met.
 * @param stops the stop texts that were asked for
 */
export function endingOf(choice: JsonObject, called: boolean, stops: readonly string[]): Ending {
  const { finish_reason: reason, stop_reason: met } = choice;
  if (reason !== "stop") return { stopReason: stopReasonOf(reason) };
  const text = stops.find((stop) => stop === met);
  if (text !== undefined) return { stopReason: "stop_sequence", stopSequence: text };
  return { stopReason: called ? "tool_use" : "end_turn" };
}

type Ending = Pick<Answer, "stopReason" | "stopSequence">;

/** OpenAI counts cached tokens, read and written, as part of the prompt; `Usage` counts them apart. */
export function chatUsageOf(usage: unknown): Usage | undefined {
  if (!isObject(usage)) return undefined;
  const prompt = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const read = number(prompt.cached_tokens);
  const written = number(prompt.cache_write_tokens);
  const reasoning = number(
    isObject(usage.completion_tokens_details) ? usage.completion_tokens_details.reasoning_tokens : 0,
  );
  return {
    ...noUsage,
    inputTokens: Math.max(0, number(usage.prompt_tokens) - read - written),
    outputTokens: number(usage.completion_tokens),
    cacheReadTokens: read,
    cacheWriteTokens: written,
    reasoningTokens: reasoning,
  };
}

function number(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0;
}

/** What the record needs to know of a whole answer. */
export function countOf(answer: JsonObject): Omit<WholeAnswer, "body"> {
  const usage = chatUsageOf(answer.usage);
  const choices = Array.isArray(answer.choices) ? answer.choices.filter(isObject) : [];
  return {
    usage,
    ...(choices[0] === undefined ? {} : { stopReason: stopReasonOf(choices[0].finish_reason) }),
    // Ollama counts 0 and 0 of an answer that it ended for its repetitions.
    ...(usage === undefined || tokensOf(usage) === 0
      ? { characters: choices.reduce((sum, choice) => sum + charactersOf(choice), 0) }
      : {}),
  };
}

/** Characters of text, thoughts and arguments. */
function charactersOf({ message }: JsonObject): number {
  const { content, reasoning_content, reasoning, refusal, tool_calls } = isObject(message) ? message : {};
  const calls = Array.isArray(tool_calls) ? tool_calls.filter(isObject) : [];
  const inputs = calls.map((call) => (isObject(call.function) ? call.function.arguments : undefined));
  return [content, reasoning_content ?? reasoning, refusal, ...inputs]
    .filter(isText)
    .reduce((sum, text) => sum + text.length, 0);
}

/**
 * A `chat.completion` as an answer.
 * @param stops the stop texts that were asked for
 * @throws GatewayError `upstream_failed` when it is not one
 */
export function chatAnswerOf(
  body: Buffer,
  stops: readonly string[] = [],
): { readonly answer: Answer; readonly count: Omit<WholeAnswer, "body"> } {
  const parsed: unknown = JSON.parse(body.toString("utf8"));
  const choices = isObject(parsed) && Array.isArray(parsed.choices) ? parsed.choices : [];
  const choice: unknown = choices[0];
  if (isObject(parsed) && parsed.error != null && choice === undefined) throw eventError(body.toString("utf8"));
  if (!isObject(parsed) || !isObject(choice) || !isObject(choice.message))
    throw malformedAnswer("it carries no choice");
  const content = contentOf(choice.message, choice.finish_reason === "length");
  const count = countOf(parsed);
  const called = content.some((block) => "toolUse" in block);
  return { answer: { content, ...endingOf(choice, called, stops), usage: count.usage ?? noUsage }, count };
}

/** @param cut it reached the limit of its length: a call it was writing then is no call, and nobody should run half of one */
function contentOf(message: JsonObject, cut: boolean): ContentBlock[] {
  const blocks: ContentBlock[] = [];
  const reasoning = message.reasoning_content ?? message.reasoning;
  if (typeof reasoning === "string" && reasoning !== "")
    blocks.push({ reasoningContent: { reasoningText: { text: reasoning } } });
  if (typeof message.content === "string" && message.content !== "") blocks.push({ text: message.content });
  if (typeof message.refusal === "string" && message.refusal !== "") blocks.push({ text: message.refusal });
  for (const call of Array.isArray(message.tool_calls) ? message.tool_calls : []) {
    if (!isObject(call) || !isObject(call.function)) continue;
    const { name, arguments: text } = call.function;
    const input = inputOf(text);
    if (input !== undefined) blocks.push({ toolUse: { toolUseId: toolIdOf(call.id), name: String(name), input } });
    else if (!cut) throw malformedAnswer("a tool call's arguments are not JSON");
  }
  return blocks;
}

export function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Some servers give a call no id, and without one no result finds its call. */
export function toolIdOf(id: unknown): string {
  return isText(id) ? id : `call_${randomUUID().replaceAll("-", "")}`;
}

/** Undefined where they are not JSON, or only its beginning. */
function inputOf(text: unknown): unknown {
  try {
    return isText(text) ? JSON.parse(text) : {};
  } catch {
    return undefined;
  }
}
