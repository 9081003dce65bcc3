import { describe, expect, it } from "vitest";
import { converse } from "../../../sandbox/src/bedrock/converse.ts";
import type { JsonObject } from "../dialects/body.ts";
import type { Conversation } from "../dialects/conversation.ts";
import { chatConversation } from "../dialects/openai-chat/request.ts";
import { responsesConversation } from "../dialects/openai-responses/request.ts";
import { messagesBody } from "./anthropic/request.ts";
import { converseBody } from "./bedrock/request.ts";

const model = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const called = { id: "c1", type: "function", function: { name: "now", arguments: "{}" } };
const history = [
  { role: "assistant", content: null, tool_calls: [called] },
  { role: "tool", tool_call_id: "c1", content: "noon" },
];
const asked = (tool_choice: unknown, more: JsonObject = {}, past: readonly unknown[] = []): Conversation =>
  chatConversation({
    messages: [{ role: "user", content: "When?" }, ...past],
    tools: [{ type: "function", function: { name: "now" } }],
    tool_choice,
    ...more,
  });

/** What Converse is told, after the stand-in has taken it. */
function toConverse(conversation: Conversation) {
  const body = JSON.parse(converseBody(conversation, { id: model, family: "claude", drops: false }, {}, undefined));
  converse(body, { model, rules: [], guarded: false, betas: [] });
  return {
    declared: body.toolConfig?.tools?.length ?? 0,
    chosen: body.toolConfig?.toolChoice,
    beside: body.additionalModelRequestFields?.tool_choice,
  };
}
const toAnthropic = (conversation: Conversation): unknown =>
  JSON.parse(messagesBody(conversation, model, false)).tool_choice;

const one = { parallel_tool_calls: false };
const single = { disable_parallel_tool_use: true };
const byName = { type: "function", function: { name: "now" } };

describe("a choice of tools reaches Claude once and whole", () => {
  it.each([
    ["nothing", undefined, {}, undefined, undefined, undefined],
    ["auto", "auto", {}, { type: "auto" }, { auto: {} }, undefined],
    ["required", "required", {}, { type: "any" }, { any: {} }, undefined],
    ["one by name", byName, {}, { type: "tool", name: "now" }, { tool: { name: "now" } }, undefined],
    ["one call", undefined, one, { type: "auto", ...single }, undefined, { type: "auto", ...single }],
    ["auto, one call", "auto", one, { type: "auto", ...single }, undefined, { type: "auto", ...single }],
    ["required, one call", "required", one, { type: "any", ...single }, { any: {} }, single],
    ["one by name, one call", byName, one, { type: "tool", name: "now", ...single }, { tool: { name: "now" } }, single],
  ])("%s", (_, choice, more, anthropic, chosen, beside) => {
    expect(toAnthropic(asked(choice, more))).toEqual(anthropic);
    expect(toConverse(asked(choice, more))).toEqual({ declared: 1, chosen, beside });
  });

  it.each([{}, one])("none is none, with or without one call at a time: %j", (more) => {
    expect(toAnthropic(asked("none", more))).toEqual({ type: "none" });
    expect(toConverse(asked("none", more))).toEqual({ declared: 0, chosen: undefined, beside: undefined });
    expect(toConverse(asked("none", more, history))).toEqual({
      declared: 1,
      chosen: undefined,
      beside: { type: "none" },
    });
  });

  it("none is none in Responses, too", () => {
    const tools = [{ type: "function", name: "now", parameters: {} }];
    const conversation = responsesConversation({ input: "When?", tools, tool_choice: "none", ...one });
    expect(toAnthropic(conversation)).toEqual({ type: "none" });
    expect(toConverse(conversation)).toEqual({ declared: 0, chosen: undefined, beside: undefined });
  });
});
