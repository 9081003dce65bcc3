import { describe, expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import { converseConversation } from "../dialects/bedrock/request.ts";
import type { JsonObject } from "../dialects/body.ts";
import type { Conversation } from "../dialects/conversation.ts";
import { chatConversation } from "../dialects/openai-chat/request.ts";
import { responsesConversation } from "../dialects/openai-responses/request.ts";
import { GatewayError } from "../errors.ts";
import { messagesBody } from "./anthropic/request.ts";
import type { Family } from "./bedrock/family.ts";
import { converseBody } from "./bedrock/request.ts";
import { chatBody } from "./openai/request.ts";

const schema = { type: "object", properties: {} };
const toolSpec = { name: "look", inputSchema: { json: schema } };
const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };

/** A request without wishes, with tools offered and called. */
const dialects = {
  chat: (more: JsonObject) =>
    chatConversation({
      messages: [
        { role: "user", content: "Look" },
        { role: "assistant", content: null, tool_calls: [call] },
        { role: "tool", tool_call_id: "c1", content: "stars" },
      ],
      tools: [
        { type: "function", function: { name: "look" } },
        { type: "function", function: { name: "add" } },
      ],
      ...more,
    }),
  responses: (more: JsonObject) =>
    responsesConversation({
      input: [
        { role: "user", content: "Look" },
        { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: "stars" },
      ],
      tools: [
        { type: "function", name: "look" },
        { type: "function", name: "add" },
      ],
      ...more,
    }),
  messages: (more: JsonObject) =>
    messagesConversation({
      max_tokens: 500,
      messages: [
        { role: "user", content: "Look" },
        { role: "assistant", content: [{ type: "tool_use", id: "c1", name: "look", input: {} }] },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "c1", content: "stars" }] },
      ],
      tools: [
        { name: "look", input_schema: schema },
        { name: "add", input_schema: schema },
      ],
      ...more,
    }),
  converse: (more: JsonObject) =>
    converseConversation({
      messages: [
        { role: "user", content: [{ text: "Look" }] },
        { role: "assistant", content: [{ toolUse: { toolUseId: "c1", name: "look", input: {} } }] },
        { role: "user", content: [{ toolResult: { toolUseId: "c1", content: [{ text: "stars" }] } }] },
      ],
      toolConfig: { tools: [{ toolSpec }] },
      ...more,
    }),
} satisfies Record<string, (more: JsonObject) => Conversation>;

const bedrock =
  (family: Family, id: string = family) =>
  (conversation: Conversation) =>
    converseBody(conversation, { id, family, drops: false }, {}, undefined);
