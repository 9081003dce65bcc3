import { unsupported } from "../../dialects/body.ts";
import type { Conversation, Wishes } from "../../dialects/conversation.ts";
import type { Family } from "./family.ts";
import { usesTools } from "./request.ts";

export interface ModelFields {
  /** For `additionalModelRequestFields`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Replaces the limit, where thinking would not fit below it. */
  readonly maxTokens?: number;
}

/** Budgets that LiteLLM uses for the same words, so a configuration moves over with the same bill. */
const thinkingBudgets: Readonly<Record<string, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 2048,
  high: 4096,
  xhigh: 8192,
  max: 16384,
};
/** Claude's smallest; a limit on the whole answer must leave room beyond it. */
const smallestBudget = 1024;

/** Wishes in the words of one model family. */
export function modelFields(conversation: Conversation, family: Family): ModelFields {
  const { wishes } = conversation;
  switch (family) {
    case "claude":
      return claudeFields(conversation);
    case "nova":
    case "nova2":
      return novaFields(wishes, family);
    case "gpt-oss":
      refuse(wishes, ["topK", "parallelToolCalls", "thinkingBudget"]);
      return thinks(wishes) ? { fields: { reasoning_effort: wishes.reasoningEffort } } : {};
    default:
      refuse(wishes, ["topK", "parallelToolCalls", "thinkingBudget", "reasoningEffort"]);
      return {};
  }
}

function claudeFields(conversation: Conversation): ModelFields {
  const { wishes, toolChoice, tools } = conversation;
  const fields: Record<string, unknown> = { ...asObject(conversation.bedrock?.additionalModelRequestFields) };
  if (wishes.topK !== undefined) fields.top_k = wishes.topK;
  if (toolChoice !== undefined && "none" in toolChoice && usesTools(conversation))
    fields.tool_choice = { type: "none" };
  else if (wishes.parallelToolCalls === false && tools.length > 0) fields.tool_choice = claudeToolChoice(conversation);
  const budget =
    wishes.thinkingBudget ??
    (thinks(wishes) ? effortBudget(wishes, conversation.inferenceConfig.maxTokens) : undefined);
  if (budget !== undefined) fields.thinking = { type: "enabled", budget_tokens: budget };
  const maxTokens =
    budget !== undefined && conversation.inferenceConfig.maxTokens === undefined ? budget + 4096 : undefined;
  return { ...(Object.keys(fields).length === 0 ? {} : { fields }), ...(maxTokens === undefined ? {} : { maxTokens }) };
}

/** The limit counts thoughts and answer together, as OpenAI counts them. */
function effortBudget(wishes: Wishes, maxTokens: number | undefined): number {
  const wanted = thinkingBudgets[wishes.reasoningEffort ?? ""];
  if (wanted === undefined)
    throw unsupported("reasoning_effort", `use none, ${Object.keys(thinkingBudgets).join(", ")}.`);
  if (maxTokens === undefined) return wanted;
  if (maxTokens <= smallestBudget) {
    throw unsupported(
      "reasoning_effort",
      `this model thinks in at least ${smallestBudget} tokens. Raise max_completion_tokens above that.`,
    );
  }
  return Math.min(wanted, Math.max(smallestBudget, Math.floor(maxTokens / 2)));
}

function claudeToolChoice({ toolChoice }: Conversation): unknown {
  const single = { disable_parallel_tool_use: true };
  if (toolChoice === undefined || "auto" in toolChoice) return { type: "auto", ...single };
  return "tool" in toolChoice ? { type: "tool", name: toolChoice.tool.name, ...single } : { type: "any", ...single };
}

function novaFields(wishes: Wishes, family: "nova" | "nova2"): ModelFields {
  refuse(
    wishes,
    family === "nova2"
      ? ["thinkingBudget", "parallelToolCalls"]
      : ["thinkingBudget", "parallelToolCalls", "reasoningEffort"],
  );
  const fields: Record<string, unknown> = {};
  if (wishes.topK !== undefined) fields.inferenceConfig = { topK: wishes.topK };
  if (thinks(wishes)) {
    if (!["low", "medium", "high"].includes(wishes.reasoningEffort ?? ""))
      throw unsupported("reasoning_effort", "use none, low, medium or high.");
    fields.reasoningConfig = { type: "enabled", maxReasoningEffort: wishes.reasoningEffort };
  }
  return Object.keys(fields).length === 0 ? {} : { fields };
}

function thinks(wishes: Wishes): boolean {
  return wishes.reasoningEffort !== undefined && wishes.reasoningEffort !== "none";
}

const fieldNames: Readonly<Record<keyof Wishes, string>> = {
  topK: "top_k",
  parallelToolCalls: "parallel_tool_calls",
  thinkingBudget: "thinking",
  reasoningEffort: "reasoning_effort",
};

/** `parallel_tool_calls: true` and an effort of `none` ask for what happens anyway. */
function refuse(wishes: Wishes, names: readonly (keyof Wishes)[]): void {
  for (const name of names) {
    const value = wishes[name];
    if (value === undefined || value === true || value === "none") continue;
    throw unsupported(fieldNames[name], "this model has no such setting. Leave it out or choose another model.");
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
