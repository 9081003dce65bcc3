import type { ContentBlock, Message } from "../../dialects/conversation.ts";
import { pushMessage } from "../../dialects/openai-chat/content.ts";

/**
 * The turns without thoughts that nobody signed, for Claude, which refuses them in any form. It signs all of its own, so
 * they are another model's, from before a change of models.
 */
export function signedThoughts(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ content }) => content.some(isUnsigned))) return messages;
  const signed: { role: Message["role"]; content: ContentBlock[] }[] = [];
  // A turn of nothing else is none, and its neighbours are one.
  for (const { role, content } of messages)
    pushMessage(
      signed,
      role,
      content.filter((block) => !isUnsigned(block)),
    );
  return signed;
}

function isUnsigned(block: ContentBlock): boolean {
  if (!("reasoningContent" in block) || !("reasoningText" in block.reasoningContent)) return false;
  const { signature } = block.reasoningContent.reasoningText;
  return signature === undefined || signature === "";
}
