import type { Conversation, SystemBlock } from "../dialects/conversation.ts";

const jsonOnly = "Answer with one valid JSON value and nothing else: no prose around it and no code fence.";

/** The system prompt. JSON without a schema is asked for in it: Converse and Anthropic have no field for that. */
export function systemPrompt({ system, outputFormat }: Conversation): readonly SystemBlock[] {
  return outputFormat?.type === "json" ? [...system, { text: jsonOnly }] : system;
}
