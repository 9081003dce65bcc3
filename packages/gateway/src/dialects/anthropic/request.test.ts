import { describe, expect, it } from "vitest";
import type { Family } from "../../upstreams/bedrock/family.ts";
import { modelFields } from "../../upstreams/bedrock/model-fields.ts";
import { chatBody } from "../../upstreams/openai/request.ts";
import type { Conversation } from "../conversation.ts";
import { messagesConversation } from "./request.ts";

const base = { model: "nova", max_tokens: 100, messages: [{ role: "user", content: "Hi" }] };
const tool = (name: string, more = {}) => ({ name, input_schema: { type: "object" }, ...more });
const document = (type: string) => ({ type: "document", source: { type } });
const searched = { type: "tool_result", tool_use_id: "t", content: [{ type: "web_search_tool_result" }] };
const pictures = { type: "document", source: { type: "content", content: [{ type: "image" }] } };
const texts = (...list: string[]) => list.map((text) => ({ type: "text", text }));
const names = (body: Record<string, unknown>) =>
  messagesConversation(body).tools.map((each) => ("toolSpec" in each ? each.toolSpec.name : "cachePoint"));

describe("what clients made for Claude send to other models", () => {
  it("system messages among the others join the system prompt", () => {
    const conversation = messagesConversation({
      ...base,
      system: "Be brief.",
      messages: [
        ...base.messages,
        { role: "system", content: [{ type: "text", text: "It is Monday.", cache_control: { type: "ephemeral" } }] },
        { role: "assistant", content: "Hello." },
        { role: "system", content: "It is Tuesday." },
        { role: "user", content: "Which day?" },
      ],
    });
    const point = { cachePoint: { type: "default" } };
    expect(conversation.system).toEqual([
      { text: "Be brief." },
      { text: "It is Monday." },
      point,
      { text: "It is Tuesday." },
    ]);
    expect(conversation.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
  });

  it("a system message alone is asked as a user's, and nothing is refused", () => {
    const said = (role: string, content: string) => messagesConversation({ ...base, messages: [{ role, content }] });
    expect(said("system", "Hi")).toMatchObject({ system: [], messages: [{ role: "user", content: [{ text: "Hi" }] }] });
    const refusal = { code: "invalid_request", param: "messages" };
    expect(() => said("user", " ")).toThrow(expect.objectContaining(refusal));
  });

  it("a system message for one turn is not shown once the user has spoken again", () => {
    const said = (clear_at: unknown, ...later: object[]) => {
      const note = { role: "system", content: "It is Monday.", clear_at };
      return messagesConversation({ ...base, messages: [...base.messages, note, ...later] }).system;
    };
    const answer = { role: "assistant", content: "Yes." };
    const note = [{ text: "It is Monday." }];
    expect(said("next_user_message")).toEqual(note);
    expect(said("next_user_message", answer)).toEqual(note);
    expect(said("next_user_message", answer, ...base.messages)).toEqual([]);
    for (const clear_at of ["never", null, undefined]) expect(said(clear_at, ...base.messages)).toEqual(note);
    expect(() => said("tomorrow")).toThrow(
      expect.objectContaining({ code: "unsupported", param: "messages[1].clear_at" }),
    );
  });

  it("an effort that a system message states holds for the request, the last one of them", () => {
    const stating = (effort: string) => ({ role: "system", content: "Go on.", output_config: { effort } });
    const effort = (...messages: object[]) =>
      messagesConversation({ ...base, messages: [...base.messages, ...messages], output_config: { effort: "high" } })
        .wishes;
    expect(effort()).toMatchObject({ reasoningEffort: "high", usualEffort: true });
    expect(effort(stating("max"), stating("low"), { role: "assistant", content: "Yes." })).toMatchObject({
      reasoningEffort: "low",
      usualEffort: false,
    });
  });

  it.each([
    [
      "a change of the tools",
      { messages: [...base.messages, { role: "system", content: [{ type: "tool_removal" }] }] },
    ],
    [
      "a search on the provider's side",
      { messages: [{ role: "user", content: [{ type: "web_search_tool_result" }] }] },
    ],
    ["one in a tool's result", { messages: [{ role: "user", content: [searched] }] }],
    ["a server's call", { messages: [{ role: "assistant", content: [{ type: "server_tool_use" }] }] }],
    ["a file in a store", { messages: [{ role: "user", content: [{ type: "container_upload", file_id: "f" }] }] }],
    ["a document elsewhere", { messages: [{ role: "user", content: [document("url")] }] }],
    ["a document in a store", { messages: [{ role: "user", content: [document("file")] }] }],
    ["a document of pictures", { messages: [{ role: "user", content: [pictures] }] }],
    ["a tool for programs only", { tools: [tool("look", { allowed_callers: ["code_execution_20260120"] })] }],
  ])("%s is refused by name", (_, more) => {
    const param = expect.stringMatching(/\.(type|allowed_callers)$/);
    expect(() => messagesConversation({ ...base, ...more })).toThrow(
      expect.objectContaining({ code: "unsupported", param }),
    );
  });

  it("finds of a search and documents in parts are told in words", () => {
    const find = { type: "search_result", source: "https://a.example", title: "A", content: texts("one", "two") };
    const parts = (content: unknown) => ({ type: "document", title: "b", source: { type: "content", content } });
    const found = { type: "tool_result", tool_use_id: "t", content: [find] };
    const told = { text: "A (https://a.example):\n\none\ntwo" };
    const read = (text: string) => ({
      document: { format: "txt", name: "b", source: { bytes: Buffer.from(text).toString("base64") } },
    });
    const [message] = messagesConversation({
      ...base,
      messages: [{ role: "user", content: [find, found, parts(texts("one", "two")), parts("three")] }],
    }).messages;
    const result = { toolResult: { toolUseId: "t", content: [told] } };
    expect(message?.content).toEqual([told, result, read("one\n\ntwo"), read("three")]);
  });

  it.each(["search_result", "document"])("who wants a %s to be cited is told that nothing is", (type) => {
    const block = { type, source: "s", title: "t", content: texts("one"), citations: { enabled: true } };
    expect(() => messagesConversation({ ...base, messages: [{ role: "user", content: [block] }] })).toThrow(
      expect.objectContaining({ code: "unsupported", param: "messages[0].content[0].citations" }),
    );
  });

  it("hints about a tool change nothing", () => {
    const hints = { input_examples: [{ at: "sky" }], eager_input_streaming: true, allowed_callers: ["direct"] };
    const plain = messagesConversation({ ...base, tools: [tool("look")] });
    expect(messagesConversation({ ...base, tools: [tool("look", hints)] })).toEqual(plain);
  });

  it("a deferred tool is shown once a result refers to it", () => {
    const tools = [tool("search"), tool("add", { defer_loading: true }), tool("multiply", { defer_loading: true })];
    expect(names({ ...base, tools })).toEqual(["search"]);
    const found = [{ type: "tool_reference", tool_name: "add" }];
    const result = { role: "user", content: [{ type: "tool_result", tool_use_id: "t", content: found }] };
    const body = { ...base, tools, messages: [...base.messages, result] };
    expect(names(body)).toEqual(["search", "add"]);
    expect(JSON.stringify(messagesConversation(body).messages)).toContain("The tool add can be called");
  });

  it("an edit of the history that only clears is no reason to refuse, any other is", () => {
    const clearing = {
      edits: [{ type: "clear_thinking_20251015", keep: "all" }, { type: "clear_tool_uses_20250919" }],
    };
    expect(messagesConversation({ ...base, context_management: clearing })).toEqual(messagesConversation(base));
    const compacting = { edits: [{ type: "compact_20260112" }] };
    expect(() => messagesConversation({ ...base, context_management: compacting })).toThrow("context_management");
  });

  it("the usual effort is left out where a model may have none, any other is not", () => {
    const asked = (effort: string) => messagesConversation({ ...base, output_config: { effort } });
    const openai = (effort: string) =>
      JSON.parse(
        chatBody(asked(effort), { model: "gpt-4o", stream: false, limitName: "max_completion_tokens", drops: false }),
      ).reasoning_effort;
    expect(openai("high")).toBeUndefined();
    expect(openai("low")).toBe("low");
    const fields = (effort: string, family: Family) =>
      modelFields(asked(effort), { id: "m", family, drops: false }).fields;
    expect(fields("high", "nova")).toBeUndefined();
    expect(fields("high", "nova2")).toMatchObject({ reasoningConfig: { maxReasoningEffort: "high" } });
    expect(() => fields("low", "nova")).toThrow(expect.objectContaining({ param: "output_config.effort" }));
  });

  it("one call at a time is no wish where one tool must be called, and else is refused by the client's name", () => {
    const asked = (type: string, ...tools: unknown[]) =>
      messagesConversation({ ...base, tools, tool_choice: { type, name: "look", disable_parallel_tool_use: true } });
    const fields = (conversation: Conversation) => modelFields(conversation, { id: "m", family: "nova", drops: false });
    expect(fields(asked("tool", tool("look"), tool("add")))).toEqual({});
    expect(fields(asked("any", tool("look")))).toEqual({});
    const param = "tool_choice.disable_parallel_tool_use";
    for (const type of ["any", "auto"])
      expect(() => fields(asked(type, tool("look"), tool("add")))).toThrow(expect.objectContaining({ param }));
  });
});
