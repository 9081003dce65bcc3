import { expect, it } from "vitest";
import { converseBody } from "../upstreams/bedrock/request.ts";
import { messagesConversation } from "./anthropic/request.ts";
import type { Conversation } from "./conversation.ts";
import { chatConversation } from "./openai-chat/request.ts";
import { responsesConversation } from "./openai-responses/request.ts";

const question = { role: "user", content: "q" };
const call = { id: "c1", type: "function", function: { name: "look", arguments: "{}" } };
const use = { type: "tool_use", id: "c1", name: "look", input: {} };
const result = { type: "tool_result", tool_use_id: "c1", content: "a" };

const chat = (more: object) =>
  chatConversation({
    messages: [
      question,
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "c1", content: "a" },
    ],
    ...more,
  });
const responses = (more: object) =>
  responsesConversation({
    input: [
      question,
      { type: "function_call", call_id: "c1", name: "look", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "a" },
    ],
    ...more,
  });
/** What AutoGen sends to have a tool's result put into words: the tool is offered, and forbidden. */
const offered = {
  tools: [{ name: "look", description: "Looks", input_schema: { type: "object", properties: { at: {} } } }],
  tool_choice: { type: "none" },
};
const functions = [{ type: "function", function: { name: "look", description: "Looks" } }];
const messages = (more: object) =>
  messagesConversation({
    max_tokens: 9,
    messages: [question, { role: "assistant", content: [use] }, { role: "user", content: [result] }],
    ...more,
  });

// Converse: "The toolConfig field must be defined when using toolUse and toolResult content blocks."
it.each<[string, (more: object) => Conversation, object[]]>([
  [
    "chat completions",
    chat,
    [{}, { tool_choice: "none" }, { tools: [], tool_choice: "auto" }, { tools: functions, tool_choice: "none" }],
  ],
  [
    "Responses",
    responses,
    [
      {},
      { tool_choice: "none" },
      { tools: [], tool_choice: "auto" },
      { tools: [{ type: "function", name: "look" }], tool_choice: "none" },
    ],
  ],
  ["messages", messages, [{}, { tool_choice: { type: "none" } }, { tools: [] }, offered]],
])(
  "a history of calls goes on without tools, and with tools that are forbidden, to a model that wants them declared: %s",
  (_, conversation, asked) => {
    for (const more of asked) {
      const model = { id: "amazon.nova-pro-v1:0", family: "nova", drops: false } as const;
      const { toolConfig } = JSON.parse(converseBody(conversation(more), model, {}, undefined));
      expect(toolConfig, JSON.stringify(more)).toStrictEqual({
        tools: [
          { toolSpec: expect.objectContaining({ name: "look", description: expect.stringContaining("do not call") }) },
        ],
      });
    }
  },
);
