import {
  arrayField,
  type JsonObject,
  missing,
  objectAt,
  objectField,
  requiredList,
  requiredObject,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { CachePoint, ContentBlock, Conversation, SystemBlock, ToolResultBlock } from "../conversation.ts";
import { append, pushMessage } from "../openai-chat/content.ts";
import { memberOf, type Readers } from "./member.ts";
import { documentBlock, imageBlock, searchResultBlock, textParts } from "./sources.ts";

type TextBlock = { readonly text: string };

const systemReaders: Readers<SystemBlock> = {
  text: textBlock,
  cachePoint: cachePointBlock,
  guardContent: guardedText,
};
const userReaders: Readers<ContentBlock> = {
  text: textBlock,
  image: imageBlock,
  document: documentBlock,
  searchResult: searchResultBlock,
  toolResult: toolResultBlock,
  cachePoint: cachePointBlock,
  guardContent: guarded,
};
const assistantReaders: Readers<ContentBlock> = {
  text: textBlock,
  toolUse: toolUseBlock,
  reasoningContent: reasoningBlock,
  citationsContent: citedBlock,
  cachePoint: cachePointBlock,
};
const resultReaders: Readers<ToolResultBlock> = {
  text: textBlock,
  json: ({ json }) => ({ json }),
  image: imageBlock,
  document: documentBlock,
  searchResult: searchResultBlock,
};

/**
 * Converse's messages as turns. What is said to the model in the middle of a conversation joins the system prompt: other
 * providers have one place for it.
 * @throws GatewayError naming the block that another provider has no words for
 */
export function converseMessages(list: readonly unknown[]): Pick<Conversation, "system" | "messages"> {
  const system: SystemBlock[] = [];
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const message = objectAt(list, index, "messages");
    const path = `messages[${index}].content`;
    const content = requiredList(message, "content", path);
    if (message.role === "system") append(system, blocksOf(content, path, systemReaders));
    else if (message.role === "user") pushMessage(messages, "user", blocksOf(content, path, userReaders));
    else if (message.role === "assistant")
      pushMessage(messages, "assistant", blocksOf(content, path, assistantReaders));
    else throw wrongType(`messages[${index}].role`, "user, assistant or system");
  }
  return { system, messages };
}

/** Converse's `system`. */
export function converseSystem(list: readonly unknown[]): readonly SystemBlock[] {
  return blocksOf(list, "system", systemReaders);
}

function blocksOf<Block>(list: readonly unknown[], path: string, readers: Readers<Block>): Block[] {
  return list.map((_, index) => memberOf(objectAt(list, index, path), `${path}[${index}]`, readers));
}

function textBlock(block: JsonObject, path: string): TextBlock {
  const text = stringField(block, "text", `${path}.text`);
  if (text === undefined) throw missing(`${path}.text`);
  return { text };
}

/** Marked for a guardrail, which is Bedrock's; the words themselves are the user's as any others. */
function guarded(block: JsonObject, path: string): TextBlock | ReturnType<typeof imageBlock> {
  const at = `${path}.guardContent`;
  const content = requiredObject(block, "guardContent", at);
  if (content.image != null) return imageBlock(content, at);
  return textBlock(requiredObject(content, "text", `${at}.text`), `${at}.text`);
}

function guardedText(block: JsonObject, path: string): TextBlock {
  const said = guarded(block, path);
  if ("text" in said) return said;
  throw unsupported(`${path}.guardContent.image`, "a system prompt is text.");
}

/** @param path where the block stands, for the error */
export function cachePointBlock(block: JsonObject, path: string): CachePoint {
  const point = requiredObject(block, "cachePoint", `${path}.cachePoint`);
  const ttl = stringField(point, "ttl", `${path}.cachePoint.ttl`);
  return { cachePoint: { type: "default", ...(ttl === undefined ? {} : { ttl }) } };
}

function toolUseBlock(block: JsonObject, path: string): ContentBlock {
  const at = `${path}.toolUse`;
  const use = requiredObject(block, "toolUse", at);
  refuseType(use, at);
  const toolUseId = requiredString(use, "toolUseId", `${at}.toolUseId`);
  const name = requiredString(use, "name", `${at}.name`);
  return { toolUse: { toolUseId, name, input: objectField(use, "input", `${at}.input`) ?? {} } };
}

function toolResultBlock(block: JsonObject, path: string): ContentBlock {
  const at = `${path}.toolResult`;
  const result = requiredObject(block, "toolResult", at);
  refuseType(result, at);
  const toolUseId = requiredString(result, "toolUseId", `${at}.toolUseId`);
  const list = arrayField(result, "content", `${at}.content`);
  if (list === undefined) throw missing(`${at}.content`);
  const content = blocksOf(list, `${at}.content`, resultReaders);
  const status = stringField(result, "status", `${at}.status`);
  if (status === undefined) return { toolResult: { toolUseId, content } };
  if (status !== "success" && status !== "error") throw wrongType(`${at}.status`, "success or error");
  return { toolResult: { toolUseId, content, status } };
}

/** Where there is one, Bedrock ran the tool itself. */
function refuseType({ type }: JsonObject, at: string): void {
  if (type != null) throw unsupported(`${at}.type`, "tools run at the client.");
}

function reasoningBlock(block: JsonObject, path: string): ContentBlock {
  const at = `${path}.reasoningContent`;
  const reasoning = requiredObject(block, "reasoningContent", at);
  if (reasoning.redactedContent != null) {
    const redactedContent = requiredString(reasoning, "redactedContent", `${at}.redactedContent`);
    return { reasoningContent: { redactedContent } };
  }
  const said = requiredObject(reasoning, "reasoningText", `${at}.reasoningText`);
  const { text } = textBlock(said, `${at}.reasoningText`);
  const signature = stringField(said, "signature", `${at}.reasoningText.signature`);
  return { reasoningContent: { reasoningText: { text, ...(signature === undefined ? {} : { signature }) } } };
}

/** An earlier answer: what it stood on, the sources themselves say. */
function citedBlock(block: JsonObject, path: string): TextBlock {
  const at = `${path}.citationsContent`;
  const parts = textParts(requiredObject(block, "citationsContent", at), `${at}.content`);
  return { text: parts.map(({ text }) => text).join("") };
}
