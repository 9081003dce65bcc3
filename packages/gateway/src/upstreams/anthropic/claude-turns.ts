import { isObject, type JsonObject } from "../../dialects/body.ts";
import { callId } from "../call-ids.ts";

/**
 * A messages body for Claude without what only turns of other models leave in it, which clients hand back after a change of
 * models and Claude refuses: thoughts that nobody signed, written by the gateway with an empty signature, and ids of calls in
 * characters of another provider's. Whatever else the turns hold stays as it is.
 * @returns the same object where there is nothing of the kind
 */
export function claudeTurns(body: JsonObject): JsonObject {
  const { messages } = body;
  if (!Array.isArray(messages) || messages.every(isClaudes)) return body;
  return { ...body, messages: messages.flatMap(claudeTurn) };
}

function isClaudes(message: unknown): boolean {
  return !isObject(message) || !Array.isArray(message.content) || message.content.every(isBlockOfClaudes);
}

function isBlockOfClaudes(block: unknown): boolean {
  return claudeBlock(block) === block;
}

/** A turn of nothing but such thoughts is none: Claude takes no empty one, and two of one role as one. */
function claudeTurn(message: unknown): unknown[] {
  if (!isObject(message) || !Array.isArray(message.content) || isClaudes(message)) return [message];
  const content = message.content.map(claudeBlock).filter((block) => block !== undefined);
  return content.length === 0 ? [] : [{ ...message, content }];
}

/** The same block where it is one that Claude takes; nothing where it can take none of it. */
function claudeBlock(block: unknown): unknown {
  if (!isObject(block)) return block;
  if (block.type === "thinking") return block.signature === "" ? undefined : block;
  const at = block.type === "tool_use" ? "id" : block.type === "tool_result" ? "tool_use_id" : undefined;
  const id = at === undefined ? undefined : block[at];
  if (at === undefined || typeof id !== "string" || callId(id) === id) return block;
  return { ...block, [at]: callId(id) };
}