const upstreams = {
  llama: bedrock("llama"),
  nova2: bedrock("nova2"),
  sonnet: bedrock("claude", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
  opus: bedrock("claude", "us.anthropic.claude-opus-5-5"),
  anthropic: (conversation: Conversation) => messagesBody(conversation, "claude-opus-5-5", false),
  openai: (conversation: Conversation) =>
    chatBody(conversation, { model: "gpt", stream: false, limitName: "max_tokens", drops: false }),
};

const budget = { thinking: { type: "enabled", budget_tokens: 2000 } };
/** Without the call and its result, after which the earlier ones think no more. */
const begin = { messages: [{ role: "user", content: "Look" }] };

type Refusal = readonly [
  dialect: keyof typeof dialects,
  more: JsonObject,
  upstream: keyof typeof upstreams,
  param: string,
];
const refusals: readonly Refusal[] = [
  ["chat", { temperature: 0 }, "opus", "temperature"],
  ["chat", { top_p: 0.5 }, "anthropic", "top_p"],
  ["chat", { top_k: 5 }, "opus", "top_k"],
  ["chat", { top_k: 5 }, "llama", "top_k"],
  ["chat", { tool_choice: "required" }, "opus", "tool_choice"],
  ["chat", { parallel_tool_calls: false }, "llama", "parallel_tool_calls"],
  ["chat", { reasoning_effort: "low" }, "llama", "reasoning_effort"],
  ["chat", { reasoning_effort: "max" }, "nova2", "reasoning_effort"],
  ["chat", { reasoning_effort: "none" }, "anthropic", "reasoning_effort"],
  ["chat", { reasoning_effort: "huge" }, "opus", "reasoning_effort"],
  ["chat", budget, "llama", "thinking"],
  ["chat", { service_tier: "flex" }, "anthropic", "service_tier"],
  ["responses", { temperature: 0 }, "opus", "temperature"],
  ["responses", { tool_choice: "required" }, "opus", "tool_choice"],
  ["responses", { parallel_tool_calls: false }, "llama", "parallel_tool_calls"],
  ["responses", { reasoning: { effort: "low" } }, "llama", "reasoning.effort"],
  ["responses", { reasoning: { effort: "max" } }, "nova2", "reasoning.effort"],
  ["responses", { reasoning: { effort: "none" } }, "anthropic", "reasoning.effort"],
  ["responses", { reasoning: { effort: "huge" } }, "opus", "reasoning.effort"],
  ["responses", { service_tier: "flex" }, "anthropic", "service_tier"],
  ["messages", { temperature: 0 }, "opus", "temperature"],
  ["messages", { top_k: 5 }, "openai", "top_k"],
  ["messages", { tool_choice: { type: "any" } }, "opus", "tool_choice"],
  [
    "messages",
    { tool_choice: { type: "auto", disable_parallel_tool_use: true } },
    "llama",
    "tool_choice.disable_parallel_tool_use",
  ],
  ["messages", { output_config: { effort: "low" } }, "llama", "output_config.effort"],
  ["messages", { output_config: { effort: "max" } }, "nova2", "output_config.effort"],
  ["converse", { inferenceConfig: { temperature: 0 } }, "anthropic", "inferenceConfig.temperature"],
  ["converse", { inferenceConfig: { topP: 0.5 } }, "anthropic", "inferenceConfig.topP"],
  [
    "converse",
    { toolConfig: { tools: [{ toolSpec }], toolChoice: { any: {} } } },
    "anthropic",
    "toolConfig.toolChoice",
  ],
  ["converse", { serviceTier: { type: "flex" } }, "anthropic", "serviceTier.type"],
];

/** What to send instead, by its name, too. */
const hints: readonly (readonly [...Refusal, hint: string])[] = [
  [
    "chat",
    { ...begin, reasoning_effort: "low", max_tokens: 9 },
    "sonnet",
    "reasoning_effort",
    "Raise max_completion_tokens",
  ],
  [
    "responses",
    { input: "Look", reasoning: { effort: "low" }, max_output_tokens: 9 },
    "sonnet",
    "reasoning.effort",
    "Raise max_output_tokens",
  ],
  [
    "messages",
    { ...begin, max_tokens: 9, output_config: { effort: "low" } },
    "sonnet",
    "output_config.effort",
    "Raise max_tokens",
  ],
  ["messages", budget, "openai", "thinking", "Send output_config.effort"],
];

function refusal([dialect, more, upstream]: readonly [...Refusal, ...unknown[]]): unknown {
  try {
    return upstreams[upstream](dialects[dialect](more));
  } catch (error) {
    return error;
  }
}

describe("what an upstream has no words for is refused by the client's own name of it", () => {
  it.each(refusals)("%s: %j to %s: %s", (...row) => {
    const [, , , param] = row;
    expect(refusal(row)).toBeInstanceOf(GatewayError);
    expect(refusal(row)).toMatchObject({ status: 400, param, message: expect.stringContaining(`'${param}'`) });
  });

  it.each(hints)("%s: %j to %s: %s, %s", (...row) => {
    const [, , , param, hint] = row;
    expect(refusal(row)).toMatchObject({ status: 400, param, message: expect.stringContaining(hint) });
  });

  it("and without it nothing is", () => {
    for (const conversation of Object.values(dialects))
      for (const said of Object.values(upstreams)) expect(() => said(conversation({}))).not.toThrow();
  });
});
