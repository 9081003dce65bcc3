import { describe, expect, it } from "vitest";
import type { ContentBlock, Conversation, ToolResultBlock } from "../../dialects/conversation.ts";
import { chatBody } from "./request.ts";

const image = { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } };
const url = { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } };

function sent(...results: readonly (readonly ToolResultBlock[])[]): unknown[] {
  const uses = results.map((_, index) => ({ toolUse: { toolUseId: `call_${index}`, name: "look", input: {} } }));
  const answers = results.map((content, index) => ({ toolResult: { toolUseId: `call_${index}`, content } }));
  const conversation: Conversation = {
    system: [],
    messages: [
      { role: "assistant", content: uses },
      { role: "user", content: [...answers, { text: "What is it?" }] },
    ],
    inferenceConfig: {},
    tools: [],
    wishes: {},
  };
  const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
  return JSON.parse(chatBody(conversation, request)).messages.slice(1);
}

it("the picture of a tool's result follows it in the user's name, after all results", () => {
  expect(sent([{ text: "a picture" }, image], [image], [{ json: { a: 1 } }])).toEqual([
    { role: "tool", tool_call_id: "call_0", content: "a picture" },
    { role: "tool", tool_call_id: "call_1", content: "(The result is in the message after this.)" },
    { role: "tool", tool_call_id: "call_2", content: '{"a":1}' },
    {
      role: "user",
      content: [
        { type: "text", text: "From the result of the call call_0:" },
        url,
        { type: "text", text: "From the result of the call call_1:" },
        url,
        { type: "text", text: "What is it?" },
      ],
    },
  ]);
});

it("results of text stay what they are", () => {
  expect(sent([{ text: "one" }, { text: "two" }])).toEqual([
    { role: "tool", tool_call_id: "call_0", content: "one\ntwo" },
    { role: "user", content: "What is it?" },
  ]);
});

it("a turn of nothing but thoughts is an empty text: without one Ollama refuses the conversation", () => {
  const thought = { reasoningContent: { reasoningText: { text: "I wonder" } } };
  const conversation: Conversation = {
    system: [],
    messages: [
      { role: "user", content: [{ text: "Hi" }] },
      { role: "assistant", content: [thought] },
      { role: "user", content: [{ text: "Go on" }] },
    ],
    inferenceConfig: {},
    tools: [],
    wishes: {},
  };
  const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
  expect(JSON.parse(chatBody(conversation, request)).messages[1]).toEqual({ role: "assistant", content: "" });
});

describe("a file", () => {
  const of = (format: string, source: { bytes: string } | { text: string }) => ({
    document: { format, name: "notes", source },
  });
  const user = (...content: ContentBlock[]): unknown => {
    const conversation: Conversation = {
      system: [],
      messages: [{ role: "user", content }],
      inferenceConfig: {},
      tools: [],
      wishes: {},
    };
    const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
    return JSON.parse(chatBody(conversation, request)).messages[0].content;
  };
  const bytes = Buffer.from("Bob is a cät").toString("base64");

  // vLLM: “Unsupported chat content part type: 'file'.”
  it.each(["txt", "md", "csv", "html"])("of text is text to servers that know no files: %s", (format) => {
    expect(user(of(format, { bytes }))).toBe(`notes.${format}:\n\nBob is a cät`);
    expect(user(of(format, { text: "Bob is a cät" }), { text: "Who?" })).toEqual([
      { type: "text", text: `notes.${format}:\n\nBob is a cät` },
      { type: "text", text: "Who?" },
    ]);
    expect(sent([of(format, { bytes })])[0]).toMatchObject({ content: `notes.${format}:\n\nBob is a cät` });
  });

  it("of another kind is a file", () => {
    expect(user(of("pdf", { bytes }))).toEqual([
      { type: "file", file: { filename: "notes.pdf", file_data: `data:application/pdf;base64,${bytes}` } },
    ]);
  });
});
