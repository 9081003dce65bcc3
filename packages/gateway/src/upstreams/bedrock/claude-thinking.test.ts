import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../dialects/body.ts";
import { chatConversation } from "../../dialects/openai-chat/request.ts";
import { messagesBody } from "../anthropic/request.ts";
import { converseBody } from "./request.ts";

const [sonnet45, sonnet46, opus48, opus5, fable5] = [
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "us.anthropic.claude-sonnet-4-6",
  "anthropic.claude-opus-4-8",
  "us.anthropic.claude-opus-5",
  "us.anthropic.claude-fable-5",
] as const;
const asked = (more: JsonObject) => chatConversation({ messages: [{ role: "user", content: "Hi" }], ...more });
const told = (more: JsonObject, id: string, drops = false): JsonObject =>
  JSON.parse(converseBody(asked(more), { id, family: "claude", drops }, {}, undefined));
const effort = { reasoning_effort: "low" };
const budget = { thinking: { type: "enabled", budget_tokens: 2000 }, max_tokens: 9000 };

// “Thinking may not be enabled when tool_choice forces tool use.”
describe("a tool by force, which Claude calls without a thought", () => {
  const tools = [{ type: "function", function: { name: "look" } }];
  const byName = { type: "function", function: { name: "look" } };
  it.each([
    [sonnet45, effort, undefined],
    [sonnet45, budget, undefined],
    [sonnet46, effort, undefined],
    [sonnet46, { thinking: { type: "adaptive" } }, undefined],
    [opus48, effort, undefined],
    // Those think unless they are told not to.
    [opus5, effort, { thinking: { type: "disabled" } }],
    // This one always thinks, and takes it.
    [fable5, effort, undefined],
  ])("%s: %j", (id, wish, fields) => {
    for (const tool_choice of ["required", byName]) {
      const body = told({ tools, tool_choice, ...wish }, id);
      expect(body.toolConfig).toMatchObject({ toolChoice: tool_choice === "required" ? { any: {} } : { tool: {} } });
      expect(body.additionalModelRequestFields).toEqual(fields);
      expect(body.outputConfig).toBeUndefined();
      expect(body.inferenceConfig).toEqual("max_tokens" in wish ? { maxTokens: 9000 } : undefined);
      const direct = JSON.parse(messagesBody(asked({ tools, tool_choice, ...wish }), id, false));
      expect(direct.thinking).toEqual(fields?.thinking);
    }
  });

  it("says nothing of thinking where nothing was asked of it", () => {
    expect(told({ tools, tool_choice: "required" }, opus5).additionalModelRequestFields).toBeUndefined();
    const without = told({ tools, tool_choice: "auto", ...effort }, sonnet45);
    expect(without.additionalModelRequestFields).toHaveProperty("thinking");
  });
});

// “`temperature` may only be set to 1 when thinking is enabled.”
describe("sampling by a Claude that thinks", () => {
  it.each([
    ["temperature", { temperature: 0 }],
    ["top_p", { top_p: 0.5 }],
    ["top_k", { top_k: 5 }],
  ])("is refused by name, or left out where the operator wants it so: %s", (param, more) => {
    for (const wish of [effort, budget]) {
      expect(() => told({ ...more, ...wish }, sonnet45)).toThrow(expect.objectContaining({ status: 400, param }));
      expect(told({ ...more, ...wish }, sonnet45, true)).toEqual(told(wish, sonnet45));
    }
    expect(() => told({ ...more, ...effort }, sonnet46)).toThrow(expect.objectContaining({ param }));
  });

  it("is taken as far as it changes nothing, and a top_p of 0.95 and more", () => {
    expect(told({ temperature: 1, ...budget }, sonnet45).inferenceConfig).toEqual({ maxTokens: 9000 });
    expect(told({ temperature: 1, top_p: 1, ...budget }, sonnet45).inferenceConfig).toEqual({
      maxTokens: 9000,
      topP: 1,
    });
    expect(told({ top_p: 0.95, ...budget }, sonnet45).inferenceConfig).toEqual({ maxTokens: 9000, topP: 0.95 });
  });

  it("is as it was asked for where it does not think", () => {
    const sampling = { temperature: 0, top_k: 5 };
    for (const wish of [{}, { reasoning_effort: "none" }, { thinking: { type: "disabled" } }]) {
      const body = told({ ...sampling, ...wish }, sonnet45);
      expect(body.inferenceConfig).toEqual({ temperature: 0 });
      expect(body.additionalModelRequestFields).toEqual({ top_k: 5 });
    }
    const tools = [{ type: "function", function: { name: "look" } }];
    const forced = told({ ...sampling, ...effort, tools, tool_choice: "required" }, sonnet45);
    expect(forced.inferenceConfig).toEqual({ temperature: 0 });
  });
});
