import { createHash } from "node:crypto";
import type { ContentBlock, Message } from "../dialects/conversation.ts";

/** Bedrock's; Anthropic takes no other characters, either. */
const taken = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * An id of a call as Bedrock and Anthropic take it. Others give ids such as `functions.now:0`, which a history brings along
 * after a change of models. The same always, so that call and result still belong together, and by a whole digest, so that
 * no two become one.
 */
export function callId(id: string): string {
  return taken.test(id) ? id : `call_${createHash("sha256").update(id).digest("base64url")}`;
}

/** The turns with such ids only. */
export function withCallIds(messages: readonly Message[]): readonly Message[] {
  if (!messages.some(({ content }) => content.some(isForeign))) return messages;
  return messages.map(({ role, content }) => ({ role, content: content.map(renamed) }));
}

function isForeign(block: ContentBlock): boolean {
  if ("toolUse" in block) return !taken.test(block.toolUse.toolUseId);
  return "toolResult" in block && !taken.test(block.toolResult.toolUseId);
}

function renamed(block: ContentBlock): ContentBlock {
  if ("toolUse" in block) return { toolUse: { ...block.toolUse, toolUseId: callId(block.toolUse.toolUseId) } };
  if (!("toolResult" in block)) return block;
  return { toolResult: { ...block.toolResult, toolUseId: callId(block.toolResult.toolUseId) } };
}
