import type { Usage } from "../../call.ts";
import type { Answer } from "../conversation.ts";

/** What every chunk and answer of one call carries. */
export interface ChatMeta {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

const finishReasons: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool_calls",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  guardrail_intervened: "content_filter",
  content_filtered: "content_filter",
};

/** From Converse's word to OpenAI's; what has none is an ordinary end. */
export function finishReason(stopReason: string): string {
  return finishReasons[stopReason] ?? "stop";
}

/** The provider's own word where OpenAI's says less than was known: which stop text, a guardrail or a filter. */
export function stopDetail(stopReason: string, sequence: string | undefined): string | null {
  if (stopReason === "end_turn" || stopReason === "tool_use" || stopReason === "max_tokens") return null;
  return sequence ?? stopReason;
}

/** OpenAI counts cached tokens, read and written, as part of the prompt. */
export function chatUsage(usage: Usage) {
  const prompt = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.outputTokens,
    total_tokens: prompt + usage.outputTokens,
    prompt_tokens_details: {
      cached_tokens: usage.cacheReadTokens,
      cache_write_tokens: usage.cacheWriteTokens,
      audio_tokens: 0,
    },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens, audio_tokens: 0 },
  };
}

/** A whole answer as `chat.completion`. */
export function chatAnswer(answer: Answer, meta: ChatMeta): string {
  let text: string | null = null;
  let reasoning = "";
  const thinkingBlocks: unknown[] = [];
  const toolCalls: unknown[] = [];
  for (const block of answer.content) {
    if ("text" in block) {
      text = text === null ? block.text : text + block.text;
    } else if ("toolUse" in block) {
      const { toolUseId, name, input } = block.toolUse;
      toolCalls.push({ id: toolUseId, type: "function", function: { name, arguments: JSON.stringify(input ?? {}) } });
    } else if ("reasoningContent" in block) {
      if ("reasoningText" in block.reasoningContent) {
        const { text: thinking, signature = "" } = block.reasoningContent.reasoningText;
        reasoning += thinking;
        // They are there to be sent back, and without a signature no model takes them back.
        if (signature !== "") thinkingBlocks.push({ type: "thinking", thinking, signature });
      } else thinkingBlocks.push({ type: "redacted_thinking", data: block.reasoningContent.redactedContent });
    }
  }
  const message = {
    role: "assistant",
    content: text,
    refusal: null,
    // JSON leaves out what is undefined.
    tool_calls: toolCalls.length === 0 ? undefined : toolCalls,
    reasoning_content: reasoning === "" ? undefined : reasoning,
    thinking_blocks: thinkingBlocks.length === 0 ? undefined : thinkingBlocks,
  };
  const detail = stopDetail(answer.stopReason, answer.stopSequence);
  return JSON.stringify({
    id: meta.id,
    object: "chat.completion",
    created: meta.created,
    model: meta.model,
    choices: [
      {
        index: 0,
        message,
        logprobs: null,
        finish_reason: finishReason(answer.stopReason),
        stop_reason: detail ?? undefined,
      },
    ],
    usage: chatUsage(answer.usage),
  });
}
