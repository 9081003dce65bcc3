import type { Conversation, Message, Tool } from "./conversation.ts";

type Offer = Pick<Conversation, "tools" | "toolChoice">;

/**
 * What a request offers; of one that offers nothing, summing a session up for example, the tools that its history has
 * called, and no choice among them. Converse and Anthropic refuse calls whose tools are not declared.
 */
export function withPastTools(offered: Offer, messages: readonly Message[]): Offer {
  return offered.tools.length === 0 ? { tools: pastTools(messages) } : offered;
}

function pastTools(messages: readonly Message[]): readonly Tool[] {
  const names = new Set<string>();
  for (const { content } of messages)
    for (const block of content) if ("toolUse" in block) names.add(block.toolUse.name);
  return [...names].map((name) => ({
    toolSpec: {
      name,
      description: "Was there earlier and is not now: do not call it.",
      inputSchema: { json: anything },
    },
  }));
}

const anything = { type: "object", properties: {} };

/** Whether a history holds calls or their results, which Converse and Anthropic take beside declared tools only. */
export function usesTools({ messages }: Pick<Conversation, "messages">): boolean {
  return messages.some(({ content }) => content.some((block) => "toolUse" in block || "toolResult" in block));
}
