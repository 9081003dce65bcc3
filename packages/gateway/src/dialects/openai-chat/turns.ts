import type { ContentBlock, Conversation, Message, ToolResultBlock } from "../conversation.ts";

type Turns = Pick<Conversation, "system" | "messages">;

/** Longest name of a document, and what a number behind it takes. */
const maxName = 200;
const numberLength = 8;

/**
 * What OpenAI takes of a conversation and Bedrock does not, in a form that both do: one that begins with a greeting of
 * the assistant's or has only a system prompt, a file without a word, two files of one name.
 */
export function bothTake({ system, messages }: Turns): Turns {
  const first = messages[0];
  if (first === undefined) return onlySystem(system);
  const begun =
    first.role === "user"
      ? messages
      : [{ role: "user", content: [{ text: "(The assistant begins.)" }] } as const, ...messages];
  return { system, messages: holdsDocument(messages) ? withNamedDocuments(begun) : begun };
}

/** A prompt that is all there is asks for an answer as a user's does. */
function onlySystem(system: Turns["system"]): Turns {
  const said = system.filter((block) => "text" in block);
  return { system: [], messages: said.length === 0 ? [] : [{ role: "user", content: said }] };
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
