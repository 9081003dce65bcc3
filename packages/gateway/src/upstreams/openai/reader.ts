import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { AnswerSink } from "../../dialects/conversation.ts";
import { createSseReader } from "../../streams/sse.ts";
import { type AnswerReader, endProblem, malformedAnswer } from "../answer-stream.ts";
import { eventError } from "../http-error.ts";
import { chatUsageOf, endingOf, isText, toolIdOf } from "./answer.ts";
import { createCallOrder } from "./calls.ts";

/**
 * Reads chat-completion chunks as an answer. Blocks are numbered as they begin: thoughts, text, a refusal, which is text
 * of its own, then each tool call.
 * @param stops the stop texts that were asked for
 */
export function chatReader(sink: AnswerSink, stops: readonly string[] = []): AnswerReader {
  let started = false;
  let blocks = 0;
  let current: { readonly kind: string; readonly block: number } | undefined;
  let anyCall = false;

  const leave = (): void => {
    if (current !== undefined) sink.blockStop(current.block);
    current = undefined;
  };
  const open = (kind: string): number => {
    leave();
    current = { kind, block: blocks };
    blocks += 1;
    return current.block;
  };
  const calls = createCallOrder({
    begin(id, name) {
      anyCall = true;
      sink.toolStart(open("call"), toolIdOf(id), name);
    },
    input: (json) => sink.toolInput(current?.block ?? 0, json),
  });
  const enter = (kind: string): number => {
    if (current?.kind === kind) return current.block;
    calls.end();
    return open(kind);
  };
  const chunk = (event: JsonObject): void => {
    if (!started) {
      started = true;
      sink.start();
    }
    const choice: unknown = Array.isArray(event.choices) ? event.choices[0] : undefined;
    if (isObject(choice)) {
      const delta: JsonObject = isObject(choice.delta) ? choice.delta : {};
      const thought = delta.reasoning_content ?? delta.reasoning;
      if (typeof thought === "string" && thought !== "") sink.reasoning(enter("reasoning"), thought);
      if (isText(delta.content)) sink.text(enter("text"), delta.content);
      if (isText(delta.refusal)) sink.text(enter("refusal"), delta.refusal);
      for (const call of Array.isArray(delta.tool_calls) ? delta.tool_calls : []) if (isObject(call)) calls.take(call);
      if (typeof choice.finish_reason === "string") {
        calls.end();
        leave();
        const { stopReason, stopSequence } = endingOf(choice, anyCall, stops);
        sink.stop(stopReason, stopSequence);
      }
    }
    const usage = chatUsageOf(event.usage);
    if (usage !== undefined) sink.usage(usage);
  };
  const reader = createSseReader((_, data) => {
    if (data === "[DONE]") return;
    const event: unknown = JSON.parse(data);
    if (isObject(event) && event.error != null) sink.fail(eventError(data));
    else if (isObject(event)) chunk(event);
  });
  return {
    push(bytes) {
      try {
        reader.push(bytes);
      } catch (cause) {
        sink.fail(malformedAnswer("its stream is broken", cause));
      }
    },
    end() {
      const problem = endProblem(reader);
      if (problem !== undefined) sink.fail(problem);
    },
  };
}
