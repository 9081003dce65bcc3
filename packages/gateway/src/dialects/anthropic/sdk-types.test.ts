import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { Answer } from "../conversation.ts";
import { anthropicAnswer } from "./answer.ts";
import { anthropicStream } from "./stream.ts";

const types = readFileSync(
  join(import.meta.dirname, "../../../node_modules/@anthropic-ai/sdk/resources/messages/messages.d.ts"),
  "utf8",
);

/** The members that an interface of the SDK promises to be there, if only as null. */
function promised(name: string): string[] {
  const opening = name.includes(".") ? `namespace ${name.split(".")[0]} {` : `export interface ${name} {`;
  const from = types.slice(types.indexOf(opening));
  const body = from.slice(0, from.search(/^}/m));
  const members = [...body.matchAll(/^ +([a-z_]+): /gm)].map(([, member = ""]) => member);
  expect(members.length, name).toBeGreaterThan(2);
  return [...new Set(members)].sort();
}

/** Bedrock refuses it when the message is sent back. */
const withoutCaller = (members: readonly string[]) => members.filter((member) => member !== "caller");
const keys = (value: unknown): string[] => Object.keys(Object(value)).sort();

const usage = { inputTokens: 3, outputTokens: 9, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 4 };
const answer: Answer = {
  content: [
    { reasoningContent: { reasoningText: { text: "Hm", signature: "s" } } },
    { text: "Yes" },
    { toolUse: { toolUseId: "t", name: "look", input: {} } },
  ],
  stopReason: "content_filtered",
  usage,
};

function streamed(): Record<string, Record<string, unknown>> {
  const writer = anthropicStream("msg_1", "m");
  writer.start();
  writer.reasoning(0, "Hm");
  writer.signature(0, "s");
  writer.blockStop(0);
  writer.text(1, "Yes");
  writer.blockStop(1);
  writer.toolStart(2, "t", "look");
  writer.blockStop(2);
  writer.stop("content_filtered");
  writer.usage(usage);
  writer.finish();
  const events = [...String(writer.take()).matchAll(/^data: (.*)$/gm)].map(([, data = ""]) => JSON.parse(data));
  return Object.fromEntries(events.map((event) => [event.content_block?.type ?? event.type, event]));
}

it("a whole answer has every field that the SDK promises, and no other", () => {
  const message = JSON.parse(anthropicAnswer(answer, "msg_1", "m"));
  expect(keys(message)).toEqual(promised("Message"));
  expect(keys(message.usage)).toEqual(promised("Usage"));
  expect(message.usage.output_tokens_details).toEqual({ thinking_tokens: 4 });
  expect(keys(message.stop_details)).toEqual(promised("RefusalStopDetails"));
  const [thinking, text, toolUse] = message.content;
  expect(keys(thinking)).toEqual(promised("ThinkingBlock"));
  expect(keys(text)).toEqual(promised("TextBlock"));
  expect(keys(toolUse)).toEqual(withoutCaller(promised("ToolUseBlock")));
});

it("so has a streamed one", () => {
  const { message_start: start, message_delta: end, thinking, text, tool_use: toolUse } = streamed();
  expect(keys(start?.message)).toEqual(promised("Message"));
  expect(keys(Object(start?.message).usage)).toEqual(promised("Usage"));
  expect(keys(thinking?.content_block)).toEqual(promised("ThinkingBlock"));
  expect(keys(text?.content_block)).toEqual(promised("TextBlock"));
  expect(keys(toolUse?.content_block)).toEqual(withoutCaller(promised("ToolUseBlock")));
  expect(keys(end)).toEqual(promised("RawMessageDeltaEvent"));
  expect(keys(end?.delta)).toEqual(promised("RawMessageDeltaEvent.Delta"));
  expect(keys(end?.usage)).toEqual(promised("MessageDeltaUsage"));
});
