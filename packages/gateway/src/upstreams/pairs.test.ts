import { describe, expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import type { JsonObject } from "../dialects/body.ts";
import type { Conversation } from "../dialects/conversation.ts";
import { chatConversation } from "../dialects/openai-chat/request.ts";
import { responsesConversation } from "../dialects/openai-responses/request.ts";
import { GatewayError } from "../errors.ts";
import { messagesBody } from "./anthropic/request.ts";
import type { Family } from "./bedrock/family.ts";
import { converseBody } from "./bedrock/request.ts";
import { type ChatRequest, chatBody } from "./openai/request.ts";

const png = "iVBORw0KGgo=";
const schema = { type: "object", properties: { at: { type: "string" } } };

/** The same conversation as each dialect says it. */
const chat: JsonObject = {
  model: "m",
  messages: [
    { role: "developer", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?", cache_control: { type: "ephemeral" } },
        { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
      ],
    },
    {
      role: "assistant",
      content: "",
      tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } }],
    },
    { role: "tool", tool_call_id: "c1", content: "stars" },
    { role: "user", content: "And?" },
  ],
  max_completion_tokens: 500,
  temperature: 0.5,
  top_p: 0.9,
  stop: "END",
  tools: [{ type: "function", function: { name: "look", description: "Looks", parameters: schema } }],
  tool_choice: "required",
};
const anthropic: JsonObject = {
  model: "m",
  max_tokens: 500,
  system: "Be brief.",
  messages: [
    {
      role: "user",
      content: [
        { type: "text", text: "What is this?", cache_control: { type: "ephemeral" } },
        { type: "image", source: { type: "base64", media_type: "image/png", data: png } },
      ],
    },
    { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "look", input: { at: "sky" } }] },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "c1", content: "stars" },
        { type: "text", text: "And?" },
      ],
    },
  ],
  temperature: 0.5,
  top_p: 0.9,
  stop_sequences: ["END"],
  tools: [{ name: "look", description: "Looks", input_schema: schema }],
  tool_choice: { type: "any" },
};
const responses: JsonObject = {
  model: "m",
  instructions: "Be brief.",
  input: [
    {
      role: "user",
      content: [
        { type: "input_text", text: "What is this?" },
        { type: "input_image", image_url: `data:image/png;base64,${png}` },
      ],
    },
    { type: "function_call", call_id: "c1", name: "look", arguments: '{"at":"sky"}' },
    { type: "function_call_output", call_id: "c1", output: "stars" },
    { role: "user", content: "And?" },
  ],
  max_output_tokens: 500,
  temperature: 0.5,
  top_p: 0.9,
  tools: [{ type: "function", name: "look", description: "Looks", parameters: schema }],
  tool_choice: "required",
};

