import type { Conversation, Wishes } from "../../dialects/conversation.ts";
import { fieldName, type NamedField, unsupportedField } from "../../dialects/field-names.ts";
import { isForced } from "../../dialects/forced-tool.ts";
import type { GatewayError } from "../../errors.ts";
import { type ClaudeEffort, type ClaudeGeneration, claudeGeneration, effortWithin } from "./claude-generations.ts";
import type { Family } from "./family.ts";

/** A model, as far as its words differ from others'. */
export interface Model {
  readonly id: string;
  readonly family: Family;
  /** What it has no words for is left out instead of refused (`drop_params`). */
  readonly drops: boolean;
}

export interface ModelFields {
  /** For `additionalModelRequestFields`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Claude's, where it thinks as much as it sees fit. */
  readonly effort?: ClaudeEffort;
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
/** Of models that adapt it, where nothing is said of it. */
const adaptiveEffort = "high";
/** Claude's smallest; a limit on the whole answer must leave room beyond it. */
const smallestBudget = 1024;

/**
 * The conversation without what a model refuses though it changes nothing: later generations of Claude answer 400 to any
 * temperature, and most clients send the usual one.
 * @throws GatewayError `unsupported` naming what would change something
 */
export function withinModel(conversation: Conversation, { id, family, drops }: Model): Conversation {
  if (family !== "claude") return conversation;
  const { sampling, forcedTools } = claudeGeneration(id);
  const { inferenceConfig, toolChoice } = conversation;
  let within = conversation;
  if (sampling) {
    // Since 4.1 both together are refused, and some frameworks say the usual one with every request.
    const { topP, ...rest } = inferenceConfig;
    if (topP === 1 && inferenceConfig.temperature !== undefined) within = { ...within, inferenceConfig: rest };
  } else {
    const { temperature, topP, ...rest } = inferenceConfig;
    if (!drops) {
      refuseUnlessUsual(conversation, "temperature", temperature);
      refuseUnlessUsual(conversation, "topP", topP);
    }
    if (temperature !== undefined || topP !== undefined) within = { ...within, inferenceConfig: rest };
  }
  if (!forcedTools && isForced(toolChoice)) {
    if (!drops) {
      throw unsupportedField(
        conversation,
        "toolChoice",
        "this model cannot be made to call a tool. Use auto, or ask for JSON of a schema.",
      );
    }
    within = { ...within, toolChoice: { auto: {} } };
  }
  return within;
}

/** One is what the model does anyway. */
function refuseUnlessUsual(conversation: Conversation, field: NamedField, value: number | undefined): void {
  if (value !== undefined && value !== 1)
    throw unsupportedField(conversation, field, "this model takes none. Leave it out or choose another model.");
}

/** Wishes in the words of one model. */
export function modelFields(conversation: Conversation, model: Model): ModelFields {
  const asked = attainable(conversation);
  switch (model.family) {
    case "claude":
      return claudeFields(conversation, model);
    case "nova":
    case "nova2":
      return novaFields(asked, model);
    case "gpt-oss":
      refuse(model, asked, ["topK", "parallelToolCalls", "thinkingBudget"]);
      return gptOssFields(asked);
    default:
      refuse(model, asked, ["topK", "parallelToolCalls", "thinkingBudget", "reasoningEffort"]);
      return {};
  }
}

/** A model that is made to call its one tool calls it once: nothing is lost by not saying so. */
function attainable(conversation: Conversation): Conversation {
  const { wishes, toolChoice, tools } = conversation;
  const one =
    toolChoice !== undefined &&
    ("tool" in toolChoice || ("any" in toolChoice && tools.filter((tool) => "toolSpec" in tool).length === 1));
  return one ? { ...conversation, wishes: { ...wishes, parallelToolCalls: undefined } } : conversation;
}

function claudeFields(conversation: Conversation, model: Model): ModelFields {
  const { wishes } = conversation;
  const generation = claudeGeneration(model.id);
  const fields: Record<string, unknown> = { ...asObject(conversation.bedrock?.additionalModelRequestFields) };
  if (!generation.sampling) refuse(model, conversation, ["topK"]);
  else if (wishes.topK !== undefined) fields.top_k = wishes.topK;
  const { thinking, ...beside } =
    !generation.adaptive && goesOnWithoutThoughts(conversation) ? {} : claudeThinking(conversation, model, generation);
  if (thinking !== undefined) fields.thinking = thinking;
  return Object.keys(fields).length === 0 ? beside : { ...beside, fields };
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

interface Thinking extends Pick<ModelFields, "effort" | "maxTokens"> {
  readonly thinking?: Readonly<Record<string, unknown>>;
}

/** A budget where one was named and is taken, else as much as the model sees fit, else a budget for the effort. */
function claudeThinking(
  conversation: Conversation,
  model: Model,
  { budgets, adaptive, efforts, off }: ClaudeGeneration,
): Thinking {
  const { wishes, inferenceConfig } = conversation;
  const { thinkingBudget, adaptiveThinking, reasoningEffort } = wishes;
  const { maxTokens } = inferenceConfig;
  if (thinkingBudget !== undefined && budgets) return budgeted(thinkingBudget, maxTokens);
  if (!budgets && !adaptive) {
    refuse(model, conversation, ["thinkingBudget", "reasoningEffort"]);
    return {};
  }
  if (thinkingBudget === undefined && adaptiveThinking !== true && !thinks(wishes))
    return reasoningEffort === undefined ? {} : unthinking(conversation, model, off);
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
  const wanted = thinkingBudgets[thinks(wishes) ? (wishes.reasoningEffort ?? "") : adaptiveEffort];
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

function noSuchEffort(conversation: Pick<Conversation, "names">): GatewayError {
  return unsupportedField(conversation, "reasoningEffort", `use none, ${Object.keys(thinkingBudgets).join(", ")}.`);
}

function novaFields(conversation: Conversation, model: Model): ModelFields {
  const { wishes } = conversation;
  const { family } = model;
  refuse(
    model,
    conversation,
    family === "nova2"
      ? ["thinkingBudget", "parallelToolCalls"]
      : ["thinkingBudget", "parallelToolCalls", "reasoningEffort"],
  );
  const fields: Record<string, unknown> = {};
  if (wishes.topK !== undefined) fields.inferenceConfig = { topK: wishes.topK };
  if (thinks(wishes) && family === "nova2") {
    if (!["low", "medium", "high"].includes(wishes.reasoningEffort ?? ""))
      throw unsupportedField(conversation, "reasoningEffort", "use none, low, medium or high.");
    fields.reasoningConfig = { type: "enabled", maxReasoningEffort: wishes.reasoningEffort };
  }
  return Object.keys(fields).length === 0 ? {} : { fields };
}

function gptOssFields(conversation: Conversation): ModelFields {
  if (!thinks(conversation.wishes)) return {};
  const effort = effortWithin(conversation.wishes.reasoningEffort ?? "", ["low", "medium", "high"]);
  if (effort === undefined) throw noSuchEffort(conversation);
  return { fields: { reasoning_effort: effort } };
}

function thinks(wishes: Wishes): boolean {
  return wishes.reasoningEffort !== undefined && wishes.reasoningEffort !== "none";
}

type Wish = Exclude<keyof Wishes, "usualEffort" | "adaptiveThinking">;

/** `parallel_tool_calls: true` and an effort of `none` ask for what happens anyway. */
function refuse({ drops }: Model, conversation: Conversation, fields: readonly Wish[]): void {
  const { wishes } = conversation;
  if (drops) return;
  for (const name of fields) {
    const value = wishes[name];
    if (value === undefined || value === true || value === "none") continue;
    if (name === "reasoningEffort" && wishes.usualEffort === true) continue;
    throw unsupportedField(conversation, name, "this model has no such setting. Leave it out or choose another model.");
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
