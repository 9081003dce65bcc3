import { describe, expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import type { JsonObject } from "../dialects/body.ts";
import type { Conversation } from "../dialects/conversation.ts";
import { chatConversation } from "../dialects/openai-chat/request.ts";
import { responsesConversation } from "../dialects/openai-responses/request.ts";
import { messagesBody } from "./anthropic/request.ts";
import { claudeBody } from "./bedrock/claude-body.ts";
import { converseBody } from "./bedrock/request.ts";
import { callId } from "./call-ids.ts";

/** Kimi's, one that differs from it in what Bedrock does not take only, a long one, and Bedrock's own. */
const ids = ["functions.now:0", "functions:now.0", "x".repeat(65), "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q"];

const chat = (): Conversation =>
  chatConversation({
    messages: [
      { role: "user", content: "What time is it?" },
      {
        role: "assistant",
        tool_calls: ids.map((id) => ({ id, type: "function", function: { name: "now", arguments: "{}" } })),
      },
      ...ids.map((id) => ({ role: "tool", tool_call_id: id, content: "12" })),
    ],
  });
const responses = (): Conversation =>
  responsesConversation({
    input: [
      { role: "user", content: "What time is it?" },
      ...ids.map((call_id) => ({ type: "function_call", call_id, name: "now", arguments: "{}" })),
      ...ids.map((call_id) => ({ type: "function_call_output", call_id, output: "12" })),
    ],
  });
const anthropic: JsonObject = {
  max_tokens: 9,
  messages: [
    { role: "user", content: "What time is it?" },
    { role: "assistant", content: ids.map((id) => ({ type: "tool_use", id, name: "now", input: {} })) },
    { role: "user", content: ids.map((id) => ({ type: "tool_result", tool_use_id: id, content: "12" })) },
  ],
};

const named = (body: string, field: string): string[] =>
  [...body.matchAll(new RegExp(`"${field}":"([^"]*)"`, "g"))].map(([, id = ""]) => id);

function expectTaken(calls: readonly string[], results: readonly string[]): void {
  expect(results).toEqual(calls);
  expect(new Set(calls).size).toBe(ids.length);
  for (const id of calls) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  expect(calls.at(-1)).toBe(ids.at(-1));
}

describe.each([
  ["chat completions", chat],
  ["Responses", responses],
  ["messages", () => messagesConversation(anthropic)],
])("ids of calls that another provider gave, from %s", (_, convert) => {
  it.each([
    ["nova", "us.amazon.nova-lite-v1:0"],
    ["claude", "us.anthropic.claude-sonnet-4-6"],
  ] as const)("are such as Bedrock takes, of call and result alike: %s", (family, id) => {
    const body = converseBody(convert(), { id, family, drops: false }, {}, undefined);
    const found = named(body, "toolUseId");
    expectTaken(found.slice(0, ids.length), found.slice(ids.length));
  });

  it("are such as Anthropic takes", () => {
    const body = messagesBody(convert(), "claude-sonnet-4-6", false);
    expectTaken(named(body, "id"), named(body, "tool_use_id"));
  });
});

it("they are so where Anthropic's own words go to Claude on Bedrock, and nothing else is touched", () => {
  const body = claudeBody(anthropic, null);
  expectTaken(named(body, "id"), named(body, "tool_use_id"));
  expect(ids.reduce((text, id) => text.replaceAll(callId(id), id), body)).toBe(
    JSON.stringify({ anthropic_version: "bedrock-2023-05-31", ...anthropic }),
  );
});
