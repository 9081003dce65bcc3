import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../body.ts";
import { chatAnswer, chatUsage } from "./answer.ts";
import { chatConversation } from "./request.ts";

const user = { role: "user", content: "Hi" };
const conversation = (fields: JsonObject) => chatConversation({ model: "m", messages: [user], ...fields });
const refusal = (fields: JsonObject): unknown => {
  try {
    return conversation(fields);
  } catch (error) {
    return error;
  }
};

type Fate = "taken" | "refused";

/** The types make these lists whole: a kind that a newer SDK brings does not compile until it is decided upon. */
const parts: Record<OpenAI.ChatCompletionContentPart["type"], readonly [Fate, object]> = {
  text: ["taken", { text: "Look" }],
  image_url: ["taken", { image_url: { url: "data:image/png;base64,iVBORw0KGgo=", detail: "high" } }],
  file: ["taken", { file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } }],
  input_audio: ["refused", { input_audio: { data: "UklGRg==", format: "wav" } }],
};
const roles: Record<OpenAI.ChatCompletionRole, readonly [Fate, object]> = {
  system: ["taken", { content: "Be brief." }],
  developer: ["taken", { content: "Be brief." }],
  user: ["taken", { content: "Hi", name: "bob" }],
  assistant: ["taken", { content: "Hello", name: "model" }],
  tool: ["taken", { content: "sun", tool_call_id: "call_1" }],
  function: ["refused", { content: "sun", name: "weather" }],
};
const kinds: Record<OpenAI.ChatCompletionTool["type"], readonly [Fate, object]> = {
  function: ["taken", { function: { name: "weather" } }],
  custom: ["refused", { custom: { name: "weather" } }],
};
const formats: Record<
  NonNullable<OpenAI.ChatCompletionCreateParams["response_format"]>["type"],
  readonly [Fate, object]
> = {
  text: ["taken", {}],
  json_object: ["taken", {}],
  json_schema: ["taken", { json_schema: { name: "place", schema: { type: "object" } } }],
};
type Choice = OpenAI.ChatCompletionToolChoiceOption;
const choices: Record<Extract<Choice, string> | Extract<Choice, object>["type"], readonly [Fate, unknown]> = {
  auto: ["taken", "auto"],
  none: ["taken", "none"],
  required: ["taken", "required"],
  function: ["taken", { type: "function", function: { name: "weather" } }],
  allowed_tools: ["taken", { type: "allowed_tools", allowed_tools: { mode: "auto", tools: [named("weather")] } }],
  custom: ["refused", { type: "custom", custom: { name: "weather" } }],
};
const tiers: Record<NonNullable<OpenAI.ChatCompletionCreateParams["service_tier"]>, readonly [Fate, string?]> = {
  auto: ["taken"],
  default: ["taken", "default"],
  flex: ["taken", "flex"],
  priority: ["taken", "priority"],
  fast: ["taken", "priority"],
  scale: ["refused"],
};

function named(name: string) {
  return { type: "function", function: { name } };
}

describe.each([
  ["a part", parts, (type: string, rest: object) => ({ messages: [{ role: "user", content: [{ type, ...rest }] }] })],
  ["a message", roles, (role: string, rest: object) => ({ messages: [{ role, ...rest }, user] })],
  ["a tool", kinds, (type: string, rest: object) => ({ tools: [{ type, ...rest }] })],
  ["a format", formats, (type: string, rest: object) => ({ response_format: { type, ...rest } })],
  ["a choice", choices, (_: string, tool_choice: unknown) => ({ tools: [named("weather")], tool_choice })],
  ["a tier", tiers, (service_tier: string) => ({ service_tier })],
])("%s of each kind OpenAI has is taken, or refused by name:", (_, table, fields) => {
  it.each(Object.entries<readonly [Fate, unknown?]>(table))("%s", (kind, [fate, rest]) => {
    const answered = refusal(fields(kind, rest as object));
    if (fate === "taken") expect(answered).not.toBeInstanceOf(Error);
    else expect(answered).toMatchObject({ code: "unsupported", param: expect.stringMatching(/./) });
  });
});

it("fast is priority, as OpenAI says", () => {
  for (const [said, [fate, meant]] of Object.entries(tiers))
    if (fate === "taken") expect(conversation({ service_tier: said }).serviceTier).toBe(meant);
});

