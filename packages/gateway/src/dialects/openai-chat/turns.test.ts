import { describe, expect, it } from "vitest";
import type { JsonObject } from "../body.ts";
import { chatConversation } from "./request.ts";

const user = { role: "user", content: "Hi" };
const conversation = (fields: JsonObject) => chatConversation({ model: "m", messages: [user], ...fields });

function named(name: string) {
  return { type: "function", function: { name } };
}

it.each([
  [[]],
  [[{ role: "user", content: "" }]],
  [
    [
      { role: "user", content: " \n" },
      { role: "system", content: "" },
    ],
  ],
])("messages that say nothing are refused: %j", (messages) => {
  const refused = { status: 400, code: "invalid_request", param: "messages" };
  expect(() => conversation({ messages })).toThrow(expect.objectContaining(refused));
});

describe("what Bedrock refuses and OpenAI takes:", () => {
  it("a system prompt alone is asked as a user's", () => {
    const system = {
      role: "system",
      content: [{ type: "text", text: "Tell a joke.", cache_control: { type: "ephemeral" } }],
    };
    const made = conversation({ messages: [system, { role: "developer", content: "A short one." }] });
    expect(made.system).toEqual([]);
    expect(made.messages).toEqual([{ role: "user", content: [{ text: "Tell a joke." }, { text: "A short one." }] }]);
  });

  it("blank texts are left out", () => {
    const call = { id: "1", type: "function", function: { name: "weather", arguments: "{}" } };
    const parts = [
      { type: "text", text: "\n" },
      { type: "text", text: " Hi" },
    ];
    const messages = [
      { role: "user", content: parts },
      { role: "assistant", content: "\n\n", tool_calls: [call] },
    ];
    const made = conversation({ messages }).messages;
    expect(made.map(({ content }) => content)).toEqual([
      [{ text: " Hi" }],
      [{ toolUse: { toolUseId: "1", name: "weather", input: {} } }],
    ]);
  });
});

describe("tools that are offered no more, as after a handoff or for a last word", () => {
  const call = (id: string, name: string) => ({ id, type: "function", function: { name, arguments: "{}" } });
  const history = [
    user,
    { role: "assistant", tool_calls: [call("1", "weather"), call("2", "news"), call("3", "weather")] },
    ...["1", "2", "3"].map((id) => ({ role: "tool", tool_call_id: id, content: "ok" })),
  ];
  const names = (fields: JsonObject) =>
    conversation({ messages: history, ...fields }).tools.map((tool) => "toolSpec" in tool && tool.toolSpec.name);

  it.each([{}, { tools: [] }, { tools: null, tool_choice: "none" }])(
    "are declared, without which Bedrock refuses the history: %j",
    (fields) => {
      expect(names(fields)).toEqual(["weather", "news"]);
      expect(conversation({ messages: history, ...fields }).toolChoice).toBeUndefined();
    },
  );

  it("are not, where others are, and never without a history of them", () => {
    expect(names({ tools: [named("mail")] })).toEqual(["mail"]);
    expect(conversation({}).tools).toEqual([]);
  });
});

describe("a past call's arguments", () => {
  const sentBack = (args: unknown) => {
    const call = { id: "call_1", type: "function", function: { name: "weather", arguments: args } };
    const messages = [
      user,
      { role: "assistant", tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "" },
    ];
    return chatConversation({ model: "m", messages }).messages[1]?.content;
  };

  it.each([
    ['{"city":"Oslo"}', { city: "Oslo" }],
    ["", {}],
    ['{"city":"Os', { arguments: '{"city":"Os' }],
    ['["Oslo"]', { arguments: '["Oslo"]' }],
  ])("%s are taken, whole or not", (args, input) => {
    expect(sentBack(args)).toEqual([{ toolUse: { toolUseId: "call_1", name: "weather", input } }]);
  });

  it("are text", () => {
    expect(() => sentBack({ city: "Oslo" })).toThrow("a string of JSON");
  });
});

describe("a tool's result", () => {
  const cache_control = { type: "ephemeral" };
  const point = { cachePoint: { type: "default" } };
  it.each([
    ["the message", { content: "sun", cache_control }],
    ["its part", { content: [{ type: "text", text: "sun", cache_control }] }],
  ])("is cached when %s is marked", (_, marked) => {
    const [turn] = conversation({ messages: [{ role: "tool", tool_call_id: "call_1", ...marked }] }).messages;
    expect(turn?.content).toEqual([{ toolResult: { toolUseId: "call_1", content: [{ text: "sun" }] } }, point]);
  });
});
