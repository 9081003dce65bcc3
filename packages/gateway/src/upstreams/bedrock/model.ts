import type { Conversation, Wishes } from "../../dialects/conversation.ts";
import { unsupportedField } from "../../dialects/field-names.ts";
import type { GatewayError } from "../../errors.ts";
import { claudeEfforts } from "./claude-generations.ts";
import type { Family } from "./family.ts";

/** A model, as far as its words differ from others'. */
export interface Model {
  readonly id: string;
  readonly family: Family;
  /** What it has no words for is left out instead of refused (`drop_params`). */
  readonly drops: boolean;
}

type Wish = Exclude<keyof Wishes, "usualEffort" | "adaptiveThinking">;

/**
 * Refuses the first of these that is asked for and would change something, unless the operator wants it left out.
 * `parallel_tool_calls: true` and an effort of `none` ask for what happens anyway.
 * @throws GatewayError `unsupported` by the client's name
 */
export function refuse({ drops }: Model, conversation: Conversation, fields: readonly Wish[]): void {
  const { wishes } = conversation;
  if (drops) return;
  for (const name of fields) {
    const value = wishes[name];
    if (value === undefined || value === true || value === "none") continue;
    if (name === "reasoningEffort" && wishes.usualEffort === true) continue;
    throw unsupportedField(conversation, name, "this model has no such setting. Leave it out or choose another model.");
  }
}

/** The refusal of an effort that is a word of nobody's. */
export function noSuchEffort(conversation: Pick<Conversation, "names">): GatewayError {
  return unsupportedField(conversation, "reasoningEffort", `use none, minimal, ${claudeEfforts.join(", ")}.`);
}

/** Whether an effort is asked for that means thinking. */
export function thinks(wishes: Wishes): boolean {
  return wishes.reasoningEffort !== undefined && wishes.reasoningEffort !== "none";
}
