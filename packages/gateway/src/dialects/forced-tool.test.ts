import { describe, expect, it } from "vitest";
import { messagesConversation } from "./anthropic/request.ts";
import { chatConversation } from "./openai-chat/request.ts";
import { responsesConversation } from "./openai-responses/request.ts";

const user = { role: "user", content: "Hi" };
const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
const history = [
  user,
  { role: "assistant", content: null, tool_calls: [call] },
  { role: "tool", tool_call_id: "c1", content: "stars" },
];
const schema = { type: "object" };

describe("a call that is demanded where there is nothing to call", () => {
  it.each([
    ["chat completions", () => chatConversation({ messages: [user], tool_choice: "required" })],
    ["chat completions, one by name", () => chatConversation({ messages: [user], tools: [], tool_choice: call })],
    ["chat completions with calls in the past", () => chatConversation({ messages: history, tool_choice: "required" })],
    ["Responses", () => responsesConversation({ input: "Hi", tool_choice: "required" })],
    ["messages", () => messagesConversation({ messages: [user], max_tokens: 9, tool_choice: { type: "any" } })],
    [
      "messages whose tools are all deferred",
      () =>
        messagesConversation({
          messages: [user],
          max_tokens: 9,
          tools: [{ name: "look", input_schema: schema, defer_loading: true }],
          tool_choice: { type: "tool", name: "look" },
        }),
    ],
  ])("is refused by name: %s", (_, convert) => {
    expect(convert).toThrow(expect.objectContaining({ code: "invalid_request", status: 400, param: "tool_choice" }));
  });

  it.each(["auto", "none"])("is not meant by %s, which clients send by habit", (tool_choice) => {
    expect(chatConversation({ messages: [user], tool_choice }).toolChoice).toBeUndefined();
    expect(() => responsesConversation({ input: "Hi", tool_choice })).not.toThrow();
    expect(() =>
      messagesConversation({ messages: [user], max_tokens: 9, tool_choice: { type: tool_choice } }),
    ).not.toThrow();
  });
});