describe("allowed_tools", () => {
  const tools = ["weather", "news", "mail"].map(named);
  const choose = (mode: string, ...names: string[]) => ({
    tools,
    tool_choice: { type: "allowed_tools", allowed_tools: { mode, tools: names.map(named) } },
  });

  it.each([
    ["auto", { auto: {} }],
    ["required", { any: {} }],
  ])("%s leaves only those tools", (mode, toolChoice) => {
    const made = conversation(choose(mode, "mail", "weather"));
    expect(made.tools.map((tool) => "toolSpec" in tool && tool.toolSpec.name)).toEqual(["mail", "weather"]);
    expect(made.toolChoice).toEqual(toolChoice);
  });

  it.each([
    ["a tool that is not among the tools", choose("auto", "weather", "shell"), "tool_choice.allowed_tools.tools[1]"],
    ["no tool", choose("auto"), "tool_choice.allowed_tools.tools"],
    ["another mode", choose("none", "weather"), "tool_choice.allowed_tools.mode"],
  ])("may not name %s", (_, fields, param) => {
    expect(refusal(fields)).toMatchObject({ code: "invalid_request", status: 400, param });
  });
});

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
  expect(refusal({ messages })).toMatchObject({ status: 400, code: "invalid_request", param: "messages" });
});

describe("what Bedrock refuses and OpenAI takes:", () => {
  const file = (filename: string, mediaType = "application/pdf") => ({
    type: "file",
    file: { filename, file_data: `data:${mediaType};base64,JVBERi0=` },
  });
  const document = (name: string, format = "pdf") => ({ document: { format, name, source: { bytes: "JVBERi0=" } } });

  it("a system prompt alone is asked as a user's", () => {
    const system = {
      role: "system",
      content: [{ type: "text", text: "Tell a joke.", cache_control: { type: "ephemeral" } }],
    };
    const made = conversation({ messages: [system, { role: "developer", content: "A short one." }] });
    expect(made.system).toEqual([]);
    expect(made.messages).toEqual([{ role: "user", content: [{ text: "Tell a joke." }, { text: "A short one." }] }]);
  });

  it("a greeting comes after a user's turn", () => {
    const made = conversation({ messages: [{ role: "assistant", content: "Hello! How can I help?" }, user] });
    expect(made.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(made.messages[1]?.content).toEqual([{ text: "Hello! How can I help?" }]);
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

  it("a file without a word gets one", () => {
    const made = conversation({ messages: [{ role: "user", content: [file("a.pdf")] }] });
    expect(made.messages[0]?.content).toEqual([{ text: "(no text)" }, document("a")]);
  });

  it("files of one name are numbered, in all turns and results", () => {
    const text = { type: "text", text: "And this?" };
    const messages = [
      { role: "user", content: [text, file("Report.pdf"), file("notes.pdf")] },
      { role: "tool", tool_call_id: "1", content: [file("report.pdf")] },
      { role: "user", content: [text, file("report.md", "text/markdown"), file("report (2).pdf")] },
    ];
    const made = JSON.stringify(conversation({ messages }).messages);
    expect([...made.matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name)).toEqual([
      "Report",
      "notes",
      "report (2)",
      "report (3)",
      "report (2) (2)",
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

describe("thoughts", () => {
  const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  const said = (reasoningText: { text: string; signature?: string }) => {
    const content = [{ reasoningContent: { reasoningText } }, { text: "Yes." }];
    const body = chatAnswer({ content, stopReason: "end_turn", usage }, { id: "1", created: 1, model: "m" });
    return JSON.parse(body).choices[0].message as JsonObject;
  };
  const sentBack = (message: JsonObject) => conversation({ messages: [user, message, user] }).messages[1]?.content;

  it("go back to the model as they came when they are signed", () => {
    const reasoningText = { text: "Hm.", signature: "c2ln" };
    const message = said(reasoningText);
    expect(message.thinking_blocks).toEqual([{ type: "thinking", thinking: "Hm.", signature: "c2ln" }]);
    expect(sentBack(message)).toEqual([{ reasoningContent: { reasoningText } }, { text: "Yes." }]);
  });

  it("stay away when they are not: models that sign nothing take none back", () => {
    const message = said({ text: "Hm." });
    expect(message.reasoning_content).toBe("Hm.");
    expect(message.thinking_blocks).toBeUndefined();
    // As the answers of earlier versions had them.
    const unsigned = { ...message, thinking_blocks: [{ type: "thinking", thinking: "Hm.", signature: "" }] };
    expect(sentBack(unsigned)).toEqual([{ text: "Yes." }]);
  });
});

it("usage tells what was read from a cache and what was written to one, both within the prompt", () => {
  const counted = { inputTokens: 10, outputTokens: 5, cacheReadTokens: 3, cacheWriteTokens: 7, reasoningTokens: 2 };
  expect(chatUsage(counted)).toMatchObject({
    prompt_tokens: 20,
    completion_tokens: 5,
    total_tokens: 25,
    prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 7 },
    completion_tokens_details: { reasoning_tokens: 2 },
  } satisfies OpenAI.CompletionUsage);
});