const cachePoint = { cachePoint: { type: "default" } };
const converse = {
  system: [{ text: "Be brief." }],
  messages: [
    {
      role: "user",
      content: [{ text: "What is this?" }, cachePoint, { image: { format: "png", source: { bytes: png } } }],
    },
    { role: "assistant", content: [{ toolUse: { toolUseId: "c1", name: "look", input: { at: "sky" } } }] },
    { role: "user", content: [{ toolResult: { toolUseId: "c1", content: [{ text: "stars" }] } }, { text: "And?" }] },
  ],
  inferenceConfig: { maxTokens: 500, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
  toolConfig: {
    tools: [{ toolSpec: { name: "look", description: "Looks", inputSchema: { json: schema } } }],
    toolChoice: { any: {} },
  },
  requestMetadata: { user: "alice" },
};

const toConverse = (conversation: Conversation): unknown =>
  JSON.parse(converseBody(conversation, modelOf("nova"), { user: "alice" }, undefined));

describe("recorded pairs", () => {
  it("chat completions → Converse", () => {
    expect(toConverse(chatConversation(chat))).toEqual(converse);
  });

  it("what a client sent for Converse itself stays, except for what is the gateway's", () => {
    const bedrock = {
      guardrailConfig: { guardrailIdentifier: "g" },
      requestMetadata: { user: "mallory" },
      promptVariables: {},
    };
    expect(toConverse({ ...chatConversation({ messages: [{ role: "user", content: "Hi" }] }), bedrock })).toEqual({
      ...bedrock,
      messages: [{ role: "user", content: [{ text: "Hi" }] }],
      requestMetadata: { user: "alice" },
    });
  });

  it("messages → Converse", () => {
    expect(toConverse(messagesConversation(anthropic))).toEqual(converse);
  });

  it("Responses → Converse, which has no stop sequences and no cache marks", () => {
    const [first, ...rest] = converse.messages;
    const content = first?.content.filter((block) => !("cachePoint" in block));
    const { stopSequences: _, ...inferenceConfig } = converse.inferenceConfig;
    expect(toConverse(responsesConversation(responses))).toEqual({
      ...converse,
      inferenceConfig,
      messages: [{ role: "user", content }, ...rest],
    });
  });

  it("messages → chat completions", () => {
    expect(JSON.parse(chatBody(messagesConversation(anthropic), inner))).toEqual({
      model: "inner",
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":"sky"}' } }],
        },
        { role: "tool", tool_call_id: "c1", content: "stars" },
        { role: "user", content: "And?" },
      ],
      max_tokens: 500,
      temperature: 0.5,
      top_p: 0.9,
      stop: ["END"],
      tools: [{ type: "function", function: { name: "look", description: "Looks", parameters: schema } }],
      tool_choice: "required",
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("chat completions → messages", () => {
    const [, assistant, last] = anthropic.messages as { role: string; content: unknown[] }[];
    expect(JSON.parse(messagesBody(chatConversation(chat), "inner", false))).toEqual({
      ...anthropic,
      model: "inner",
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        { role: "user", content: (anthropic.messages as { content: unknown[] }[])[0]?.content },
        assistant,
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "c1", content: [{ type: "text", text: "stars" }] },
            last?.content[1],
          ],
        },
      ],
    });
  });
});

const inner: ChatRequest = { model: "inner", stream: true, limitName: "max_tokens", drops: false };

/** A model of a family; of Claude's one that thinks within a budget. */
function modelOf(family: Family, id = family === "claude" ? "us.anthropic.claude-sonnet-4-5-20250929-v1:0" : family) {
  return { id, family, drops: false };
}

describe("what OpenAI-compatible servers have no words for", () => {
  const said = (extra: JsonObject, request: Partial<ChatRequest>) =>
    JSON.parse(chatBody(messagesConversation({ ...anthropic, ...extra }), { ...inner, ...request }));

  it("is refused by name, or left out where the operator wants it so", () => {
    expect(() => said({ top_k: 3 }, {})).toThrow(/'top_k'/);
    expect(() => said({ thinking: { type: "enabled", budget_tokens: 2000 } }, {})).toThrow(/'thinking'/);
    const dropped = said({ top_k: 3, thinking: { type: "enabled", budget_tokens: 2000 } }, { drops: true });
    expect(dropped).toEqual(said({}, {}));
  });

  it("is said to vLLM in its own words, as its own Messages API says it", () => {
    const asked = { top_k: 3, thinking: { type: "enabled", budget_tokens: 2000 } };
    const plain = said({}, {});
    expect(said(asked, { vllm: true })).toEqual({ ...plain, top_k: 3, thinking_token_budget: 2000 });
    // It refuses a budget for a model that does not think.
    expect(said(asked, { vllm: true, drops: true })).toEqual({ ...plain, top_k: 3 });
  });

  it("is given back what the model thought where the server is vLLM, and only there", () => {
    const thinking = { type: "thinking", thinking: "Look first.", signature: "" };
    const call = { type: "tool_use", id: "c1", name: "look", input: {} };
    const messages = [
      { role: "user", content: "What is up?" },
      { role: "assistant", content: [thinking, call] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "stars" }] },
    ];
    const turn = (vllm: boolean) => said({ messages }, { vllm }).messages[2];
    expect(turn(true)).toEqual({ ...turn(false), reasoning: "Look first." });
    expect(turn(false)).not.toHaveProperty("reasoning");
  });

  it("has one of two names for its limit", () => {
    const { max_tokens, ...rest } = said({ max_tokens: 77 }, {});
    expect(max_tokens).toBe(77);
    expect(said({ max_tokens: 77 }, { limitName: "max_completion_tokens" })).toEqual({
      ...rest,
      max_completion_tokens: 77,
    });
  });
});

