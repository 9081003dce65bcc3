import { noUsage } from "../../call.ts";
import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Answer, AnswerSink, ContentBlock } from "../../dialects/conversation.ts";
import { createSseReader } from "../../streams/sse.ts";
import { type AnswerReader, endProblem, malformedAnswer } from "../answer-stream.ts";
import { eventError } from "../http-error.ts";
import { citationOf } from "./citations.ts";
import { claudeUsage } from "./watch.ts";

/** Anthropic's stop reasons in Converse's words; the others are the same. */
const stopReasons: Readonly<Record<string, string>> = { refusal: "content_filtered", pause_turn: "end_turn" };

function stopReasonOf(reason: unknown): string {
  return stopReasons[String(reason)] ?? String(reason ?? "end_turn");
}

/** A `message` as an answer. @throws GatewayError `upstream_failed` when it is not one */
export function messageAnswer(body: Buffer): Answer {
  const message: unknown = JSON.parse(body.toString("utf8"));
  if (isObject(message) && message.error != null && message.content == null) throw eventError(body.toString("utf8"));
  if (!isObject(message) || !Array.isArray(message.content)) throw malformedAnswer("it carries no content");
  return {
    content: message.content.filter(isObject).flatMap(blockOf),
    stopReason: stopReasonOf(message.stop_reason),
    stopSequence: typeof message.stop_sequence === "string" ? message.stop_sequence : undefined,
    usage: claudeUsage(message.usage, noUsage),
  };
}

function blockOf(block: JsonObject): ContentBlock[] {
  if (block.type === "text") return [textBlock(block)];
  if (block.type === "tool_use")
    return [{ toolUse: { toolUseId: String(block.id), name: String(block.name), input: block.input } }];
  if (block.type === "redacted_thinking") return [{ reasoningContent: { redactedContent: String(block.data) } }];
  if (block.type !== "thinking") return [];
  return [
    { reasoningContent: { reasoningText: { text: String(block.thinking), signature: String(block.signature ?? "") } } },
  ];
}

function textBlock({ text, citations }: JsonObject): ContentBlock {
  const cited = Array.isArray(citations) ? citations.flatMap((one) => citationOf(one) ?? []) : [];
  return { text: String(text), ...(cited.length === 0 ? {} : { citations: cited }) };
}

/** Reads Anthropic's events as an answer. */
export function messagesReader(sink: AnswerSink): AnswerReader {
  let usage = noUsage;
  const tell = (event: JsonObject, data: string): void => {
    const block = Number(event.index);
    if (event.type === "message_start") {
      usage = claudeUsage(isObject(event.message) ? event.message.usage : undefined, usage);
      sink.start();
    } else if (event.type === "content_block_start") startBlock(sink, block, event.content_block);
    else if (event.type === "content_block_delta") tellDelta(sink, block, event.delta);
    else if (event.type === "content_block_stop") sink.blockStop(block);
    else if (event.type === "message_delta") {
      usage = claudeUsage(event.usage, usage);
      sink.usage(usage);
      const delta: JsonObject = isObject(event.delta) ? event.delta : {};
      sink.stop(
        stopReasonOf(delta.stop_reason),
        typeof delta.stop_sequence === "string" ? delta.stop_sequence : undefined,
      );
    } else if (event.type === "error") sink.fail(eventError(data));
  };
  const reader = createSseReader((_, data) => {
    const event: unknown = JSON.parse(data);
    if (isObject(event)) tell(event, data);
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
      const problem = endProblem(reader);
      if (problem !== undefined) sink.fail(problem);
    },
  };
}

function startBlock(sink: AnswerSink, block: number, content: unknown): void {
  if (!isObject(content)) return;
  if (content.type === "tool_use") sink.toolStart(block, String(content.id), String(content.name));
  else if (content.type === "redacted_thinking") sink.redacted(block, String(content.data));
  else if (content.type === "text" && typeof content.text === "string" && content.text !== "")
    sink.text(block, content.text);
}

function tellDelta(sink: AnswerSink, block: number, delta: unknown): void {
  if (!isObject(delta)) return;
  if (delta.type === "text_delta") sink.text(block, String(delta.text));
  else if (delta.type === "thinking_delta") sink.reasoning(block, String(delta.thinking));
  else if (delta.type === "signature_delta") sink.signature(block, String(delta.signature));
  else if (delta.type === "input_json_delta") sink.toolInput(block, String(delta.partial_json));
  else if (delta.type === "citations_delta") {
    const citation = citationOf(delta.citation);
    if (citation !== undefined) sink.citation?.(block, citation);
  }
}
