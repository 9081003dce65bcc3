import type { Usage } from "../../call.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { eventStreamHeaders } from "../openai-chat/stream.ts";
import { callItem, messageItem, type ResponseMeta, reasoningItem, responseObject, responseStatus } from "./answer.ts";

interface OpenItem {
  readonly block: number;
  readonly kind: "message" | "call" | "reasoning";
  readonly index: number;
  readonly callId: string;
  readonly name: string;
  text: string;
  signature: string;
}

/**
 * The events of a streamed response, in OpenAI's order and numbered. Each item is repeated whole when it is done, and all
 * of them at the end: this protocol is the one that cannot be written without keeping the answer.
 */
export function responsesStream(meta: ResponseMeta): AnswerWriter {
  const output: unknown[] = [];
  let out = "";
  let sequence = 0;
  let open: OpenItem | undefined;
  let usage: Usage | undefined;
  let reason = "end_turn";

  const event = (type: string, payload: Record<string, unknown>): void => {
    out += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...payload })}\n\n`;
    sequence += 1;
  };
  const place = (item: OpenItem) => ({ item_id: itemId(item), output_index: item.index });
  const itemId = (item: OpenItem): string =>
    `${item.kind === "message" ? "msg" : item.kind === "call" ? "fc" : "rs"}_${meta.id}_${item.index}`;

  const begin = (block: number, kind: OpenItem["kind"], callId = "", name = ""): OpenItem => {
    if (open?.block === block && open.kind === kind) return open;
    close();
    const item: OpenItem = { block, kind, index: output.length, callId, name, text: "", signature: "" };
    open = item;
    event("response.output_item.added", { output_index: item.index, item: shown(item, "in_progress") });
    if (kind === "message") {
      const part = { type: "output_text", text: "", annotations: [], logprobs: [] };
      event("response.content_part.added", { ...place(item), content_index: 0, part });
    } else if (kind === "reasoning") {
      event("response.reasoning_summary_part.added", {
        ...place(item),
        summary_index: 0,
        part: { type: "summary_text", text: "" },
      });
    }
    return item;
  };
  const shown = (item: OpenItem, status: string): unknown => {
    if (item.kind === "message") return messageItem(meta.id, item.index, item.text, status);
    if (item.kind === "call") return callItem(meta.id, item.index, item.callId, item.name, item.text, status);
    const kept = reasoningItem(meta.id, item.index, { text: item.text, signature: item.signature });
    // Parts come by their own events; an item begins without any.
    return status === "in_progress" ? { ...kept, summary: [] } : kept;
  };
  const close = (): void => {
    const item = open;
    if (item === undefined) return;
    open = undefined;
    const { text } = item;
    if (item.kind === "message") {
      event("response.output_text.done", { ...place(item), content_index: 0, text, logprobs: [] });
      event("response.content_part.done", {
        ...place(item),
        content_index: 0,
        part: { type: "output_text", text, annotations: [], logprobs: [] },
      });
    } else if (item.kind === "call")
      event("response.function_call_arguments.done", { ...place(item), name: item.name, arguments: text });
    else {
      event("response.reasoning_summary_text.done", { ...place(item), summary_index: 0, text });
      event("response.reasoning_summary_part.done", {
        ...place(item),
        summary_index: 0,
        part: { type: "summary_text", text },
      });
    }
    const whole = shown(item, "completed");
    output.push(whole);
    event("response.output_item.done", { output_index: item.index, item: whole });
  };

  return {
    headers: eventStreamHeaders,
    keepAlive: ": keep-alive\n\n",
    start() {
      const response = responseObject(meta, { status: "in_progress", incomplete_details: null }, [], undefined);
      event("response.created", { response });
      event("response.in_progress", { response });
    },
    text(block, delta) {
      const item = begin(block, "message");
      item.text += delta;
      event("response.output_text.delta", { ...place(item), content_index: 0, delta, logprobs: [] });
    },
    reasoning(block, delta) {
      const item = begin(block, "reasoning");
      item.text += delta;
      event("response.reasoning_summary_text.delta", { ...place(item), summary_index: 0, delta });
    },
    signature(block, signature) {
      begin(block, "reasoning").signature += signature;
    },
    redacted(_, data) {
      close();
      const item = reasoningItem(meta.id, output.length, { redacted: data });
      event("response.output_item.added", { output_index: output.length, item });
      event("response.output_item.done", { output_index: output.length, item });
      output.push(item);
    },
    toolStart: (block, id, name) => void begin(block, "call", id, name),
    toolInput(block, json) {
      if (open === undefined || open.block !== block) return;
      open.text += json;
      event("response.function_call_arguments.delta", { ...place(open), delta: json });
    },
    blockStop: close,
    stop(stopReason) {
      close();
      reason = stopReason;
    },
    usage(counted) {
      usage = counted;
    },
    finish() {
      const state = responseStatus(reason);
      const response = responseObject(meta, state, output, usage);
      event(state.status === "completed" ? "response.completed" : "response.incomplete", { response });
    },
    fail(error) {
      event("error", { code: error.code, message: error.message, param: error.param ?? null });
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}
