import {
  arrayField,
  isObject,
  type JsonObject,
  objectAt,
  parsedObject,
  requiredString,
  stringField,
  unsupported,
} from "../body.ts";
import type { ContentBlock, Message, SystemBlock } from "../conversation.ts";
import { append, cachePoint, pushMessage, textContent, userContent } from "./content.ts";

/** Chat messages into system blocks and alternating turns. */
export function chatMessages(list: readonly unknown[]): { system: SystemBlock[]; messages: Message[] } {
  const system: SystemBlock[] = [];
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const message = objectAt(list, index, "messages");
    const path = `messages[${index}]`;
    switch (message.role) {
      case "system":
      case "developer":
        append(system, [...textContent(message.content, `${path}.content`), ...marked(message)]);
        break;
      case "user":
        pushMessage(messages, "user", [...userContent(message.content, `${path}.content`), ...marked(message)]);
        break;
      case "assistant":
        pushMessage(messages, "assistant", assistantContent(message, path));
        break;
      case "tool":
        pushMessage(messages, "user", toolResult(message, path));
        break;
      case "function":
        throw unsupported(`${path}.role`, "functions were replaced by tools. Send a message with role 'tool'.");
      default:
        throw unsupported(`${path}.role`, "use system, developer, user, assistant or tool.");
    }
  }
  return { system, messages };
}

function marked(message: JsonObject) {
  const cache = cachePoint(message);
  return cache === undefined ? [] : [cache];
}

function toolResult(message: JsonObject, path: string): ContentBlock[] {
  const toolUseId = requiredString(message, "tool_call_id", `${path}.tool_call_id`);
  const parts = userContent(message.content, `${path}.content`);
  const content = parts.flatMap((block) => ("cachePoint" in block ? [] : [block]));
  // No cache point may stand inside a result; behind it everything that was marked is cached as well.
  const cache = marked(message)[0] ?? parts.find((block) => "cachePoint" in block);
  // A tool that returned nothing still has to be answered for, and Converse wants at least one block.
  const result = { toolUseId, content: content.length === 0 ? [{ text: "(no output)" }] : content };
  return cache === undefined ? [{ toolResult: result }] : [{ toolResult: result }, cache];
}

function assistantContent(message: JsonObject, path: string): ContentBlock[] {
  if (message.function_call != null) throw unsupported(`${path}.function_call`, "send tool_calls.");
  if (message.audio != null) throw unsupported(`${path}.audio`, "Bedrock's conversation takes no audio.");
  const blocks: ContentBlock[] = thinking(message, path);
  if (message.content != null) append<ContentBlock>(blocks, textContent(message.content, `${path}.content`));
  const refusal = stringField(message, "refusal", `${path}.refusal`);
  if (refusal !== undefined && refusal !== "") blocks.push({ text: refusal });
  const calls = arrayField(message, "tool_calls", `${path}.tool_calls`) ?? [];
  for (let index = 0; index < calls.length; index += 1) blocks.push(toolUse(calls, index, `${path}.tool_calls`));
  return [...blocks, ...marked(message)];
}

function toolUse(calls: readonly unknown[], index: number, list: string): ContentBlock {
  const call = objectAt(calls, index, list);
  const path = `${list}[${index}]`;
  if (!isObject(call.function)) throw unsupported(`${path}.type`, "only function calls can be translated.");
  const toolUseId = requiredString(call, "id", `${path}.id`);
  const name = requiredString(call.function, "name", `${path}.function.name`);
  return { toolUse: { toolUseId, name, input: toolInput(call.function.arguments, `${path}.function.arguments`) } };
}

/**
 * Models take objects only. What is none was cut off or wrong when a model wrote it, and OpenAI takes it back; refused,
 * it would stand in the way of every later turn.
 */
function toolInput(text: unknown, path: string): JsonObject {
  if (text == null || text === "") return {};
  if (typeof text !== "string") throw unsupported(path, "arguments are a string of JSON.");
  return parsedObject(text) ?? { arguments: text };
}

/**
 * Thoughts travel back with their signature (`thinking_blocks`). Without one Claude does not accept them, and the
 * models that sign nothing accept no signature, an empty one neither.
 */
function thinking(message: JsonObject, path: string): ContentBlock[] {
  const list = arrayField(message, "thinking_blocks", `${path}.thinking_blocks`) ?? [];
  return list.flatMap((_, index): ContentBlock[] => {
    const block = objectAt(list, index, `${path}.thinking_blocks`);
    if (typeof block.data === "string") return [{ reasoningContent: { redactedContent: block.data } }];
    if (typeof block.thinking !== "string" || typeof block.signature !== "string" || block.signature === "") return [];
    return [{ reasoningContent: { reasoningText: { text: block.thinking, signature: block.signature } } }];
  });
}
