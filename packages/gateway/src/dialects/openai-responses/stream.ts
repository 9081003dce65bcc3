import type { Usage } from "../../call.ts";
import type { AnswerWriter } from "../../upstreams/answer-stream.ts";
import { openaiErrorBody } from "../openai-chat/error.ts";
import { eventStreamHeaders } from "../openai-chat/stream.ts";
import { type ResponseMeta, responseObject, responseStatus } from "./answer.ts";
import { createCalled, type EndStatus, reasoningItem } from "./items.ts";
import { createKept } from "./kept.ts";
import { type OpenItem, openCall, openMessage, openReasoning } from "./open-items.ts";

/** Also writes what no upstream streams. */
export interface ResponsesWriter extends AnswerWriter {
  /** An item that comes in one piece. */
  whole(itemAt: (index: number) => unknown): void;
}

/**
 * The events of a streamed response, in OpenAI's order and numbered. Each item is repeated whole when it is done, and all
 * of them at the end: this protocol is the one that cannot be written without keeping the answer. An item is done when
 * another begins or the answer ends, for that tells whether it is whole.
 */
export function responsesStream(meta: ResponseMeta): ResponsesWriter {
  const output: unknown[] = [];
  const calledBy = createCalled(meta.body);
  const kept = createKept();
  let out = "";
  let sequence = 0;
  let open: OpenItem | undefined;
  let ended = false;
  let usage: Usage | undefined;
  let reason = "end_turn";

  const event = (type: string, payload: Record<string, unknown>): void => {
    out += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...payload })}\n\n`;
    sequence += 1;
  };
  const close = (status: EndStatus = "completed"): void => {
    if (open !== undefined) output.push(open.close(status));
    open = undefined;
    ended = false;
  };
  const next = (block: number) => ({ block, id: meta.id, index: output.length });
  const begin = (block: number, kind: "message" | "reasoning"): OpenItem => {
    if (!ended && open?.block === block && open.kind === kind) return open;
    close();
    open = kind === "message" ? openMessage(event, next(block)) : openReasoning(event, next(block));
    return open;
  };
  const whole = (itemAt: (index: number) => unknown): void => {
    close();
    const at = { output_index: output.length, item: itemAt(output.length) };
    event("response.output_item.added", at);
    event("response.output_item.done", at);
    output.push(at.item);
  };

  return {
    whole,
    headers: eventStreamHeaders,
    keepAlive: ": keep-alive\n\n",
    start() {
      const response = responseObject(meta, { status: "in_progress", incomplete_details: null }, [], undefined);
      event("response.created", { response });
      event("response.in_progress", { response });
    },
    text: (block, delta) => begin(block, "message").append(kept(delta)),
    reasoning: (block, delta) => begin(block, "reasoning").append(kept(delta)),
    signature: (block, signature) => begin(block, "reasoning").sign(kept(signature)),
    redacted: (_, redacted) => whole((index) => reasoningItem(meta.id, index, { redacted: kept(redacted) })),
    toolStart(block, id, name) {
      close();
      open = openCall(event, next(block), id, calledBy(name));
    },
    toolInput(block, json) {
      if (open?.kind === "call" && open.block === block) open.append(kept(json));
    },
    blockStop() {
      ended = open !== undefined;
    },
    stop(stopReason) {
      close(responseStatus(stopReason).status);
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
      // A call is not told to be done: some clients run it at once, and it may be the call that failed.
      if (ended && open?.kind !== "call") close("incomplete");
      // Some clients read the event flat, as the SDKs type it, some nested, as OpenAI writes it; Codex only the second one.
      const { error: nested } = JSON.parse(openaiErrorBody(error));
      const { code, message, param } = nested;
      event("error", { code, message, param, error: nested });
      const failed = { code: code === "rate_limit_exceeded" ? code : "server_error", message };
      const response = responseObject(meta, { status: "failed", incomplete_details: null }, output, usage);
      event("response.failed", { response: { ...response, error: failed } });
    },
    take() {
      const written = out;
      out = "";
      return written;
    },
  };
}
