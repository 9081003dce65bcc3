import { describe, expect, it } from "vitest";
import { converse } from "../converse.ts";
import { claude } from "./claude.ts";
import { nova } from "./nova.ts";

const base = { anthropic_version: "bedrock-2023-05-31", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const tool = { name: "look", input_schema: { type: "object" } };
const sonnet46 = "us.anthropic.claude-sonnet-4-6";
const sonnet45 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const opus47 = "us.anthropic.claude-opus-4-7";
const run = (more: Record<string, unknown>, model = sonnet46, betas: readonly string[] = []) =>
  claude({ ...base, ...more }, { model, rules: [], guarded: false, betas }).json();

describe("refuses as Claude on Bedrock does", () => {
  const enabled = { type: "enabled", budget_tokens: 1024 };
  it.each([
    ["a beta of Anthropic's own service", { anthropic_beta: ["prompt-caching-scope-2026-01-05"] }, "invalid beta flag"],
    ["a beta that Bedrock calls otherwise", { anthropic_beta: ["advanced-tool-use-2025-11-20"] }, "invalid beta flag"],
    ["an unknown field", { service_tier: "auto" }, "service_tier: Extra inputs are not permitted"],
    ["structured output by its old name", { output_format: {} }, "output_format: Extra inputs are not permitted"],
    [
      "a field of a beta that was not named",
      { context_management: { edits: [] } },
      "context_management: Extra inputs are not permitted",
    ],
    [
      "a deferred tool without its beta",
      { tools: [tool, { ...tool, defer_loading: true }] },
      "tools.1.custom.defer_loading: Extra inputs are not permitted",
    ],
    [
      "eager streaming as a field",
      { tools: [{ ...tool, eager_input_streaming: true }] },
      "tools.0.custom.eager_input_streaming: Extra inputs are not permitted",
    ],
    [
      "a cache mark with a scope",
      { system: [{ type: "text", text: "Hi", cache_control: { type: "ephemeral", scope: "global" } }] },
      "system.0.cache_control.scope: Extra inputs are not permitted",
    ],
    [
      "a tool of Anthropic's servers",
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      "tools.0: Input tag 'web_search_20250305' found",
    ],
    [
      "an effort of one message without its beta",
      { messages: [...base.messages, { role: "assistant", content: "x", output_config: { effort: "low" } }] },
      "messages.1.output_config: Extra inputs are not permitted",
    ],
    [
      "thoughts shown as updates without their beta",
      { thinking: { type: "adaptive", display: "updates" } },
      "thinking.adaptive.display: Input should be",
    ],
    [
      "thoughts that it did not sign",
      {
        messages: [
          ...base.messages,
          { role: "assistant", content: [{ type: "thinking", thinking: "Hm", signature: "" }] },
          ...base.messages,
        ],
      },
      "messages.1.content.0: Invalid `signature` in `thinking` block",
    ],
    [
      "an id of another provider's",
      { messages: [{ role: "user", content: [{ type: "tool_result", tool_use_id: "functions.now:0" }] }] },
      "messages.0.content.0.tool_result.tool_use_id: String should match pattern",
    ],
    ["thoughts as long as the answer", { max_tokens: 1024, thinking: enabled }, "`max_tokens` must be greater"],
    [
      "a system message among the others",
      { messages: [...base.messages, { role: "system", content: "x" }] },
      "messages.1.role",
    ],
  ])("%s", (_, more, message) => {
    expect(() => run(more)).toThrow(message);
  });

  it("a version of the protocol that is newer than the model, or a field that it does not have", () => {
    const newer = { anthropic_version: "2026-10-21" };
    expect(() => run(newer)).toThrow("anthropic_version: Input should be 'bedrock-2023-05-31'");
    expect(run(newer, opus47)).toMatchObject({ stop_reason: "end_turn" });
    expect(() => run({ ...newer, temperature: 1 }, opus47)).toThrow("temperature: Extra inputs are not permitted");
  });

  it("thinking of a kind that the model does not have", () => {
    const limit = { max_tokens: 2000 };
    expect(() => run({ ...limit, thinking: { type: "adaptive" } }, sonnet45)).toThrow(
      "adaptive thinking is not supported",
    );
    expect(() => run({ ...limit, thinking: enabled }, opus47)).toThrow("is not supported for this model");
    expect(run({ ...limit, thinking: enabled }, sonnet45)).toMatchObject({ content: [{ type: "thinking" }, {}] });
    expect(run({ ...limit, thinking: { type: "adaptive" } }, opus47)).toMatchObject({
      content: [{ type: "thinking" }, {}],
    });
  });
});

it("takes those fields with their betas, named in the body or the header", () => {
  const deferred = { tools: [{ ...tool, defer_loading: true }] };
  const managed = { context_management: { edits: [] } };
  const betas = ["tool-search-tool-2025-10-19", "context-management-2025-06-27"];
  expect(run({ ...deferred, ...managed, anthropic_beta: betas })).toMatchObject({ stop_reason: "end_turn" });
  expect(run({ ...deferred, ...managed }, sonnet46, betas)).toMatchObject({ stop_reason: "end_turn" });
});

it("is not Nova, which says what it does not know", () => {
  const asked = () => nova(base, { model: "amazon.nova-lite-v1:0", rules: [], guarded: false, betas: [] });
  expect(asked).toThrow("Malformed input request: #: extraneous key [anthropic_version] is not permitted");
});

it("takes thoughts for Converse that it signed only, and others none with an empty signature", () => {
  const asked = (model: string, signed: object) => () => {
    const content = [{ reasoningContent: { reasoningText: { text: "Hm", ...signed } } }];
    const user = { role: "user", content: [{ text: "Hi" }] };
    const messages = [user, { role: "assistant", content }, user];
    return converse({ messages }, { model, rules: [], guarded: false, betas: [] }).json();
  };
  const nova = "us.amazon.nova-2-lite-v1:0";
  expect(asked(sonnet46, {})).toThrow("messages.1.content.0.thinking.signature: Field required");
  for (const model of [sonnet46, nova]) expect(asked(model, { signature: "" })).toThrow("Invalid `signature`");
  expect(asked(nova, {})()).toMatchObject({ stopReason: "end_turn" });
  expect(asked(sonnet46, { signature: "c2ln" })()).toMatchObject({ stopReason: "end_turn" });
});

it("thinks and fits a schema for Converse, too, where Claude's own fields ask for it", () => {
  const messages = [{ role: "user", content: [{ text: "Who?" }] }];
  const schema = { type: "object", properties: { name: { type: "string" } } };
  const asked = (additionalModelRequestFields: unknown, model = sonnet45) =>
    converse({ messages, additionalModelRequestFields }, { model, rules: [], guarded: false, betas: [] }).json();
  const thinking = { type: "enabled", budget_tokens: 1024 };
  expect(asked({ thinking, output_config: { format: { type: "json_schema", schema } } })).toMatchObject({
    output: { message: { content: [{ reasoningContent: {} }, { text: expect.stringMatching(/^{"name":/) }] } },
  });
  expect(() => asked({ thinking }, opus47)).toThrow("is not supported for this model");
  expect(() => asked({ anthropic_beta: ["fast-mode-2026-02-01"] })).toThrow("invalid beta flag");
});

describe("a choice of tools beside Converse's own words", () => {
  const asked = (tool_choice: object, toolConfig?: object) => {
    const messages = [{ role: "user", content: [{ text: "Hi" }] }];
    const body = { messages, additionalModelRequestFields: { tool_choice }, toolConfig };
    return converse(body, { model: sonnet46, rules: [], guarded: false, betas: [] }).json();
  };
  const tools = [{ toolSpec: { name: "look", inputSchema: { json: {} } } }];
  const single = { disable_parallel_tool_use: true };

  it.each([
    ["a kind that is said in both", { type: "tool", name: "look" }, { tools, toolChoice: { tool: { name: "look" } } }],
    ["even the same", { type: "auto", ...single }, { tools, toolChoice: { auto: {} } }],
  ])("is refused: %s", (_, choice, toolConfig) => {
    const kind = Object.keys(toolConfig.toolChoice)[0];
    const conflict = `tool_choice/type conflicts with the existing field toolConfig.toolChoice.${kind}`;
    expect(() => asked(choice, toolConfig)).toThrow(conflict);
  });

  it("is refused without tools, and without a kind in either", () => {
    expect(() => asked({ type: "any" })).toThrow("only be specified while providing tools");
    expect(() => run({ tool_choice: { type: "any" } })).toThrow("only be specified while providing tools");
    expect(() => asked(single, { tools })).toThrow("tool_choice.type: Field required");
  });

  it("is taken where each says its part", () => {
    expect(asked(single, { tools, toolChoice: { any: {} } })).toHaveProperty("output");
    expect(asked({ type: "auto", ...single }, { tools })).toHaveProperty("output");
  });
});
