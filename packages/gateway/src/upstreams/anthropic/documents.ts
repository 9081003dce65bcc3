import { unsupported } from "../../dialects/body.ts";
import type { ContentBlock, Conversation, ToolResultBlock } from "../../dialects/conversation.ts";
import { textFormats } from "../../dialects/media.ts";
import { saidAt } from "../said-at.ts";

/**
 * Anthropic reads PDF and text, and no other file.
 * @param body what the client sent, whose field is named
 * @throws GatewayError `unsupported`
 */
export function refuseDocuments({ messages }: Conversation, body: unknown): void {
  for (const block of messages.flatMap(({ content }) => content.flatMap(withResults))) {
    if (!("document" in block)) continue;
    const { format, source } = block.document;
    if (format === "pdf" || textFormats.has(format) || !("bytes" in source)) continue;
    const path = saidAt(body, source.bytes) ?? "document";
    throw unsupported(path, `this model's provider takes PDF and text, and not ${format}.`);
  }
}

function withResults(block: ContentBlock): readonly (ContentBlock | ToolResultBlock)[] {
  return "toolResult" in block ? block.toolResult.content : [block];
}
