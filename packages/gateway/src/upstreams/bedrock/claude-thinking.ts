import type { Conversation } from "../../dialects/conversation.ts";
import { fieldName, unsupportedField } from "../../dialects/field-names.ts";
import { isForced } from "../../dialects/forced-tool.ts";
import { type ClaudeEffort, type ClaudeGeneration, claudeGeneration, effortWithin } from "./claude-generations.ts";
import { type Model, noSuchEffort, refuse, thinks } from "./model.ts";

/** Budgets that LiteLLM uses for the same words, so a configuration moves over with the same bill. */
const thinkingBudgets: ReadonlyMap<string, number> = new Map([
  ["minimal", 1024],
  ["low", 1024],
  ["medium", 2048],
  ["high", 4096],
  ["xhigh", 8192],
  ["max", 16384],
]);
/** Of models that adapt it, where nothing is said of it. */
const adaptiveEffort = "high";
/** Claude's smallest; a limit on the whole answer must leave room beyond it. */
const smallestBudget = 1024;

/** How much a model is to think, in Anthropic's words. */
export interface Thinking {
  readonly thinking?: Readonly<Record<string, unknown>>;
  /** Where it thinks as much as it sees fit. */
  readonly effort?: ClaudeEffort;
  /** Replaces the limit, where thinking would not fit below it. */
  readonly maxTokens?: number;
}

/**
 * A budget where one was named and is taken, else as much as the model sees fit, else a budget for the effort.
 * @throws GatewayError `unsupported` naming what the model cannot do
 */
export function claudeThinking(conversation: Conversation, model: Model): Thinking {
  const { budgets, adaptive, efforts, off } = claudeGeneration(model.id);
  if (!adaptive && goesOnWithoutThoughts(conversation)) return {};
  const { wishes, inferenceConfig } = conversation;
  const { thinkingBudget, adaptiveThinking, reasoningEffort } = wishes;
  const { maxTokens } = inferenceConfig;
  if (!budgets && !adaptive) {
    refuse(model, conversation, ["thinkingBudget", "reasoningEffort"]);
    return {};
  }
  if (thinkingBudget === undefined && adaptiveThinking !== true && !thinks(wishes))
    return reasoningEffort === undefined ? {} : unthinking(conversation, model, off);
  // Every generation refuses to be asked for both. The call is what the client's program cannot do without.
  if (isForced(conversation.toolChoice)) return off === "disabled" ? { thinking: { type: off } } : {};
  if (thinkingBudget !== undefined && budgets) return budgeted(thinkingBudget, maxTokens);
  if (!adaptive) {
    const budget = effortBudget(conversation);
    return budget === undefined ? {} : budgeted(budget, maxTokens);
  }
  const thinking = { type: "adaptive" };
  if (!thinks(wishes)) return { thinking };
  const effort = effortWithin(reasoningEffort ?? "", efforts);
  if (effort === undefined) throw noSuchEffort(conversation);
  return { thinking, effort };
}

function budgeted(budget: number, maxTokens: number | undefined): Thinking {
  const thinking = { type: "enabled", budget_tokens: budget };
  return maxTokens === undefined ? { thinking, maxTokens: budget + 4096 } : { thinking };
}

function unthinking(conversation: Conversation, { drops }: Model, off: ClaudeGeneration["off"]): Thinking {
  if (off === "silence" || (off === "never" && drops)) return {};
  if (off === "never")
    throw unsupportedField(
      conversation,
      "reasoningEffort",
      "this model always thinks. Leave it out, or use the effort low.",
    );
  return { thinking: { type: off } };
}

/**
 * The limit counts thoughts and answer together, as OpenAI counts them.
 * @returns undefined where the model may see for itself, and there is no room to think
 */
function effortBudget({ names, wishes, inferenceConfig }: Conversation): number | undefined {
  const { maxTokens } = inferenceConfig;
  const wanted = thinkingBudgets.get(thinks(wishes) ? (wishes.reasoningEffort ?? "") : adaptiveEffort);
  if (wanted === undefined) throw noSuchEffort({ names });
  if (maxTokens === undefined) return wanted;
  if (maxTokens <= smallestBudget) {
    if (!thinks(wishes)) return undefined;
    const limit = fieldName({ names }, "maxTokens");
    const why = `this model thinks in at least ${smallestBudget} tokens. Raise ${limit} above that.`;
    throw unsupportedField({ names }, "reasoningEffort", why);
  }
  return Math.min(wanted, Math.max(smallestBudget, Math.floor(maxTokens / 2)));
}

/**
 * Between a call and the answer to its result the earlier generations go on thinking only where they are handed their
 * thoughts back, and refuse the request otherwise; most clients hand none back.
 */
function goesOnWithoutThoughts({ messages }: Conversation): boolean {
  const [call, result] = messages.slice(-2);
  if (call?.role !== "assistant" || !result?.content.some((block) => "toolResult" in block)) return false;
  return !call.content.some((block) => "reasoningContent" in block);
}
