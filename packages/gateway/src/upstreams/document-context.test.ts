import { describe, expect, it } from "vitest";
import { messagesConversation } from "../dialects/anthropic/request.ts";
import { messagesBody } from "./anthropic/request.ts";
import { converseBody } from "./bedrock/request.ts";
import { chatBody } from "./openai/request.ts";

const document = (source: object, context: string | null = "Written in May.") => ({
  type: "document",
  title: "notes",
  context,
  source,
});
const text = { type: "text", media_type: "text/plain", data: "Bob is a cat" };
const pdf = { type: "base64", media_type: "application/pdf", data: "JVBERi0=" };
const asked = (...content: unknown[]) => messagesConversation({ max_tokens: 9, messages: [{ role: "user", content }] });

/** The content of the one turn, as it is sent. */
const sent = (body: string) => JSON.parse(body).messages[0].content;

describe("what a client says of a document beside it", () => {
  it("goes to Bedrock in Converse's field, and not when it is blank", () => {
    const nova = { id: "nova", family: "nova", drops: false } as const;
    const bodyOf = (...content: unknown[]) => sent(converseBody(asked(...content), nova, {}, undefined));
    const [, first] = bodyOf(document(pdf));
    expect(first.document).toEqual({
      format: "pdf",
      name: "notes",
      source: { bytes: pdf.data },
      context: "Written in May.",
    });
    for (const nothing of [null, " "]) expect(bodyOf(document(pdf, nothing))[1].document).not.toHaveProperty("context");
  });

  it("goes to Anthropic as it came", () => {
    expect(sent(messagesBody(asked(document(text), document(pdf)), "claude-sonnet-4-6", false))).toEqual([
      document(text),
      document(pdf),
    ]);
  });

  it("goes to OpenAI-compatible servers in words before it", () => {
    const request = { model: "m", stream: false, limitName: "max_tokens", drops: false } as const;
    expect(sent(chatBody(asked(document(text), document(pdf)), request))).toEqual([
      { type: "text", text: "About notes.txt: Written in May." },
      { type: "text", text: "notes.txt:\n\nBob is a cat" },
      { type: "text", text: "About notes.pdf: Written in May." },
      { type: "file", file: { filename: "notes.pdf", file_data: `data:application/pdf;base64,${pdf.data}` } },
    ]);
  });
});
