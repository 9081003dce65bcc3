import type { Usage } from "../../call.ts";
import type { GatewayError } from "../../errors.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { type ChatMeta, chatUsage, finishReason, stopDetail } from "./answer.ts";
import { openaiErrorBody } from "./error.ts";

export const eventStreamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache",
  // Reverse proxies that buffer would turn a stream into one late answer.
  "x-accel-buffering": "no",
} as const;

/**
 * Chat-completion chunks. Everything that is the same in each chunk is put together once; a word costs one
 * JSON.stringify of the word.
 */
export function chatStream(meta: ChatMeta, includeUsage: boolean): AnswerWriter {
  const head = `data: {"id":${JSON.stringify(meta.id)},"object":"chat.completion.chunk","created":${meta.created},"model":${JSON.stringify(meta.model)},"choices":[`;
  const tail = includeUsage ? `],"usage":null}\n\n` : "]}\n\n";
  const textHead = `${head}{"index":0,"delta":{"content":`;
  const deltaTail = `},"logprobs":null,"finish_reason":null}${tail}`;
  const toolIndex = new Map<number, number>();
  let out = "";
  let usage: Usage | undefined;

  const delta = (fields: unknown): void => {
    out += `${head}{"index":0,"delta":${JSON.stringify(fields)},"logprobs":null,"finish_reason":null}${tail}`;
  };
  return {
    headers: eventStreamHeaders,
    keepAlive: ": keep-alive\n\n",
    start: () => delta({ role: "assistant", content: "", refusal: null }),
    text(_, text) {
      out += `${textHead}${JSON.stringify(text)}${deltaTail}`;
    },
    reasoning(_, text) {
      delta({ reasoning_content: text, thinking_blocks: [{ type: "thinking", thinking: text }] });
    },
    signature: (_, signature) => delta({ thinking_blocks: [{ type: "thinking", thinking: "", signature }] }),
    redacted: (_, data) => delta({ thinking_blocks: [{ type: "redacted_thinking", data }] }),
    toolStart(block, id, name) {
      const index = toolIndex.size;
      toolIndex.set(block, index);
      delta({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
    },
    toolInput(block, json) {
      delta({ tool_calls: [{ index: toolIndex.get(block) ?? 0, function: { arguments: json } }] });
    },
    blockStop() {},
    stop(reason, sequence) {
      const detail = stopDetail(reason, sequence);
      const choice = { index: 0, delta: {}, logprobs: null, finish_reason: finishReason(reason) };
      out += `${head}${JSON.stringify(detail === null ? choice : { ...choice, stop_reason: detail })}${tail}`;
    },
    usage(counted) {
      usage = counted;
    },
    finish() {
      if (includeUsage && usage !== undefined) out += `${head}],"usage":${JSON.stringify(chatUsage(usage))}}\n\n`;
      out += "data: [DONE]\n\n";
    },
    // No [DONE]: an SDK that sees it would take the answer for whole.
    fail(error: GatewayError) {
      out += `data: ${openaiErrorBody(error)}\n\n`;
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}
