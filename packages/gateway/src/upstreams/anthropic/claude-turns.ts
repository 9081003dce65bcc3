import { isObject, type JsonObject } from "../../dialects/body.ts";

/**
 * A messages body for Claude without thoughts that nobody signed. The gateway writes those of other models with an empty
 * signature, clients hand them back after a change of models, and Claude refuses them. What is signed stays as it is.
 * @returns the same object where there are none
 */
export function claudeTurns(body: JsonObject): JsonObject {
  const { messages } = body;
  if (!Array.isArray(messages) || !messages.some((message) => blocksOf(message).some(isUnsigned))) return body;
  return { ...body, messages: messages.flatMap(signedTurn) };
}

/** A turn of nothing else is none: Claude takes no empty one, and two of one role as one. */
function signedTurn(message: unknown): unknown[] {
  const blocks = blocksOf(message);
  const content = blocks.filter((block) => !isUnsigned(block));
  if (!isObject(message) || content.length === blocks.length) return [message];
  return content.length === 0 ? [] : [{ ...message, content }];
}

function blocksOf(message: unknown): readonly unknown[] {
  return isObject(message) && Array.isArray(message.content) ? message.content : [];
}

function isUnsigned(block: unknown): boolean {
  return isObject(block) && block.type === "thinking" && block.signature === "";
}
