import type { Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../body.ts";
import type { Answer } from "../conversation.ts";

export interface ResponseMeta {
  /** Unique part of every id of one answer. */
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly body: JsonObject;
}

export function responseUsage(usage: Usage) {
  const input = usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.cacheReadTokens, cache_write_tokens: usage.cacheWriteTokens },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: input + usage.outputTokens,
  };
}

/** Status and reason in OpenAI's words; a guardrail is told apart from a model's own filter by `guardrail`. */
export function responseStatus(stopReason: string) {
  if (stopReason === "max_tokens" || stopReason === "model_context_window_exceeded") {
    return { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } };
  }
  if (stopReason === "guardrail_intervened" || stopReason === "content_filtered") {
    return { status: "incomplete", incomplete_details: { reason: "content_filter", detail: stopReason } };
  }
  return { status: "completed", incomplete_details: null };
}

/** The response object around its output; what the client asked for is repeated, as OpenAI does. */
export function responseObject(
  meta: ResponseMeta,
  state: { status: string; incomplete_details: unknown },
  output: readonly unknown[],
  usage: Usage | undefined,
) {
  const { body } = meta;
  const text = isObject(body.text) ? body.text : { format: { type: "text" } };
  return {
    id: `resp_${meta.id}`,
    object: "response",
    created_at: meta.created,
    status: state.status,
    background: false,
    error: null,
    incomplete_details: state.incomplete_details,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: meta.model,
    output,
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: isObject(body.reasoning) ? body.reasoning : { effort: null, summary: null },
    service_tier: body.service_tier ?? "default",
    store: false,
    temperature: body.temperature ?? null,
    text,
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? null,
    truncation: body.truncation ?? "disabled",
    usage: usage === undefined ? null : responseUsage(usage),
    user: body.user ?? null,
  };
}

export function messageItem(id: string, index: number, text: string, status: string) {
  const content = status === "in_progress" ? [] : [{ type: "output_text", text, annotations: [], logprobs: [] }];
  return { id: `msg_${id}_${index}`, type: "message", status, role: "assistant", content };
}

export function callItem(id: string, index: number, callId: string, name: string, input: string, status: string) {
  return { id: `fc_${id}_${index}`, type: "function_call", status, call_id: callId, name, arguments: input };
}

/** Thoughts with what proves them, so that the client can send them back; he cannot make any of his own. */
export function reasoningItem(
  id: string,
  index: number,
  kept: { text: string; signature: string } | { redacted: string },
) {
  const summary = "text" in kept ? [{ type: "summary_text", text: kept.text }] : [];
  return {
    id: `rs_${id}_${index}`,
    type: "reasoning",
    summary,
    encrypted_content: Buffer.from(JSON.stringify(kept)).toString("base64"),
  };
}

/** A whole answer as a `response`. */
export function responsesAnswer(answer: Answer, meta: ResponseMeta): string {
  const state = responseStatus(answer.stopReason);
  const output = answer.content.flatMap((block, index): unknown[] => {
    if ("text" in block) return [messageItem(meta.id, index, block.text, "completed")];
    if ("toolUse" in block) {
      const { toolUseId, name, input } = block.toolUse;
      return [callItem(meta.id, index, toolUseId, name, JSON.stringify(input ?? {}), "completed")];
    }
    if (!("reasoningContent" in block)) return [];
    const { reasoningContent } = block;
    if ("redactedContent" in reasoningContent)
      return [reasoningItem(meta.id, index, { redacted: reasoningContent.redactedContent })];
    const { text, signature } = reasoningContent.reasoningText;
    return [reasoningItem(meta.id, index, { text, signature: signature ?? "" })];
  });
  return JSON.stringify(responseObject(meta, state, output, answer.usage));
}
