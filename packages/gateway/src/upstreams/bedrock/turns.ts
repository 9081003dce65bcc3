import type { ContentBlock, Message, ToolResultBlock } from "../../dialects/conversation.ts";
import { withCallIds } from "../call-ids.ts";

/** Longest name of a document, and what a number behind it takes. */
const maxName = 200;
const numberLength = 8;

/**
 * The turns as Converse takes them. What other protocols take and it refuses: a greeting of the assistant's at the
 * beginning, a file without a word, two files of one name, ids of calls in characters that are not AWS's.
 */
export function converseTurns(messages: readonly Message[]): readonly Message[] {
  const begun = begunByUser(withCallIds(messages));
  return holdsDocument(begun) ? withNamedDocuments(begun) : begun;
}

/** The turns with a user's before the assistant's first, which Anthropic wants as well. */
export function begunByUser(messages: readonly Message[]): readonly Message[] {
  return messages[0]?.role === "assistant"
    ? [{ role: "user", content: [{ text: "(The assistant begins.)" }] }, ...messages]
    : messages;
}

function holdsDocument(messages: readonly Message[]): boolean {
  for (const { content } of messages)
    for (const block of content)
      if ("document" in block || ("toolResult" in block && block.toolResult.content.some(isDocument))) return true;
  return false;
}

function isDocument(block: ContentBlock | ToolResultBlock): boolean {
  return "document" in block;
}

function withNamedDocuments(messages: readonly Message[]): readonly Message[] {
  const names = new Set<string>();
  const rename = <Block extends ContentBlock | ToolResultBlock>(block: Block): Block => {
    if (!("document" in block)) return block;
    const name = unused(block.document.name, names);
    return name === block.document.name ? block : { ...block, document: { ...block.document, name } };
  };
  return messages.map(({ role, content }) => {
    const named = content.map((block): ContentBlock => {
      if (!("toolResult" in block)) return rename(block);
      return { toolResult: { ...block.toolResult, content: block.toolResult.content.map(rename) } };
    });
    const at = named.findIndex(isDocument);
    if (at >= 0 && !named.some((block) => "text" in block)) named.splice(at, 0, { text: "(no text)" });
    return { role, content: named };
  });
}

/** `report`, `report (2)`, …; AWS compares names without regard to case. */
function unused(name: string, names: Set<string>): string {
  let made = name;
  for (let number = 2; names.has(made.toLowerCase()); number += 1)
    made = `${name.slice(0, maxName - numberLength)} (${number})`;
  names.add(made.toLowerCase());
  return made;
}
