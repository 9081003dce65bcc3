import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { AnswerSink } from "../../dialects/conversation.ts";
import type { GatewayError } from "../../errors.ts";
import { createFrameReader, type Frame, type FrameHeaders } from "../../streams/event-stream.ts";
import { type AnswerReader, malformedAnswer } from "../answer-stream.ts";
import { brokenOutput, converseUsage, stopSequence } from "./answer.ts";
import { streamError } from "./error.ts";

/** Reads a converse-stream: frames to events. */
export function converseReader(sink: AnswerSink): AnswerReader {
  let broken: GatewayError | undefined;
  const stop = ({ stopReason, additionalModelResponseFields: fields }: JsonObject): void => {
    broken = brokenOutput(String(stopReason));
    if (broken === undefined) sink.stop(String(stopReason), stopSequence(fields));
  };
  // Comes behind the end, and what broke is billed, too.
  const count = ({ usage }: JsonObject): void => {
    sink.usage(converseUsage(usage));
    if (broken !== undefined) sink.fail(broken);
  };
  const reader = createFrameReader((headers, frame) => {
    const type = headers[":event-type"];
    if (headers[":message-type"] !== "event") sink.fail(frameFailure(headers, frame));
    else if (type === "messageStop") stop(JSON.parse(frame.text()));
    else if (type === "metadata") count(JSON.parse(frame.text()));
    else tell(sink, type, frame);
  });
  return {
    push(chunk) {
      try {
        reader.push(chunk);
      } catch (cause) {
        sink.fail(malformedAnswer("its stream is broken", cause));
      }
    },
    end() {
      if (!reader.atBoundary()) sink.fail(malformedAnswer("its stream ended inside an event"));
      else if (broken !== undefined) sink.fail(broken);
    },
  };
}

/** An exception or error frame, in AWS's two forms. */
export function frameFailure(headers: FrameHeaders, frame: Frame) {
  const type = headers[":exception-type"] ?? headers[":error-code"] ?? "unknown";
  return streamError(String(type), frame.size() > 0 ? frame.text() : String(headers[":error-message"] ?? ""));
}

/**
 * Nearly every event of a stream: a few words with nothing escaped in them, as AWS writes them. Read at a third of what
 * JSON.parse takes; whatever looks different in any way goes there.
 */
const plainWords = /^\{"contentBlockIndex":(\d{1,6}),"delta":\{"text":"([ !#-[\]-\uffff]*)"\}(?:,"p":"\w*")?\}$/;

function tell(sink: AnswerSink, type: unknown, frame: Frame): void {
  const json = frame.text();
  const plain = type === "contentBlockDelta" ? plainWords.exec(json) : null;
  if (plain !== null) {
    sink.text(Number(plain[1]), plain[2] ?? "");
    return;
  }
  const event: JsonObject = JSON.parse(json);
  const block = Number(event.contentBlockIndex);
  switch (type) {
    case "contentBlockDelta":
      tellDelta(sink, block, event.delta);
      break;
    case "messageStart":
      sink.start();
      break;
    case "contentBlockStart": {
      const use = isObject(event.start) ? event.start.toolUse : undefined;
      if (isObject(use)) sink.toolStart(block, String(use.toolUseId), String(use.name));
      break;
    }
    case "contentBlockStop":
      sink.blockStop(block);
  }
}

function tellDelta(sink: AnswerSink, block: number, delta: unknown): void {
  if (!isObject(delta)) return;
  if (typeof delta.text === "string") sink.text(block, delta.text);
  else if (isObject(delta.toolUse)) sink.toolInput(block, String(delta.toolUse.input ?? ""));
  else if (isObject(delta.reasoningContent)) {
    const { text, signature, redactedContent } = delta.reasoningContent;
    if (typeof text === "string") sink.reasoning(block, text);
    if (typeof signature === "string") sink.signature(block, signature);
    if (typeof redactedContent === "string") sink.redacted(block, redactedContent);
  }
}
