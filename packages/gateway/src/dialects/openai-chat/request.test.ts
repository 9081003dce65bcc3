import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../body.ts";
import { chatAnswer, chatUsage } from "./answer.ts";
import { parseChat } from "./parse.ts";
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

it.each([undefined, null, {}, { properties: {} }])("a tool without arguments takes an object: %j", (parameters) => {
  const [tool] = conversation({ tools: [{ type: "function", function: { name: "now", parameters } }] }).tools;
  expect(tool).toEqual({ toolSpec: { name: "now", inputSchema: { json: { type: "object", properties: {} } } } });
});

it("metadata is taken as far as it is text", () => {
  const metadata = { run: "7", step: 7, dry: true, tags: ["a"], trace: { id: 1 }, none: null };
  expect(conversation({ metadata }).metadata).toEqual({ run: "7", step: "7", dry: "true" });
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

it.each([
  [{ max_tokens: 100, n: 8 }, 800],
  [{ max_tokens: 100, n: 1e308 }, 12_800],
  [{ max_tokens: 1e308, n: 8 }, Number.MAX_SAFE_INTEGER],
  [{ max_tokens: 100, n: 1.5 }, 100],
  [{ max_tokens: 100, n: null }, 100],
  [{ max_tokens: 100, n: -2 }, 100],
  [{ max_tokens: 100, n: "8" }, 100],
])("several answers are reserved for as several: %j", (asked, tokens) => {
  const body = Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }], ...asked }));
  const call = parseChat({ path: "/v1/chat/completions", params: {}, headers: new Headers(), body });
  expect(call.estimate.outputTokens).toBe(tokens);
});
