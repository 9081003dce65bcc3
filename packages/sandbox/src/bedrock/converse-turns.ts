import type { ConverseBlock, ConverseMessage } from "./rule.ts";

/**
 * What Converse takes of no turn, in its words.
 * @throws TypeError for the first thing that is wrong
 */
export function checkTurns(messages: readonly ConverseMessage[], model: string): void {
  checkRoles(messages);
  const names = new Set<string>();
  for (const [index, { content }] of messages.entries()) {
    for (const [at, block] of content.entries()) {
      checkText(block, `messages.${index}.content.${at}`);
      checkThought(block, `messages.${index}.content.${at}`, model);
      checkCallId(block, `messages.${index + 1}.member.content.${at + 1}.member`);
    }
    const inside = content.flatMap((block): readonly ConverseBlock[] => [block, ...(block.toolResult?.content ?? [])]);
    for (const { document } of inside) if (document?.name !== undefined) checkName(document.name.toLowerCase(), names);
  }
}

function checkRoles([first]: readonly ConverseMessage[]): void {
  if (first?.role !== "user")
    throw new TypeError(
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    );
}

function checkText({ text }: ConverseBlock, path: string): void {
  if (text?.trim() === "")
    throw new TypeError(
      `The text field in the ContentBlock object at ${path} is blank. Add text to the text field, and try again.`,
    );
}

/** Claude signs all of its thoughts; others sign none, and take no empty signature. */
function checkThought({ reasoningContent }: ConverseBlock, path: string, model: string): void {
  const thought = reasoningContent?.reasoningText;
  if (thought?.signature === "") throw new TypeError(`${path}: Invalid \`signature\` in \`thinking\` block`);
  if (thought !== undefined && thought.signature === undefined && model.includes("anthropic.claude"))
    throw new TypeError(`${path}.thinking.signature: Field required`);
}

const callId = "[a-zA-Z0-9_-]+";

function checkCallId({ toolUse, toolResult }: ConverseBlock, path: string): void {
  const id = (toolUse ?? toolResult)?.toolUseId;
  if (id === undefined || new RegExp(`^${callId}$`).test(id)) return;
  const at = `${path}.${toolUse === undefined ? "toolResult" : "toolUse"}.toolUseId`;
  throw new TypeError(
    `1 validation error detected: Value '${id}' at '${at}' failed to satisfy constraint: Member must satisfy regular expression pattern: ${callId}`,
  );
}

function checkName(name: string, names: Set<string>): void {
  if (names.has(name))
    throw new TypeError("Messages can't contain duplicate document names. Rename the document and retry your request.");
  names.add(name);
}
