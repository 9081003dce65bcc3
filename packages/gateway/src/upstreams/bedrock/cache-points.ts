import type { Conversation } from "../../dialects/conversation.ts";
import type { Family } from "./family.ts";

/**
 * The conversation with the cache points that a family takes. They change no answer, and some clients mark every
 * conversation, while Bedrock refuses a request for one at a place or in a family that has no cache: Claude has one
 * everywhere, Nova none for tools, the others none.
 */
export function cachedWithin(conversation: Conversation, family: Family): Conversation {
  if (family === "claude") return conversation;
  const { system, messages, tools } = conversation;
  const unmarked = tools.some(isPoint) ? { ...conversation, tools: tools.filter(isNoPoint) } : conversation;
  if (family === "nova" || family === "nova2") return unmarked;
  if (!system.some(isPoint) && !messages.some(({ content }) => content.some(isPoint))) return unmarked;
  return {
    ...unmarked,
    system: system.filter(isNoPoint),
    messages: messages.map((message) => ({ ...message, content: message.content.filter(isNoPoint) })),
  };
}

function isPoint(block: object): boolean {
  return "cachePoint" in block;
}

function isNoPoint(block: object): boolean {
  return !isPoint(block);
}
