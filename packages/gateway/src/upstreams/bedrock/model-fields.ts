import { unsupported } from "../../dialects/body.ts";
import type { Conversation, Wishes } from "../../dialects/conversation.ts";
import type { GatewayError } from "../../errors.ts";
import { type ClaudeEffort, type ClaudeGeneration, claudeGeneration, effortWithin } from "./claude-generations.ts";
import type { Family } from "./family.ts";
import { usesTools } from "./request.ts";

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
const thinkingBudgets: ReadonlyMap<string, number> = new Map([
  ["minimal", 1024],
  ["low", 1024],
  ["medium", 2048],
  ["high", 4096],
  ["xhigh", 8192],
  ["max", 16384],
]);
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
  const { inferenceConfig, toolChoice, wishes } = conversation;
  const { names } = wishes;
  let within = conversation;
  if (sampling) {
    // Since 4.1 both together are refused, and some frameworks say the usual one with every request.
    const { topP, ...rest } = inferenceConfig;
    if (topP === 1 && inferenceConfig.temperature !== undefined) within = { ...within, inferenceConfig: rest };
  } else {
    const { temperature, topP, ...rest } = inferenceConfig;
    if (!drops) {
      refuseUnlessUsual(names?.temperature ?? "temperature", temperature);
      refuseUnlessUsual(names?.topP ?? "top_p", topP);
    }
    if (temperature !== undefined || topP !== undefined) within = { ...within, inferenceConfig: rest };
  }
  if (!forcedTools && toolChoice !== undefined && ("any" in toolChoice || "tool" in toolChoice)) {
    if (!drops) {
      throw unsupported(
        names?.toolChoice ?? "tool_choice",
        "this model cannot be made to call a tool. Use auto, or ask for JSON of a schema.",
      );
    }
    within = { ...within, toolChoice: { auto: {} } };
  }
  return within;
}

/** One is what the model does anyway. */
function refuseUnlessUsual(field: string, value: number | undefined): void {
  if (value !== undefined && value !== 1)
    throw unsupported(field, "this model takes none. Leave it out or choose another model.");
}

/** Wishes in the words of one model. */
export function modelFields(conversation: Conversation, model: Model): ModelFields {
  const wishes = attainable(conversation);
  switch (model.family) {
    case "claude":
      return claudeFields(conversation, model);
    case "nova":
    case "nova2":
      return novaFields(wishes, model);
    case "gpt-oss":
      refuse(model, wishes, ["topK", "parallelToolCalls", "thinkingBudget"]);
      return thinks(wishes) ? { fields: { reasoning_effort: wishes.reasoningEffort } } : {};
    default:
      refuse(model, wishes, ["topK", "parallelToolCalls", "thinkingBudget", "reasoningEffort"]);
      return {};
  }
}

/** A model that is made to call its one tool calls it once: nothing is lost by not saying so. */
function attainable({ wishes, toolChoice, tools }: Conversation): Wishes {
  const one =
    toolChoice !== undefined &&
    ("tool" in toolChoice || ("any" in toolChoice && tools.filter((tool) => "toolSpec" in tool).length === 1));
  return one ? { ...wishes, parallelToolCalls: undefined } : wishes;
}

function claudeFields(conversation: Conversation, model: Model): ModelFields {
  const { wishes, toolChoice, tools, inferenceConfig } = conversation;
  const generation = claudeGeneration(model.id);
  const fields: Record<string, unknown> = { ...asObject(conversation.bedrock?.additionalModelRequestFields) };
  if (!generation.sampling) refuse(model, wishes, ["topK"]);
  else if (wishes.topK !== undefined) fields.top_k = wishes.topK;
  if (toolChoice !== undefined && "none" in toolChoice && usesTools(conversation))
    fields.tool_choice = { type: "none" };
  else if (wishes.parallelToolCalls === false && tools.length > 0) fields.tool_choice = claudeToolChoice(conversation);
  const { thinking, ...beside } =
    !generation.adaptive && goesOnWithoutThoughts(conversation)
      ? {}
      : claudeThinking(wishes, inferenceConfig.maxTokens, model, generation);
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
  wishes: Wishes,
  maxTokens: number | undefined,
  model: Model,
  { budgets, adaptive, efforts, off }: ClaudeGeneration,
): Thinking {
  const { thinkingBudget, reasoningEffort } = wishes;
  if (thinkingBudget !== undefined && budgets) return budgeted(thinkingBudget, maxTokens);
  if (!budgets && !adaptive) {
    refuse(model, wishes, ["thinkingBudget", "reasoningEffort"]);
    return {};
  }
  if (thinkingBudget === undefined && !thinks(wishes))
    return reasoningEffort === undefined ? {} : unthinking(model, wishes, off);
  if (!adaptive) return budgeted(effortBudget(wishes, maxTokens), maxTokens);
  const thinking = { type: "adaptive" };
  if (!thinks(wishes)) return { thinking };
  const effort = effortWithin(reasoningEffort ?? "", efforts);
  if (effort === undefined) throw noSuchEffort(wishes);
  return { thinking, effort };
}

