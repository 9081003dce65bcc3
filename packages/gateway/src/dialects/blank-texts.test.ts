import { describe, expect, it } from "vitest";
import { messagesConversation } from "./anthropic/request.ts";
import type { JsonObject } from "./body.ts";
import { chatConversation } from "./openai-chat/request.ts";
import { responsesConversation } from "./openai-responses/request.ts";

const cache_control = { type: "ephemeral" };

/** As a model writes a history: a blank line before its call, a tool that returned nothing to read. */
const chat: JsonObject = {
  messages: [
    { role: "system", content: " " },
    { role: "user", content: "Look" },
    {
      role: "assistant",
      content: "\n\n",
      tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c1", content: " " },
    { role: "user", content: [{ type: "text", text: "\t" }] },
  ],
};
const responses: JsonObject = {
  instructions: "\n",
  input: [
    { role: "developer", content: " " },
    { role: "user", content: "Look" },
    {
      role: "assistant",
      content: [
        { type: "output_text", text: "\n\n" },
        { type: "refusal", refusal: " " },
      ],
    },
    { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
    { type: "function_call_output", call_id: "c1", output: " " },
    { role: "user", content: "\t" },
  ],
};
const anthropic: JsonObject = {
  system: [{ type: "text", text: " ", cache_control }],
  messages: [
    { role: "user", content: "Look" },
    {
      role: "assistant",
      content: [
        { type: "text", text: "\n\n", cache_control },
        { type: "tool_use", id: "c1", name: "look", input: {} },
      ],
    },
    { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: " " }] }] },
    { role: "system", content: "\n" },
    { role: "user", content: "\t" },
  ],
};

describe("blank texts, which Bedrock refuses, say nothing", () => {
  it.each([
    ["chat completions", () => chatConversation(chat)],
    ["Responses", () => responsesConversation(responses)],
    ["messages", () => messagesConversation(anthropic)],
    ["messages, whose system prompt is a string", () => messagesConversation({ ...anthropic, system: " " })],
  ])("in %s", (_, convert) => {
    const { system, messages } = convert();
    expect(system).toEqual([]);
    expect(messages).toEqual([
      { role: "user", content: [{ text: "Look" }] },
      { role: "assistant", content: [{ toolUse: { toolUseId: "c1", name: "look", input: {} } }] },
      { role: "user", content: [{ toolResult: { toolUseId: "c1", content: [{ text: "(no output)" }] } }] },
    ]);
  });

  it("and are all of an input that is refused", () => {
    const refusal = { code: "invalid_request", param: "input" };
    expect(() => responsesConversation({ input: "  " })).toThrow(expect.objectContaining(refusal));
  });
});
