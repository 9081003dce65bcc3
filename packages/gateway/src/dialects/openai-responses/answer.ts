import type { Usage } from "../../call.ts";
import { isObject, type JsonObject } from "../body.ts";
import type { Answer } from "../conversation.ts";
import { asksToCompact, compacted } from "./compaction.ts";
import { callItem, createCalled, type EndStatus, messageItem, reasoningItem } from "./items.ts";
import { shownTools } from "./tools.ts";

/** What an answer repeats of its request, and what it is called; `created` in seconds since the epoch. */
export interface ResponseMeta {
  /** Unique part of every id of one answer. */
  readonly id: string;
  readonly created: number;
  readonly model: string;
  readonly body: JsonObject;
}

function responseUsage(usage: Usage) {
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
export function responseStatus(stopReason: string): { status: EndStatus; incomplete_details: unknown } {
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
    access_programs: null,
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
    tools: shownTools(body.tools),
    top_p: body.top_p ?? null,
    truncation: body.truncation ?? "disabled",
    usage: usage === undefined ? null : responseUsage(usage),
    user: body.user ?? null,
  };
}

/** A whole answer as a `response`. */
export function responsesAnswer(answer: Answer, meta: ResponseMeta): string {
  const state = responseStatus(answer.stopReason);
  if (asksToCompact(meta.body))
    return JSON.stringify(responseObject(meta, state, compacted(answer, meta.id), answer.usage));
  const called = createCalled(meta.body);
  const last = answer.content.length - 1;
  const output = answer.content.flatMap((block, index): unknown[] => {
    const status = index === last ? state.status : "completed";
    if ("text" in block) return [messageItem(meta.id, index, block.text, status)];
    if ("toolUse" in block) {
      const { toolUseId, name, input } = block.toolUse;
      return [callItem(meta.id, index, toolUseId, called(name), JSON.stringify(input ?? {}), status)];
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
