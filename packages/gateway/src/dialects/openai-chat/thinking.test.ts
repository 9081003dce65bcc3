import { describe, expect, it } from "vitest";
import { messagesBody } from "../../upstreams/anthropic/request.ts";
import type { Family } from "../../upstreams/bedrock/family.ts";
import { converseBody } from "../../upstreams/bedrock/request.ts";
import { messagesConversation } from "../anthropic/request.ts";
import type { JsonObject } from "../body.ts";
import { chatConversation } from "./request.ts";

const messages = [{ role: "user", content: "Hi" }];
const asked = (thinking: unknown, more: JsonObject = {}) => chatConversation({ messages, thinking, ...more });
const told = (conversation: ReturnType<typeof asked>, id: string, family: Family = "claude") => {
  const body = JSON.parse(converseBody(conversation, { id, family, drops: false }, {}, undefined));
  return { ...body.additionalModelRequestFields, ...body.outputConfig };
};
const [haiku3, sonnet45, sonnet46, opus48, opus5, opus55] = [
  "anthropic.claude-3-haiku-20240307-v1:0",
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "us.anthropic.claude-sonnet-4-6",
  "anthropic.claude-opus-4-8",
  "us.anthropic.claude-opus-5",
  "us.anthropic.claude-opus-5-5",
] as const;
const adaptive = { type: "adaptive" };
const disabled = { type: "disabled" };
const budget = (budget_tokens: number) => ({ thinking: { type: "enabled", budget_tokens } });

describe("thinking in Anthropic's words", () => {
  it.each([
    [adaptive, {}, opus55, { thinking: adaptive }],
    [adaptive, {}, sonnet46, { thinking: adaptive }],
    [adaptive, { reasoning_effort: "low" }, opus55, { thinking: adaptive, effort: "low" }],
    // Those before know budgets only; what adapts thinks hard where nothing is said of it.
    [adaptive, {}, sonnet45, budget(4096)],
    [adaptive, { reasoning_effort: "low" }, sonnet45, budget(1024)],
    [adaptive, { max_tokens: 800 }, sonnet45, {}],
    [adaptive, {}, haiku3, {}],
    [disabled, {}, sonnet45, {}],
    [disabled, {}, opus48, {}],
    [disabled, {}, opus5, { thinking: disabled }],
    [disabled, { reasoning_effort: "high" }, opus5, { thinking: disabled }],
  ])("%j with %j to %s", (thinking, more, id, expected) => {
    expect(told(asked(thinking, more), id)).toEqual(expected);
    const { thinking: direct } = JSON.parse(messagesBody(asked(thinking, more), id, false));
    expect(direct).toEqual("thinking" in expected ? expected.thinking : undefined);
  });

  it.each([adaptive, disabled])("%j asks for nothing of a model that cannot think", (thinking) => {
    for (const family of ["llama", "nova", "nova2", "gpt-oss"] as const)
      expect(told(asked(thinking), family, family)).toEqual({});
  });

  it.each([
    ["a budget that is not named", { type: "enabled" }, "invalid_request", "thinking.budget_tokens"],
    ["a kind nobody knows", { type: "sometimes" }, "unsupported", "thinking.type"],
    ["no kind", { budget_tokens: 2000 }, "unsupported", "thinking.type"],
  ])("is refused by name for %s", (_, thinking, code, param) => {
    expect(() => asked(thinking)).toThrow(expect.objectContaining({ code, status: 400, param }));
  });

  it("is refused by name by a model that cannot be kept from it", () => {
    expect(() => told(asked(disabled), opus55)).toThrow(expect.objectContaining({ status: 400, param: "thinking" }));
  });

  it("wants its budget in messages, too", () => {
    const body = { max_tokens: 9000, messages, thinking: { type: "enabled" } };
    expect(() => messagesConversation(body)).toThrow(expect.objectContaining({ param: "thinking.budget_tokens" }));
  });
});