function budgeted(budget: number, maxTokens: number | undefined): Thinking {
  const thinking = { type: "enabled", budget_tokens: budget };
  return maxTokens === undefined ? { thinking, maxTokens: budget + 4096 } : { thinking };
}

function unthinking({ drops }: Model, wishes: Wishes, off: ClaudeGeneration["off"]): Thinking {
  if (off === "silence" || (off === "never" && drops)) return {};
  if (off === "never") throw unsupported(nameOf("reasoningEffort", wishes), "this model always thinks. Use low.");
  return { thinking: { type: off } };
}

/** The limit counts thoughts and answer together, as OpenAI counts them. */
function effortBudget(wishes: Wishes, maxTokens: number | undefined): number {
  const wanted = thinkingBudgets.get(wishes.reasoningEffort ?? "");
  if (wanted === undefined) throw noSuchEffort(wishes);
  if (maxTokens === undefined) return wanted;
  if (maxTokens <= smallestBudget) {
    throw unsupported(
      nameOf("reasoningEffort", wishes),
      `this model thinks in at least ${smallestBudget} tokens. Raise max_completion_tokens above that.`,
    );
  }
  return Math.min(wanted, Math.max(smallestBudget, Math.floor(maxTokens / 2)));
}

function noSuchEffort(wishes: Wishes): GatewayError {
  return unsupported(nameOf("reasoningEffort", wishes), `use none, ${[...thinkingBudgets.keys()].join(", ")}.`);
}

function claudeToolChoice({ toolChoice }: Conversation): unknown {
  const single = { disable_parallel_tool_use: true };
  if (toolChoice === undefined || "auto" in toolChoice) return { type: "auto", ...single };
  return "tool" in toolChoice ? { type: "tool", name: toolChoice.tool.name, ...single } : { type: "any", ...single };
}

function novaFields(wishes: Wishes, model: Model): ModelFields {
  const { family } = model;
  refuse(
    model,
    wishes,
    family === "nova2"
      ? ["thinkingBudget", "parallelToolCalls"]
      : ["thinkingBudget", "parallelToolCalls", "reasoningEffort"],
  );
  const fields: Record<string, unknown> = {};
  if (wishes.topK !== undefined) fields.inferenceConfig = { topK: wishes.topK };
  if (thinks(wishes) && family === "nova2") {
    if (!["low", "medium", "high"].includes(wishes.reasoningEffort ?? ""))
      throw unsupported(nameOf("reasoningEffort", wishes), "use none, low, medium or high.");
    fields.reasoningConfig = { type: "enabled", maxReasoningEffort: wishes.reasoningEffort };
  }
  return Object.keys(fields).length === 0 ? {} : { fields };
}

function thinks(wishes: Wishes): boolean {
  return wishes.reasoningEffort !== undefined && wishes.reasoningEffort !== "none";
}

type Wish = Exclude<keyof Wishes, "usualEffort" | "names">;

const fieldNames: Readonly<Record<Wish, string>> = {
  topK: "top_k",
  parallelToolCalls: "parallel_tool_calls",
  thinkingBudget: "thinking",
  reasoningEffort: "reasoning_effort",
};

/** What the client calls it. */
function nameOf(wish: Wish, { names }: Wishes): string {
  return names?.[wish] ?? fieldNames[wish];
}

/** `parallel_tool_calls: true` and an effort of `none` ask for what happens anyway. */
function refuse({ drops }: Model, wishes: Wishes, names: readonly Wish[]): void {
  if (drops) return;
  for (const name of names) {
    const value = wishes[name];
    if (value === undefined || value === true || value === "none") continue;
    if (name === "reasoningEffort" && wishes.usualEffort === true) continue;
    throw unsupported(nameOf(name, wishes), "this model has no such setting. Leave it out or choose another model.");
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
