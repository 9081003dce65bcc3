import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../dialects/body.ts";
import { claudeBody } from "./claude-body.ts";

const base = { model: "claude", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const sent = (more: JsonObject, beta: string | null = null): JsonObject =>
  JSON.parse(claudeBody({ ...base, ...more }, beta));
const further = (beta: string, ...names: string[]): unknown => JSON.parse(claudeBody(base, beta, names)).anthropic_beta;
const tool = { name: "look", input_schema: { type: "object" } };

describe("the betas a client named", () => {
  it("are more where the operator knows more to be taken, and still only those that are named", () => {
    expect(further("brand-new-2030-01-01,other-2030-01-01", "brand-new-2030-01-01")).toEqual(["brand-new-2030-01-01"]);
    expect(further("", "brand-new-2030-01-01")).toBeUndefined();
  });

  it.each([
    ["none", null, undefined],
    ["taken ones", "effort-2025-11-24, context-1m-2025-08-07", ["effort-2025-11-24", "context-1m-2025-08-07"]],
    ["one twice", "effort-2025-11-24,effort-2025-11-24", ["effort-2025-11-24"]],
    ["one of Anthropic's own service", "fast-mode-2026-02-01", undefined],
    ["one that nobody knows", "brand-new-2030-01-01,effort-2025-11-24", ["effort-2025-11-24"]],
    ["one that no tool needs", "advanced-tool-use-2025-11-20", undefined],
    [
      "those of Claude Code 2.1.330",
      "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,thinking-token-count-2026-05-13,advanced-tool-use-2025-11-20,effort-2025-11-24,thinking-display-updates-2026-08-18",
      [
        "interleaved-thinking-2025-05-14",
        "context-management-2025-06-27",
        "effort-2025-11-24",
        "thinking-display-updates-2026-08-18",
      ],
    ],
  ])("%s", (_, header, expected) => {
    expect(sent({ tools: [tool] }, header).anthropic_beta).toEqual(expected);
  });

  it("may be named in the body, as clients of Bedrock do, with a version that is not for this body", () => {
    const body = { anthropic_version: "2026-10-21", anthropic_beta: ["fast-mode-2026-02-01", "effort-2025-11-24"] };
    expect(sent(body, "context-1m-2025-08-07")).toMatchObject({
      anthropic_version: "bedrock-2023-05-31",
      anthropic_beta: ["context-1m-2025-08-07", "effort-2025-11-24"],
    });
  });

  it("have other names where tools need them", () => {
    const header = "advanced-tool-use-2025-11-20";
    const deferred = { tools: [tool, { ...tool, defer_loading: true }] };
    expect(sent(deferred, header).anthropic_beta).toEqual(["tool-search-tool-2025-10-19"]);
    const searched = { tools: [{ type: "tool_search_tool_regex_20251119", name: "tool_search_tool_regex" }] };
    expect(sent(searched, header).anthropic_beta).toEqual(["tool-search-tool-2025-10-19"]);
    const shown = { tools: [{ ...tool, input_examples: [{}] }] };
    expect(sent(shown, header).anthropic_beta).toEqual(["tool-examples-2025-10-29"]);
  });

  it("get one more for a tool that streams eagerly, which is a field at Anthropic", () => {
    const eager = sent({ tools: [{ ...tool, eager_input_streaming: true }, tool] });
    expect(eager).toMatchObject({ anthropic_beta: ["fine-grained-tool-streaming-2025-05-14"], tools: [tool, tool] });
    expect(eager.tools).toEqual([tool, tool]);
    const patient = sent({ tools: [{ ...tool, eager_input_streaming: false }] });
    expect(patient.anthropic_beta).toBeUndefined();
    expect(patient.tools).toEqual([tool]);
  });
});

describe("cache marks", () => {
  const mark = { type: "ephemeral", ttl: "1h", scope: "global", evict_on_complete: true };
  const block = { type: "text", text: "Hi", cache_control: mark };
  const body = {
    system: [block],
    tools: [{ ...tool, cache_control: mark }],
    messages: [
      { role: "user", content: "Hi" },
      {
        role: "user",
        content: [block, { type: "tool_result", tool_use_id: "t", content: [block], cache_control: mark }],
      },
    ],
  };

  it("lose what only Anthropic's own service knows, wherever they stand", () => {
    const plain = sent(body, "prompt-caching-scope-2026-01-05");
    expect(JSON.stringify(plain)).not.toMatch(/scope|evict/);
    expect(JSON.stringify(plain).match(/"cache_control":\{"type":"ephemeral","ttl":"1h"\}/g)).toHaveLength(5);
  });

  it("stay as they are for a client that named no beta of prompt caching", () => {
    expect(sent(body)).toMatchObject(body);
  });
});

describe("an effort that a message states", () => {
  const effort = (said: string) => ({ role: "system", content: [], output_config: { effort: said } });
  const messages = [...base.messages, effort("low"), { role: "assistant", content: "Yes" }, effort("high")];
  const format = { type: "json_schema", schema: {} };

  it("holds for the request where the beta is unknown to Bedrock", () => {
    const body = sent({ messages, output_config: { effort: "medium", format } }, "per-turn-control-2026-07-01");
    expect(body.output_config).toEqual({ effort: "high", format });
    expect(body.messages).toEqual(messages.map(({ role, content }) => ({ role, content })));
    expect(body).not.toHaveProperty("anthropic_beta");
  });

  it.each([
    ["nothing else", {}, []],
    ["no content", { content: null }, []],
    ["empty content", { content: [] }, [{ role: "system", content: [] }]],
    ["when a text would go", { clear_at: "next_user_message" }, []],
    ["a text", { content: "Think." }, [{ role: "system", content: "Think." }]],
  ])("leaves no message without a word: %s", (_, more, left) => {
    const stating = { role: "system", output_config: { effort: "low" }, ...more };
    const body = sent({ messages: [...base.messages, stating] }, "per-turn-control-2026-07-01");
    expect(body).toMatchObject({ messages: [...base.messages, ...left], output_config: { effort: "low" } });
  });

  it("stays where the client named the beta that Bedrock knows", () => {
    const body = sent({ messages }, "mid-conversation-output-config-2026-07-01");
    expect(body.messages).toEqual(messages);
  });
});

describe("fields of Anthropic's", () => {
  it("are left out where the answer is no different", () => {
    const anthropicOnly = {
      service_tier: "auto",
      speed: "standard",
      tags: { team: "a" },
      inference_geo: "us",
      stream: true,
    };
    expect(sent(anthropicOnly)).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 100,
      messages: base.messages,
    });
  });

  // Microsoft's agent framework says it in every request.
  it.each([{ type: "auto" }, { type: "none" }, { type: "auto", disable_parallel_tool_use: true }])(
    "a choice that demands no call is left out where no tool is offered: %j",
    (tool_choice) => {
      for (const tools of [undefined, null, []]) expect(sent({ tool_choice, tools })).not.toHaveProperty("tool_choice");
      expect(sent({ tool_choice, tools: [tool] })).toMatchObject({ tool_choice });
    },
  );

  it("a choice that demands a call stays, and Claude says that there is none to make", () => {
    for (const type of ["any", "tool"])
      expect(sent({ tool_choice: { type } })).toMatchObject({ tool_choice: { type } });
  });

  it("are refused by name where it would be", () => {
    for (const more of [{ speed: "fast" }, { container: "c" }, { thread: {} }])
      expect(() => sent(more)).toThrow(expect.objectContaining({ code: "unsupported", param: Object.keys(more)[0] }));
  });

  it("have their later name on Bedrock", () => {
    const format = { type: "json_schema", schema: {} };
    expect(sent({ output_format: format, output_config: { effort: "low" } })).toMatchObject({
      output_config: { format, effort: "low" },
    });
    expect(sent({ output_format: format })).not.toHaveProperty("output_format");
    const later = { type: "json_schema", schema: { type: "object" } };
    expect(sent({ output_format: format, output_config: { format: later } }).output_config).toEqual({ format: later });
  });
});
