import { expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import { converseConversation } from "../dialects/bedrock/request.ts";
import { estimateTokens } from "../dialects/estimate.ts";
import { chatConversation } from "../dialects/openai-chat/request.ts";
import { responsesConversation } from "../dialects/openai-responses/request.ts";
import { converseTurns } from "./bedrock/turns.ts";
import { takesStrict } from "./openai/strict-schema.ts";

const many = <Made>(count: number, make: (index: number) => Made): Made[] =>
  Array.from({ length: count }, (_, index) => make(index));
const hi = { role: "user", content: "Hi" };

/** Far more than any of these takes, and far less than it takes to look at everything anew for each of its parts. */
const boundMs = 4000;

const file = { type: "file", file: { file_data: "data:text/plain;base64,YQ==" } };
const sayings = { role: "system", content: "a", clear_at: "next_user_message" };
const named = (index: number) => ({ type: "function", name: `t${index}` });
const offered = (index: number) => ({ type: "function", function: { name: `t${index}` } });
const newlines = `${"\n".repeat(5000)}!`;
const properties = many(200_000, (index) => [`a${index}`, { type: "string" }]);
const closed = {
  type: "object",
  additionalProperties: false,
  properties: Object.fromEntries(properties),
  required: properties.map(([name]) => name).reverse(),
};

// Each takes a minute or so where every part is held against every other one.
it.each<[string, () => unknown]>([
  [
    "files of one name",
    () =>
      converseTurns(
        chatConversation({ messages: [{ role: "user", content: many(30_000, () => file) }] }).messages,
        "claude",
      ),
  ],
  [
    "instructions for one turn",
    () => messagesConversation({ max_tokens: 1, messages: [hi, ...many(150_000, () => sayings)] }),
  ],
  [
    "tools that are allowed in chat completions",
    () =>
      chatConversation({
        messages: [hi],
        tools: many(80_000, offered),
        tool_choice: { type: "allowed_tools", allowed_tools: { mode: "auto", tools: many(80_000, offered).reverse() } },
      }),
  ],
  [
    "tools that are allowed in Responses",
    () =>
      responsesConversation({
        input: "Hi",
        tools: many(80_000, named),
        tool_choice: { type: "allowed_tools", mode: "auto", tools: many(80_000, named).reverse() },
      }),
  ],
  ["properties of a strict schema", () => takesStrict(closed)],
  ["line breaks that could be base64", () => estimateTokens({ code: many(16_000, () => newlines) })],
])("a body of many %s takes no longer than its length", (_, work) => {
  const startedAt = performance.now();
  work();
  expect(performance.now() - startedAt).toBeLessThan(boundMs);
});

const blocks = many(200_000, () => ({ type: "text", text: "a" }));
const parts = many(200_000, () => ({ text: "a" }));

it.each<[string, () => { system: readonly unknown[]; messages: readonly unknown[] }]>([
  ["messages", () => messagesConversation({ max_tokens: 1, messages: [hi, { role: "system", content: blocks }] })],
  ["chat completions", () => chatConversation({ messages: [hi, { role: "system", content: blocks }] })],
  ["Responses", () => responsesConversation({ input: [hi, { role: "system", content: blocks }] })],
  [
    "Converse",
    () =>
      converseConversation({
        messages: [
          { role: "user", content: [{ text: "Hi" }] },
          { role: "system", content: parts },
        ],
      }),
  ],
])("an instruction of many parts is one of many parts, and no failure of ours: %s", (_, conversation) => {
  expect(conversation().system).toHaveLength(200_000);
});

it("an assistant's turn may be as long", () => {
  const { messages } = chatConversation({ messages: [hi, { role: "assistant", content: blocks }] });
  expect(messages.at(-1)?.content).toHaveLength(200_000);
});
