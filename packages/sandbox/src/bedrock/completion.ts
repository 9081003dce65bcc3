import { randomBytes } from "node:crypto";
import { lastUserText, type Reply, type Turn } from "./rule.ts";
import { pieces, tokensIn } from "./tokens.ts";

/** A reply with what every family reports about it: cut to its limits, ids given, tokens counted. */
export interface Completion {
  readonly reasoning: string | undefined;
  readonly text: string | undefined;
  readonly toolUses: readonly { readonly id: string; readonly name: string; readonly input: unknown }[];
  /** In Converse's words. */
  readonly stopReason: string;
  readonly stopSequence: string | undefined;
  readonly usage: {
    readonly inputTokens: number;
    readonly outputTokens: number;
    readonly cacheReadInputTokens: number;
    readonly cacheWriteInputTokens: number;
  };
}

export interface Limits {
  readonly maxTokens?: number | undefined;
  readonly stopSequences?: readonly string[] | undefined;
  /** With a guardrail set, a message that contains this word is stopped by it. */
  readonly guarded?: boolean;
}

const guardedWord = "forbidden-topic";
const guardrailText = "Sorry, the guardrail of this stand-in blocks that topic.";

/** @param promptText everything that was sent, for counting */
export function complete(reply: Reply, turn: Turn, promptText: string, limits: Limits): Completion {
  const usage = { ...cacheUsage(turn), inputTokens: tokensIn(promptText) };
  if (limits.guarded === true && lastUserText(turn).includes(guardedWord)) {
    return { ...empty, text: guardrailText, stopReason: "guardrail_intervened", usage: { ...usage, outputTokens: 0 } };
  }
  const cut = cutText(reply.text, limits);
  const toolUses = cut.stopReason === undefined ? (reply.toolUses ?? []) : [];
  const spoken = `${reply.reasoning ?? ""}${cut.text ?? ""}${toolUses.length > 0 ? JSON.stringify(toolUses) : ""}`;
  return {
    reasoning: reply.reasoning,
    text: cut.text,
    toolUses: toolUses.map((use) => ({ id: `tooluse_${randomBytes(12).toString("base64url")}`, ...use })),
    stopReason: reply.stopReason ?? cut.stopReason ?? (toolUses.length > 0 ? "tool_use" : "end_turn"),
    stopSequence: cut.stopSequence,
    usage: { ...usage, outputTokens: tokensIn(spoken) },
  };
}

const empty = { reasoning: undefined, toolUses: [], stopSequence: undefined } as const;

/** A prompt that marks cache points is counted as written on the first turn and read on later ones. */
function cacheUsage(turn: Turn): { cacheReadInputTokens: number; cacheWriteInputTokens: number } {
  const cached = turn.messages.some((message) => message.content.some((block) => block.cachePoint !== undefined));
  if (!cached) return { cacheReadInputTokens: 0, cacheWriteInputTokens: 0 };
  const first = turn.messages.length <= 1;
  return { cacheReadInputTokens: first ? 0 : 64, cacheWriteInputTokens: first ? 64 : 0 };
}

interface Cut {
  readonly text: string | undefined;
  readonly stopReason?: string;
  readonly stopSequence?: string;
}

function cutText(text: string | undefined, limits: Limits): Cut {
  if (text === undefined) return { text };
  const stops = (limits.stopSequences ?? [])
    .map((sequence) => ({ sequence, at: text.indexOf(sequence) }))
    .filter((stop) => stop.at >= 0)
    .sort((left, right) => left.at - right.at);
  const stop = stops[0];
  const kept = stop === undefined ? text : text.slice(0, stop.at);
  if (limits.maxTokens !== undefined && tokensIn(kept) > limits.maxTokens) {
    return { text: keepTokens(kept, limits.maxTokens), stopReason: "max_tokens" };
  }
  return stop === undefined ? { text } : { text: kept, stopReason: "stop_sequence", stopSequence: stop.sequence };
}

function keepTokens(text: string, maxTokens: number): string {
  let kept = "";
  for (const piece of pieces(text)) {
    if (tokensIn(kept + piece) > maxTokens) break;
    kept += piece;
  }
  return kept;
}
