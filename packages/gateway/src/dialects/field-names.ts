import type { GatewayError } from "../errors.ts";
import { unsupported } from "./body.ts";
import type { Conversation } from "./conversation.ts";

/** What an upstream may have no words for, and what OpenAI's chat completions call it. */
const chatNames = {
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  maxTokens: "max_completion_tokens",
  toolChoice: "tool_choice",
  parallelToolCalls: "parallel_tool_calls",
  reasoningEffort: "reasoning_effort",
  thinkingBudget: "thinking",
  serviceTier: "service_tier",
} as const;

type NamedField = keyof typeof chatNames;
/** Of another dialect: those that it calls otherwise. */
export type FieldNames = Readonly<Partial<Record<NamedField, string>>>;

/** The client's own name of a field. */
export function fieldName({ names }: Pick<Conversation, "names">, field: NamedField): string {
  return names?.[field] ?? chatNames[field];
}

/** A refusal by the client's own name of the field. */
export function unsupportedField(
  conversation: Pick<Conversation, "names">,
  field: NamedField,
  why: string,
): GatewayError {
  return unsupported(fieldName(conversation, field), why);
}
