import { describe, expect, it } from "vitest";
import type { JsonObject } from "../body.ts";
import type { Tool } from "../conversation.ts";
import { responsesAnswer } from "./answer.ts";
import { responsesConversation } from "./request.ts";

const look = { type: "function", name: "look", parameters: { type: "object" } };
const run = { type: "custom", name: "run", description: "Runs code." };
const agents = { type: "namespace", name: "agents", description: "Other agents.", tools: [{ ...look, name: "spawn" }] };
const search = {
  type: "tool_search",
  execution: "client",
  description: "Finds tools.",
  parameters: { type: "object" },
};

const convert = (fields: JsonObject) => responsesConversation({ model: "m", input: "Hi", ...fields });
const names = (tools: readonly Tool[]) => tools.map((tool) => ("toolSpec" in tool ? tool.toolSpec.name : "cachePoint"));
const specs = (tools: readonly Tool[]) => tools.flatMap((tool) => ("toolSpec" in tool ? [tool.toolSpec] : []));
const refusal = (fields: JsonObject): unknown => {
  try {
    return convert(fields);
  } catch (error) {
    return error;
  }
};

describe("tools of the Responses API", () => {
  it("offers functions, free text, namespaces and a search by names that every model takes", () => {
    const { tools, system } = convert({ tools: [look, run, agents, search] });
    expect(names(tools)).toEqual(["look", "run", "agents__spawn", "tool_search"]);
    expect(system).toEqual([{ text: "Tools named agents__…: Other agents." }]);
  });

  it("asks for a custom tool's text as one string, and tells its grammar", () => {
    const format = { type: "grammar", syntax: "lark", definition: "start: WORD" };
    const [spec] = specs(convert({ tools: [{ ...run, format }] }).tools);
    expect(spec?.description).toBe("Runs code.");
    expect(spec?.inputSchema.json).toMatchObject({
      type: "object",
      properties: { input: { type: "string", description: expect.stringContaining("lark grammar:\nstart: WORD") } },
      required: ["input"],
    });
  });

  it("keeps long and odd names apart within the 64 characters that Bedrock takes", () => {
    const long = "n".repeat(60);
    const inside = [`${"a".repeat(60)}1`, `${"a".repeat(60)}2`, "a.b", "a_b"].map((name) => ({ ...look, name }));
    const offered = names(convert({ tools: [{ type: "namespace", name: long, tools: inside }] }).tools);
    expect(new Set(offered).size).toBe(4);
    for (const name of offered) expect(name).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it("takes tools from items of the input, each once", () => {
    const found = { type: "tool_search_output", call_id: "c2", execution: "client", tools: [agents, look] };
    const input = [
      { type: "additional_tools", role: "developer", tools: [agents] },
      { role: "user", content: "Hi" },
      { type: "tool_search_call", call_id: "c2", execution: "client", arguments: { query: "agent" } },
      found,
    ];
    const { tools, messages } = convert({ input, tools: [search] });
    expect(names(tools)).toEqual(["tool_search", "agents__spawn", "look"]);
    expect(messages[1]?.content).toEqual([
      { toolUse: { toolUseId: "c2", name: "tool_search", input: { query: "agent" } } },
    ]);
    expect(messages[2]?.content).toEqual([
      { toolResult: { toolUseId: "c2", content: [{ text: "These tools can be called now: agents__spawn, look" }] } },
    ]);
  });

  it("offers at once what a search of OpenAI's would find", () => {
    expect(names(convert({ tools: [{ ...look, defer_loading: true }, { type: "tool_search" }] }).tools)).toEqual([
      "look",
    ]);
  });

  it.each(["web_search", "web_search_preview", "image_generation"])(
    "leaves %s out beside tools of the client, tells the model, and shows it in the answer",
    (type) => {
      const fields = { tools: [{ type, external_web_access: true }, look] };
      const { tools, system } = convert(fields);
      expect(names(tools)).toEqual(["look"]);
      expect(system).toEqual([{ text: expect.stringContaining("in this conversation") }]);
      const answer = { content: [{ text: "Hi" }], stopReason: "end_turn", usage: noUsage };
      const meta = { id: "1", created: 1, model: "m", body: fields };
      expect(JSON.parse(responsesAnswer(answer, meta)).tools).toEqual([look]);
    },
  );

  it.each([
    [[{ type: "web_search" }], "tools[0].type", "there is no web search here"],
    [[look, { type: "mcp", server_label: "s" }], "tools[1].type", "Let the client connect"],
    [[look, { type: "file_search" }], "tools[1].type", "only function and custom tools"],
    [[look, { type: "code_interpreter" }], "tools[1].type", "only function and custom tools"],
    [[look, { type: "constructor" }], "tools[1].type", "only function and custom tools"],
    [[look, { type: "local_shell" }], "tools[1].type", "declare a function that runs commands"],
    [[{ ...look, allowed_callers: ["programmatic"] }], "tools[0].allowed_callers", "models call tools by themselves"],
    [[{ ...run, allowed_callers: ["programmatic"] }], "tools[0].allowed_callers", "models call tools by themselves"],
    [[{ ...agents, tools: [{ type: "mcp" }] }], "tools[0].tools[0].type", "Let the client connect"],
  ])("refuses %j by name", (tools, param, words) => {
    expect(refusal({ tools })).toMatchObject({ code: "unsupported", param, message: expect.stringContaining(words) });
  });

  it("takes no notice of hints about a tool", () => {
    const hints = { async: true, defer_loading: true, output_schema: {}, allowed_callers: ["direct", "programmatic"] };
    expect(convert({ tools: [{ ...look, ...hints }] })).toEqual(convert({ tools: [look] }));
  });

  it("chooses one tool of any kind", () => {
    const choice = (tool_choice: unknown) => convert({ tools: [look, run, agents], tool_choice }).toolChoice;
    expect(choice({ type: "function", name: "look" })).toEqual({ tool: { name: "look" } });
    expect(choice({ type: "custom", name: "run" })).toEqual({ tool: { name: "run" } });
    expect(choice({ type: "function", name: "spawn" })).toEqual({ tool: { name: "agents__spawn" } });
    expect(choice("required")).toEqual({ any: {} });
    expect(refusal({ tools: [look, { type: "web_search" }], tool_choice: { type: "web_search" } })).toMatchObject({
      param: "tool_choice",
    });
  });

  it("keeps from the model what is not among the allowed tools", () => {
    const allowed = (mode: string, tools: unknown) => ({ type: "allowed_tools", mode, tools });
    const tool_choice = allowed("required", [{ type: "custom", name: "run" }]);
    const { tools, toolChoice } = convert({ tools: [look, run, { type: "mcp" }], tool_choice });
    expect(names(tools)).toEqual(["run"]);
    expect(toolChoice).toEqual({ any: {} });
    expect(convert({ tools: [look], tool_choice: allowed("auto", [look]) }).toolChoice).toEqual({ auto: {} });
    const none = allowed("auto", [{ type: "function", name: "other" }]);
    expect(refusal({ tools: [look], tool_choice: none })).toMatchObject({ param: "tool_choice" });
  });
});

describe("calls in a history of the Responses API", () => {
  const asked = { role: "user", content: "Hi" };

  it("go back under the names the model knows", () => {
    const input = [
      asked,
      { type: "custom_tool_call", call_id: "c1", name: "run", input: 'print("1")' },
      { type: "function_call", call_id: "c2", name: "spawn", namespace: "agents", arguments: '{"at":1}' },
      { type: "custom_tool_call_output", call_id: "c1", output: "1" },
      { type: "function_call_output", call_id: "c2", output: [{ type: "input_text", text: "ok" }] },
    ];
    const { messages } = convert({ input, tools: [run, agents] });
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(messages[1]?.content).toEqual([
      { toolUse: { toolUseId: "c1", name: "run", input: { input: 'print("1")' } } },
      { toolUse: { toolUseId: "c2", name: "agents__spawn", input: { at: 1 } } },
    ]);
    expect(messages[2]?.content).toEqual([
      { toolResult: { toolUseId: "c1", content: [{ text: "1" }] } },
      { toolResult: { toolUseId: "c2", content: [{ text: "ok" }] } },
    ]);
  });

  it.each(['{"at":', "[1]", '"x"', "null"])("do not stop the session when a model wrote %s", (written) => {
    const input = [asked, { type: "function_call", call_id: "c1", name: "look", arguments: written }];
    expect(convert({ input, tools: [look] }).messages[1]?.content).toEqual([
      { toolUse: { toolUseId: "c1", name: "look", input: { arguments: written } } },
    ]);
  });

  it("are declared for providers when the request offers no tools, as Codex does to sum a session up", () => {
    const input = [
      asked,
      { type: "function_call", call_id: "c1", name: "spawn", namespace: "agents", arguments: "{}" },
      { type: "function_call_output", call_id: "c1", output: "ok" },
      { role: "user", content: "Sum up." },
    ];
    const { tools, wishes } = convert({ input, parallel_tool_calls: false });
    expect(names(tools)).toEqual(["agents__spawn"]);
    expect(specs(tools)[0]?.description).toContain("do not call it");
    // Only Claude has words for it, and here it says nothing.
    expect(wishes.parallelToolCalls).toBeUndefined();
  });

  it.each([
    ["item_reference", { id: "msg_1" }, "store: false"],
    ["local_shell_call", {}, "use message, function_call"],
  ])("refuses %s by name", (type, fields, words) => {
    const input = [asked, { type, ...fields }];
    const expected = { code: "unsupported", param: "input[1].type", message: expect.stringContaining(words) };
    expect(refusal({ input })).toMatchObject(expected);
  });

  it("takes thoughts without a signature, as open models give them", () => {
    const kept = Buffer.from(JSON.stringify({ text: "Hm", signature: "" })).toString("base64");
    const input = [asked, { type: "reasoning", id: "rs_1", summary: [], encrypted_content: kept }];
    expect(convert({ input }).messages[1]?.content).toEqual([{ reasoningContent: { reasoningText: { text: "Hm" } } }]);
  });
});

const noUsage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
