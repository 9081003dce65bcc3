import { describe, expect, it } from "vitest";
import { messagesConversation } from "../../dialects/anthropic/request.ts";
import type { Conversation, Message } from "../../dialects/conversation.ts";
import { chatConversation } from "../../dialects/openai-chat/request.ts";
import { responsesConversation } from "../../dialects/openai-responses/request.ts";
import { messagesBody } from "../anthropic/request.ts";
import { chatBody } from "../openai/request.ts";
import { converseBody } from "./request.ts";

const bytes = "JVBERi0=";
const filled = (name: string, format = "pdf") => ({ document: { format, name, source: { bytes } } });

/** One vocabulary for what each dialect says in its own way. */
interface Words {
  readonly convert: (turns: readonly unknown[]) => Conversation;
  readonly said: (text: string) => unknown;
  readonly file: (name: string, mediaType?: string) => unknown;
  /** A turn of the user's that holds the result of a call. */
  readonly result: (id: string, content: readonly unknown[]) => unknown;
}

const dialects: Readonly<Record<string, Words>> = {
  "chat completions": {
    convert: (messages) => chatConversation({ messages }),
    said: (text) => ({ type: "text", text }),
    file: (filename, mediaType = "application/pdf") => ({
      type: "file",
      file: { filename, file_data: `data:${mediaType};base64,${bytes}` },
    }),
    result: (id, content) => ({ role: "tool", tool_call_id: id, content }),
  },
  Responses: {
    convert: (input) => responsesConversation({ input }),
    said: (text) => ({ type: "input_text", text }),
    file: (filename, mediaType = "application/pdf") => ({
      type: "input_file",
      filename,
      file_data: `data:${mediaType};base64,${bytes}`,
    }),
    result: (id, output) => ({ type: "function_call_output", call_id: id, output }),
  },
  messages: {
    convert: (messages) => messagesConversation({ messages }),
    said: (text) => ({ type: "text", text }),
    file: (title, media_type = "application/pdf") => ({
      type: "document",
      title,
      source: { type: "base64", media_type, data: bytes },
    }),
    result: (id, content) => ({ role: "user", content: [{ type: "tool_result", tool_use_id: id, content }] }),
  },
};

const sent = (conversation: Conversation): readonly Message[] =>
  JSON.parse(converseBody(conversation, { id: "nova", family: "nova", drops: false }, {}, undefined)).messages;

describe.each(Object.entries(dialects))("what Bedrock refuses and others take, from %s:", (_, words) => {
  const { convert, said, file, result } = words;
  const greeting = [
    { role: "assistant", content: "Hello! How can I help?" },
    { role: "user", content: "Hi" },
  ];

  it("a greeting comes after a user's turn", () => {
    const made = sent(convert(greeting));
    expect(made.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(made[1]?.content).toEqual([{ text: "Hello! How can I help?" }]);
  });

  it("a greeting is the first word to a provider that takes one", () => {
    const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
    expect(JSON.parse(chatBody(convert(greeting), request)).messages).toEqual(greeting);
    const roles = JSON.parse(messagesBody(convert(greeting), "claude-sonnet-4-5", false)).messages;
    expect(roles.map(({ role }: Message) => role)).toEqual(["user", "assistant", "user"]);
  });

  it("a file without a word gets one", () => {
    expect(sent(convert([{ role: "user", content: [file("a.pdf")] }]))[0]?.content).toEqual([
      { text: "(no text)" },
      filled("a"),
    ]);
  });

  it("files of one name are numbered, in all turns and results", () => {
    const made = JSON.stringify(
      sent(
        convert([
          { role: "user", content: [said("And this?"), file("Report.pdf"), file("notes.pdf")] },
          result("1", [file("report.pdf")]),
          { role: "user", content: [said("And this?"), file("report.md", "text/markdown"), file("report (2).pdf")] },
        ]),
      ),
    );
    expect([...made.matchAll(/"name":"([^"]*)"/g)].map(([, name]) => name)).toEqual([
      "Report",
      "notes",
      "report (2)",
      "report (3)",
      "report (2) (2)",
    ]);
  });
});

it("two documents without a title are two documents", () => {
  const document = { type: "document", source: { type: "text", media_type: "text/plain", data: "Hi" } };
  const [turn] = sent(messagesConversation({ messages: [{ role: "user", content: [document, document] }] }));
  const data = Buffer.from("Hi").toString("base64");
  const text = (name: string) => ({ document: { format: "txt", name, source: { bytes: data } } });
  expect(turn?.content).toEqual([{ text: "(no text)" }, text("document"), text("document (2)")]);
});
