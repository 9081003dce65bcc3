import { expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import { messagesBody } from "./anthropic/request.ts";
import type { Family } from "./bedrock/family.ts";
import { converseBody } from "./bedrock/request.ts";
import { chatBody } from "./openai/request.ts";

const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } };
const result = (id: string, more: object) => ({ type: "tool_result", tool_use_id: id, ...more });
const conversation = messagesConversation({
  max_tokens: 9,
  messages: [
    { role: "user", content: "Look" },
    { role: "assistant", content: ["a", "b", "c"].map((id) => ({ type: "tool_use", id, name: "look", input: {} })) },
    {
      role: "user",
      content: [
        result("a", { content: "no such file", is_error: true }),
        result("b", { content: [image], is_error: true }),
        result("c", { content: "stars", is_error: false }),
      ],
    },
  ],
});

it("that a call failed is said to OpenAI-compatible servers in words", () => {
  const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
  const { messages } = JSON.parse(chatBody(conversation, request));
  expect(messages.slice(2, 5).map(({ content }: { content: string }) => content)).toEqual([
    "Error: no such file",
    "Error: (The result is in the message after this.)",
    "stars",
  ]);
});

it.each(["claude", "nova", "nova2"] as const)("it is said to %s in Converse's field", (family) => {
  expect(results(family)).toMatchObject([
    { toolUseId: "a", status: "error", content: [{ text: "no such file" }] },
    { toolUseId: "b", status: "error", content: [{ image: {} }] },
    { toolUseId: "c", content: [{ text: "stars" }] },
  ]);
});

it.each(["gpt-oss", "mistral", "other"] as const)(
  "it is said to %s in words: not every family has the field",
  (family) => {
    expect(results(family)).toEqual([
      { toolUseId: "a", content: [{ text: "Error:" }, { text: "no such file" }] },
      { toolUseId: "b", content: [{ text: "Error:" }, { image: expect.anything() }] },
      { toolUseId: "c", content: [{ text: "stars" }] },
    ]);
  },
);

it("it is said to Anthropic as Anthropic says it", () => {
  const { messages } = JSON.parse(messagesBody(conversation, "claude-sonnet-4-6", false));
  expect(messages[2].content.map(({ is_error }: { is_error?: boolean }) => is_error)).toEqual([true, true, undefined]);
});

function results(family: Family): unknown {
  const { messages } = JSON.parse(converseBody(conversation, { id: family, family, drops: false }, {}, undefined));
  return messages[2].content.map(({ toolResult }: { toolResult: unknown }) => toolResult);
}
