import type { ContentBlock, Message, ToolResultBlock } from "../../dialects/conversation.ts";
import { withCallIds } from "../call-ids.ts";
import type { Family } from "./family.ts";

/** Longest name of a document, and what a number behind it takes. */
const maxName = 200;
const numberLength = 8;

/**
 * The turns as Converse takes them. What other protocols take and it refuses: a greeting of the assistant's at the
 * beginning, a file without a word, two files of one name, ids of calls in characters that are not AWS's, and of most
 * families that a call failed.
 */
export function converseTurns(messages: readonly Message[], family: Family): readonly Message[] {
  const told = takesStatus.has(family) ? messages : withToldErrors(messages);
  const begun = begunByUser(withCallIds(told));
  return holdsDocument(begun) ? withNamedDocuments(begun) : begun;
}

/** AWS documents the field for these; some of the others refuse the request for it. */
const takesStatus: ReadonlySet<Family> = new Set(["claude", "nova", "nova2"]);

/** A result says in words that its call failed. */
function withToldErrors(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ content }) => content.some(hasStatus))) return messages;
  return messages.map(({ role, content }) => ({ role, content: content.map(toldError) }));
}

function hasStatus(block: ContentBlock): boolean {
  return "toolResult" in block && block.toolResult.status !== undefined;
}

function toldError(block: ContentBlock): ContentBlock {
  if (!("toolResult" in block)) return block;
  const { status, ...result } = block.toolResult;
  return { toolResult: status === "error" ? { ...result, content: [{ text: "Error:" }, ...result.content] } : result };
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
  const unused = createNames();
  const rename = <Block extends ContentBlock | ToolResultBlock>(block: Block): Block => {
    if (!("document" in block)) return block;
    const name = unused(block.document.name);
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
function createNames(): (name: string) => string {
  const names = new Set<string>();
  /** The numbers up to there are taken: thousands of files may have one name. */
  const numbers = new Map<string, number>();
  return (name) => {
    const stem = name.slice(0, maxName - numberLength);
    let number = numbers.get(stem.toLowerCase()) ?? 1;
    let made = name;
    while (names.has(made.toLowerCase())) {
      number += 1;
      made = `${stem} (${number})`;
    }
    numbers.set(stem.toLowerCase(), number);
    names.add(made.toLowerCase());
    return made;
  };
}
