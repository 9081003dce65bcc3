import { describe, expect, it } from "vitest";
import type { ContentBlock, Conversation } from "../../dialects/conversation.ts";
import { messagesBody } from "./request.ts";

describe("a document", () => {
  const bytes = Buffer.from("Bob is a cät").toString("base64");
  const sent = (format: string, source: { bytes: string } | { text: string }): unknown => {
    const content: ContentBlock[] = [{ document: { format, name: "notes", source } }];
    const conversation: Conversation = {
      system: [],
      messages: [{ role: "user", content }],
      inferenceConfig: {},
      tools: [],
      wishes: {},
    };
    return JSON.parse(messagesBody(conversation, "claude-sonnet-4-5", false)).messages[0].content[0];
  };

  it.each(["txt", "md", "csv", "html"])("of text is text: %s", (format) => {
    const document = { type: "document", title: "notes", source: { type: "text", media_type: "text/plain" } };
    for (const source of [{ bytes }, { text: "Bob is a cät" }])
      expect(sent(format, source)).toEqual({ ...document, source: { ...document.source, data: "Bob is a cät" } });
  });

  it("of PDF goes as it is", () => {
    expect(sent("pdf", { bytes })).toMatchObject({ source: { media_type: "application/pdf", data: bytes } });
  });

  it.each(["docx", "xlsx", "doc", "xls"])(
    "of another kind is refused and not sent as if it were text: %s",
    (format) => {
      expect(() => sent(format, { bytes })).toThrow(new RegExp(`PDF and text, and not ${format}`));
    },
  );
});
