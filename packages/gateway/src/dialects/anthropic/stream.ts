import { noUsage, type Usage } from "../../call.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { eventStreamHeaders } from "../openai-chat/stream.ts";
import { anthropicEnding, endingUsage, messageUsage } from "./answer.ts";
import { anthropicErrorBody } from "./error.ts";

const emptyText = { type: "text", text: "", citations: null };

/**
 * Anthropic's named events. Converse may leave a text block's start out, so a block is opened by the first thing said in
 * it; and Converse counts after the end, so the end is held back until the count is there.
 */
export function anthropicStream(id: string, model: string): AnswerWriter {
  let out = "";
  let open: number | undefined;
  let next = 0;
  let end: { reason: string; sequence: string | undefined } | undefined;
  let usage: Usage = noUsage;

  const event = (type: string, payload: Record<string, unknown>): void => {
    out += `event: ${type}\ndata: ${JSON.stringify({ type, ...payload })}\n\n`;
  };
  const close = (): void => {
    if (open === undefined) return;
    event("content_block_stop", { index: next - 1 });
    open = undefined;
  };
  const openBlock = (block: number, contentBlock: unknown): void => {
    if (open === block) return;
    close();
    open = block;
    event("content_block_start", { index: next, content_block: contentBlock });
    next += 1;
  };
  const delta = (part: Record<string, unknown>): void => event("content_block_delta", { index: next - 1, delta: part });

  return {
    headers: eventStreamHeaders,
    keepAlive: 'event: ping\ndata: {"type":"ping"}\n\n',
    start() {
      const message = {
        id,
        type: "message",
        role: "assistant",
        model,
        content: [],
        container: null,
        diagnostics: null,
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        usage: messageUsage(noUsage),
      };
      event("message_start", { message });
    },
    text(block, text) {
      openBlock(block, emptyText);
      out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${next - 1},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
    },
    reasoning(block, thinking) {
      openBlock(block, { type: "thinking", thinking: "", signature: "" });
      delta({ type: "thinking_delta", thinking });
    },
    signature(block, signature) {
      openBlock(block, { type: "thinking", thinking: "", signature: "" });
      delta({ type: "signature_delta", signature });
    },
    redacted: (block, data) => openBlock(block, { type: "redacted_thinking", data }),
    toolStart: (block, toolId, name) => openBlock(block, { type: "tool_use", id: toolId, name, input: {} }),
    toolInput: (_, json) => delta({ type: "input_json_delta", partial_json: json }),
    blockStop: close,
    stop(reason, sequence) {
      close();
      end = { reason, sequence };
    },
    usage(counted) {
      usage = counted;
    },
    finish() {
      const delta = anthropicEnding(end?.reason ?? "end_turn", end?.sequence);
      event("message_delta", { delta, usage: endingUsage(usage) });
      event("message_stop", {});
    },
    fail(error) {
      out += `event: error\ndata: ${anthropicErrorBody(error)}\n\n`;
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}