describe("wishes, in the words of each family", () => {
  const body = (extra: JsonObject, family: Family, id?: string, drops = false): JsonObject => {
    const conversation = chatConversation({ messages: [{ role: "user", content: "Hi" }], ...extra });
    return JSON.parse(converseBody(conversation, { ...modelOf(family, id), drops }, {}, undefined));
  };
  const claude = (extra: JsonObject): unknown => body(extra, "claude").additionalModelRequestFields;

  it.each([
    [{ reasoning_effort: "low" }, { thinking: { type: "enabled", budget_tokens: 1024 } }],
    [{ reasoning_effort: "high", max_tokens: 6000 }, { thinking: { type: "enabled", budget_tokens: 3000 } }],
    [{ reasoning_effort: "none" }, undefined],
    [
      { thinking: { type: "enabled", budget_tokens: 3333 }, max_tokens: 9000 },
      { thinking: { type: "enabled", budget_tokens: 3333 } },
    ],
    [{ top_k: 5 }, { top_k: 5 }],
    [
      { parallel_tool_calls: false, tools: chat.tools },
      { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
    ],
    [{ parallel_tool_calls: true, tools: chat.tools }, undefined],
  ])("Claude: %j", (extra, expected) => {
    expect(claude(extra)).toEqual(expected);
  });

  const opus = "us.anthropic.claude-opus-5-5";
  const sonnet = "us.anthropic.claude-sonnet-5-5";
  const haiku = "us.anthropic.claude-haiku-5-5";
  const adaptive = { additionalModelRequestFields: { thinking: { type: "adaptive" } } };
  it.each([
    [
      "us.anthropic.claude-sonnet-4-6",
      { reasoning_effort: "xhigh" },
      { ...adaptive, outputConfig: { effort: "high" } },
    ],
    [opus, { reasoning_effort: "minimal" }, { ...adaptive, outputConfig: { effort: "low" } }],
    [opus, { reasoning_effort: "xhigh", max_tokens: 100 }, { ...adaptive, outputConfig: { effort: "xhigh" } }],
    [haiku, { reasoning_effort: "none" }, { additionalModelRequestFields: { thinking: { type: "disabled" } } }],
    [sonnet, { reasoning_effort: "none" }, { additionalModelRequestFields: { thinking: { type: "between_tools" } } }],
    ["anthropic.claude-opus-4-8", { reasoning_effort: "none" }, {}],
    // A bound on thoughts is what the model has no words for; that it is to think, it has.
    [opus, { thinking: { type: "enabled", budget_tokens: 3000 } }, adaptive],
    [opus, { temperature: 1, top_p: 1 }, {}],
    [opus, {}, {}],
  ])("%s: %j, as much as it sees fit", (id, extra, expected) => {
    const { additionalModelRequestFields, outputConfig, inferenceConfig } = body(extra, "claude", id);
    expect({ additionalModelRequestFields, outputConfig }).toEqual({
      additionalModelRequestFields: undefined,
      outputConfig: undefined,
      ...expected,
    });
    expect(inferenceConfig).toEqual("max_tokens" in extra ? { maxTokens: 100 } : undefined);
  });

  it("earlier ones do not think on between a call and its result when their thoughts were not handed back", () => {
    const asked = (thoughts: object, id?: string) => {
      const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
      const messages = [
        { role: "user", content: "Look" },
        { role: "assistant", content: null, tool_calls: [call], ...thoughts },
        { role: "tool", tool_call_id: "c1", content: "stars" },
      ];
      return body({ messages, tools: chat.tools, reasoning_effort: "low" }, "claude", id).additionalModelRequestFields;
    };
    const thoughts = { thinking_blocks: [{ type: "thinking", thinking: "hm", signature: "c2ln" }] };
    expect(asked({})).toBeUndefined();
    expect(asked(thoughts)).toMatchObject({ thinking: { type: "enabled" } });
    expect(asked({}, opus)).toMatchObject({ thinking: { type: "adaptive" } });
  });

  it("a usual top_p beside a temperature is left out, since both together are refused", () => {
    expect(body({ temperature: 0, top_p: 1 }, "claude").inferenceConfig).toEqual({ temperature: 0 });
    expect(body({ temperature: 0, top_p: 0.5 }, "claude").inferenceConfig).toEqual({ temperature: 0, topP: 0.5 });
    expect(body({ top_p: 1 }, "claude").inferenceConfig).toEqual({ topP: 1 });
  });

  it("an effort goes beside a schema", () => {
    const format = { type: "json_schema", json_schema: { name: "spot", schema } };
    const { outputConfig } = body({ reasoning_effort: "low", response_format: format }, "claude", opus);
    expect(outputConfig).toMatchObject({ effort: "low", textFormat: { type: "json_schema" } });
  });

  const forced = { tools: chat.tools, tool_choice: "required" };
  it.each([
    [{ temperature: 0 }, "temperature", opus],
    [{ top_p: 0.9 }, "top_p", haiku],
    [{ top_k: 5 }, "top_k", opus],
    [{ reasoning_effort: "none" }, "reasoning_effort", opus],
    [{ reasoning_effort: "enormous" }, "reasoning_effort", opus],
    [{ reasoning_effort: "low" }, "reasoning_effort", "anthropic.claude-3-haiku-20240307-v1:0"],
    [forced, "tool_choice", sonnet],
    [{ ...forced, parallel_tool_calls: false }, "tool_choice", opus],
  ])("%j is refused by name: %s of %s", (extra, param, id) => {
    expect(() => body(extra, "claude", id)).toThrow(GatewayError);
    expect(() => body(extra, "claude", id)).toThrow(new RegExp(`'${param}'`));
  });

  it.each([
    [{ temperature: 0, top_p: 0.1, top_k: 5, max_tokens: 9 }, opus, { inferenceConfig: { maxTokens: 9 } }],
    [{ reasoning_effort: "none" }, opus, {}],
    [{ reasoning_effort: "low" }, "anthropic.claude-3-haiku-20240307-v1:0", {}],
  ])("%j is left out for %s where the operator wants it so", (extra, id, expected) => {
    const { messages: _, ...rest } = body(extra, "claude", id, true);
    expect(rest).toEqual(expected);
  });

  it("what other families have no words for is left out, too, where the operator wants it so", () => {
    const wishes = { reasoning_effort: "low", parallel_tool_calls: false };
    expect(body(wishes, "llama", undefined, true)).toEqual(body({}, "llama"));
    expect(body(wishes, "nova", undefined, true)).toEqual(body({}, "nova"));
    const { toolConfig, additionalModelRequestFields: fields } = body(
      { ...forced, parallel_tool_calls: false },
      "claude",
      sonnet,
      true,
    );
    expect(toolConfig).not.toHaveProperty("toolChoice");
    expect(fields).toEqual({ tool_choice: { type: "auto", disable_parallel_tool_use: true } });
  });

  it("Claude is given room to think when the client named no limit", () => {
    expect(body({ reasoning_effort: "high" }, "claude").inferenceConfig).toEqual({ maxTokens: 4096 + 4096 });
  });

  it("other families", () => {
    expect(body({ reasoning_effort: "medium" }, "nova2").additionalModelRequestFields).toEqual({
      reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" },
    });
    expect(body({ reasoning_effort: "medium" }, "gpt-oss").additionalModelRequestFields).toEqual({
      reasoning_effort: "medium",
    });
    const oss = ["minimal", "low", "medium", "high", "xhigh", "max"].map(
      (reasoning_effort) => body({ reasoning_effort }, "gpt-oss").additionalModelRequestFields,
    );
    expect(oss).toEqual(
      ["low", "low", "medium", "high", "high", "high"].map((reasoning_effort) => ({ reasoning_effort })),
    );
    expect(body({ top_k: 7 }, "nova").additionalModelRequestFields).toEqual({ inferenceConfig: { topK: 7 } });
  });

  it.each([
    ["llama", { reasoning_effort: "low" }, "reasoning_effort"],
    ["gpt-oss", { reasoning_effort: "enormous" }, "reasoning_effort"],
    ["nova", { reasoning_effort: "low" }, "reasoning_effort"],
    ["nova", { parallel_tool_calls: false }, "parallel_tool_calls"],
    ["mistral", { top_k: 3 }, "top_k"],
    ["claude", { reasoning_effort: "low", max_tokens: 1000 }, "reasoning_effort"],
    ["claude", { reasoning_effort: "enormous" }, "reasoning_effort"],
  ] as const)("%s refuses %j by name", (family, extra, param) => {
    expect(() => body(extra, family)).toThrow(GatewayError);
    expect(() => body(extra, family)).toThrow(new RegExp(`'${param}'`));
  });

  it("JSON without a schema is asked for in words, with one as structured output", () => {
    expect(JSON.stringify(body({ response_format: { type: "json_object" } }, "nova").system)).toContain("valid JSON");
    const format = { type: "json_schema", json_schema: { name: "spot", schema } };
    const closed = JSON.stringify({ ...schema, additionalProperties: false });
    expect(body({ response_format: format }, "claude").outputConfig).toEqual({
      textFormat: { type: "json_schema", structure: { jsonSchema: { name: "spot", schema: closed } } },
    });
  });

  it.each([
    chatConversation({ messages: [{ role: "user", content: "Hi" }], response_format: { type: "json_object" } }),
    responsesConversation({ input: "Hi", text: { format: { type: "json_object" } } }),
  ])("Anthropic is asked for it in the same words", (conversation) => {
    const { text } = JSON.parse(converseBody(conversation, modelOf("claude"), {}, undefined)).system[0];
    const { system, output_config } = JSON.parse(messagesBody(conversation, "claude-sonnet-4-5", false));
    expect(system).toEqual([{ type: "text", text }]);
    expect(output_config).toBeUndefined();
  });

  it("cache marks go where a family has a cache, and fail no request elsewhere", () => {
    const cache_control = { type: "ephemeral" };
    const marked = {
      messages: [
        { role: "system", content: [{ type: "text", text: "Be short.", cache_control }] },
        { role: "user", content: [{ type: "text", text: "Hi", cache_control }] },
      ],
      tools: [{ type: "function", function: { name: "look", parameters: schema }, cache_control }],
    };
    const points = (family: Family): number[] => {
      const { system, messages, toolConfig } = body(marked, family);
      return [system, messages, toolConfig].map((part) => JSON.stringify(part).split("cachePoint").length - 1);
    };
    expect(points("claude")).toEqual([1, 1, 1]);
    expect(points("nova")).toEqual([1, 1, 0]);
    expect(points("llama")).toEqual([0, 0, 0]);
  });

  it("forbidding tools leaves them out, or forbids them where they must stay", () => {
    expect(body({ tools: chat.tools, tool_choice: "none" }, "nova").toolConfig).toBeUndefined();
    const forbidden = body({ ...chat, tool_choice: "none" }, "claude");
    expect(forbidden.toolConfig).toMatchObject({ tools: expect.any(Array) });
    expect(forbidden.additionalModelRequestFields).toEqual({ tool_choice: { type: "none" } });
  });
});

describe("what cannot be said is refused by name", () => {
  const user = (content: unknown) => ({ messages: [{ role: "user", content }] });
  it.each([
    [
      user([{ type: "image_url", image_url: { url: "https://example.com/a.png" } }]),
      "messages[0].content[0].image_url.url",
    ],
    [
      user([{ type: "image_url", image_url: { url: "data:image/tiff;base64,AA" } }]),
      "messages[0].content[0].image_url.url",
    ],
    [user([{ type: "input_audio", input_audio: {} }]), "messages[0].content[0].input_audio"],
    [user(null), "messages[0].content"],
    [{ messages: ["Hi"] }, "messages[0]"],
    [{ messages: [{ role: "function", content: "x" }] }, "messages[0].role"],
    [
      { messages: [{ role: "assistant", tool_calls: [{ id: "a", function: { name: "f", arguments: {} } }] }] },
      "messages[0].tool_calls[0].function.arguments",
    ],
    [{ ...user("Hi"), tools: [{ type: "custom" }] }, "tools[0].type"],
    [{ ...user("Hi"), temperature: "hot" }, "temperature"],
    [{ ...user("Hi"), service_tier: "scale" }, "service_tier"],
  ])("%j", (body, param) => {
    let refusal: unknown;
    try {
      chatConversation(body);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ status: 400, param });
  });
});
