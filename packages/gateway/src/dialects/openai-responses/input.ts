import { isObject, type JsonObject, objectAt, unsupported, wrongType } from "../body.ts";
import type { ContentBlock, Message, SystemBlock } from "../conversation.ts";
import { isBlank, pushMessage } from "../openai-chat/content.ts";
import { compactPrompt, pastCompaction } from "./compaction.ts";
import { itemContent } from "./item-content.ts";
import { pastCall, pastOutput, pastSearch } from "./past-calls.ts";

const insteadOfReference =
  "it names an item of an earlier answer, and answers are not stored. Send the item itself, as the Vercel AI SDK does with providerOptions: { openai: { store: false } }.";

/** Input, a string or items, as system blocks and alternating turns. */
export function responsesInput(input: unknown): { system: SystemBlock[]; messages: Message[] } {
  const system: SystemBlock[] = [];
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  if (typeof input === "string") {
    pushMessage(messages, "user", itemContent(input, "input"));
    return { system, messages };
  }
  if (!Array.isArray(input)) throw wrongType("input", "a string or an array of items");
  for (let index = 0; index < input.length; index += 1) {
    const item = objectAt(input, index, "input");
    const path = `input[${index}]`;
    switch (item.type ?? "message") {
      case "message":
        pushItem(item, path, system, messages);
        break;
      case "function_call":
      case "custom_tool_call":
      case "tool_search_call":
        if (isOfProvider(item)) break;
        pushMessage(messages, "assistant", [pastCall(item, path)]);
        break;
      case "function_call_output":
      case "custom_tool_call_output":
        pushMessage(messages, "user", [pastOutput(item, path)]);
        break;
      case "tool_search_output":
        if (isOfProvider(item)) break;
        pushMessage(messages, "user", [pastSearch(item, path)]);
        break;
      case "reasoning":
        pushMessage(messages, "assistant", reasoning(item));
        break;
      case "compaction":
        pushMessage(messages, "user", [pastCompaction(item, path)]);
        break;
      case "compaction_trigger":
        if (index < input.length - 1) throw unsupported(`${path}.type`, "it has to be the last item.");
        pushMessage(messages, "user", [compactPrompt]);
        break;
      // Read with the tools.
      case "additional_tools":
      // A search elsewhere leaves its words here and what it found in the message behind it.
      case "web_search_call":
        break;
      default:
        throw unsupported(
          `${path}.type`,
          item.type === "item_reference"
            ? insteadOfReference
            : "use message, function_call, custom_tool_call and their output, tool_search_call and its output, or reasoning items.",
        );
    }
  }
  return { system, messages };
}

/** A search among tools that another provider made by itself: what it found is offered with the other tools. */
function isOfProvider(item: JsonObject): boolean {
  return item.execution === "server";
}

function pushItem(
  item: JsonObject,
  path: string,
  system: SystemBlock[],
  messages: { role: "user" | "assistant"; content: ContentBlock[] }[],
): void {
  const blocks = itemContent(item.content, `${path}.content`);
  if (item.role === "user" || item.role === "assistant") {
    pushMessage(messages, item.role, blocks);
    return;
  }
  if (item.role !== "system" && item.role !== "developer")
    throw unsupported(`${path}.role`, "use user, assistant, system or developer.");
  for (const block of blocks) {
    if (!("text" in block)) throw unsupported(`${path}.content`, "only text may stand here.");
    system.push(block);
  }
}

/** Thoughts come back in `encrypted_content`, where this dialect's answers put them with their signature. */
function reasoning(item: JsonObject): ContentBlock[] {
  if (typeof item.encrypted_content !== "string") return [];
  try {
    const kept: unknown = JSON.parse(Buffer.from(item.encrypted_content, "base64").toString("utf8"));
    if (!isObject(kept)) return [];
    if (typeof kept.redacted === "string") return [{ reasoningContent: { redactedContent: kept.redacted } }];
    if (typeof kept.text !== "string" || typeof kept.signature !== "string") return [];
    const { text, signature } = kept;
    if (signature !== "") return [{ reasoningContent: { reasoningText: { text, signature } } }];
    return isBlank(text) ? [] : [{ reasoningContent: { reasoningText: { text } } }];
  } catch {
    return [];
  }
}
