import type { Usage } from "../../call.ts";
import type { Answer } from "../conversation.ts";

const stopReasons: Readonly<Record<string, string>> = {
  end_turn: "end_turn",
  tool_use: "tool_use",
  max_tokens: "max_tokens",
  stop_sequence: "stop_sequence",
  guardrail_intervened: "refusal",
  content_filtered: "refusal",
  model_context_window_exceeded: "model_context_window_exceeded",
};

/** From Converse's word to Anthropic's; what has none is an ordinary end. */
export function anthropicStopReason(stopReason: string): string {
  return stopReasons[stopReason] ?? "end_turn";
}

/** Tells a guardrail from a model's own refusal, which Anthropic has one word for. */
export function stopDetails(stopReason: string) {
  if (stopReason !== "guardrail_intervened" && stopReason !== "content_filtered") return {};
  return { stop_details: { type: "refusal", category: null, explanation: stopReason } };
}

/** How a message ends. Clients read what the SDK's types promise, so what only Anthropic's own service has is null. */
export function anthropicEnding(stopReason: string, stopSequence: string | undefined) {
  return {
    container: null,
    stop_reason: anthropicStopReason(stopReason),
    stop_sequence: stopReason === "stop_sequence" ? (stopSequence ?? null) : null,
    stop_details: null,
    ...stopDetails(stopReason),
  };
}

/** The counts at the end of a stream. */
export function endingUsage(usage: Usage) {
  const { reasoningTokens } = usage;
  return {
    ...anthropicUsage(usage),
    output_tokens_details: reasoningTokens === 0 ? null : { thinking_tokens: reasoningTokens },
    server_tool_use: null,
  };
}

/** The counts of a whole message, and what a stream begins with. */
export function messageUsage(usage: Usage) {
  return { cache_creation: null, inference_geo: null, service_tier: null, speed: null, ...endingUsage(usage) };
}

/** Tokens in Anthropic's words: input without what a cache read or wrote, as Converse counts too. */
export function anthropicUsage(usage: Usage) {
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    cache_read_input_tokens: usage.cacheReadTokens,
    cache_creation_input_tokens: usage.cacheWriteTokens,
    ...(usage.cacheWriteHourTokens === undefined ? {} : { cache_creation: cacheCreation(usage) }),
  };
}

function cacheCreation({ cacheWriteTokens, cacheWriteHourTokens = 0 }: Usage) {
  return {
    ephemeral_5m_input_tokens: Math.max(0, cacheWriteTokens - cacheWriteHourTokens),
    ephemeral_1h_input_tokens: cacheWriteHourTokens,
  };
}

/** A whole answer as Anthropic's `message`. */
export function anthropicAnswer(answer: Answer, id: string, model: string): string {
  const content = answer.content.flatMap((block): unknown[] => {
    if ("text" in block) return [{ type: "text", text: block.text, citations: null }];
    if ("toolUse" in block)
      return [
        { type: "tool_use", id: block.toolUse.toolUseId, name: block.toolUse.name, input: block.toolUse.input ?? {} },
      ];
    if (!("reasoningContent" in block)) return [];
    const { reasoningContent } = block;
    if ("redactedContent" in reasoningContent)
      return [{ type: "redacted_thinking", data: reasoningContent.redactedContent }];
    const { text, signature } = reasoningContent.reasoningText;
    return [{ type: "thinking", thinking: text, signature: signature ?? "" }];
  });
  return JSON.stringify({
    id,
    type: "message",
    role: "assistant",
    model,
    content,
    diagnostics: null,
    ...anthropicEnding(answer.stopReason, answer.stopSequence),
    usage: messageUsage(answer.usage),
  });
}
