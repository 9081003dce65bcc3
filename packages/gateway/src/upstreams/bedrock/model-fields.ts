import type { Conversation, InferenceConfig } from "../../dialects/conversation.ts";
import { unsupportedField } from "../../dialects/field-names.ts";
import { isForced } from "../../dialects/forced-tool.ts";
import { claudeGeneration, effortWithin } from "./claude-generations.ts";
import { claudeThinking, type Thinking } from "./claude-thinking.ts";
import { signedThoughts } from "./claude-thoughts.ts";
import { type Model, noSuchEffort, refuse, thinks } from "./model.ts";

interface ModelFields extends Omit<Thinking, "thinking"> {
  /** For `additionalModelRequestFields`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * The conversation without what a model refuses though it changes nothing: later generations of Claude answer 400 to any
 * temperature, and most clients send the usual one; all of them answer it to thoughts of other models.
 * @throws GatewayError `unsupported` naming what would change something
 */
export function withinModel(conversation: Conversation, model: Model): Conversation {
  if (model.family !== "claude") return conversation;
  const within = forcedWithin(conversation, model);
  const inferenceConfig = samplingWithin(within, model);
  const messages = signedThoughts(within.messages);
  const same = inferenceConfig === within.inferenceConfig && messages === within.messages;
  return same ? within : { ...within, inferenceConfig, messages };
}

function forcedWithin(conversation: Conversation, { id, drops }: Model): Conversation {
  if (claudeGeneration(id).forcedTools || !isForced(conversation.toolChoice)) return conversation;
  if (drops) return { ...conversation, toolChoice: { auto: {} } };
  const why = "this model cannot be made to call a tool. Use auto, or ask for JSON of a schema.";
  throw unsupportedField(conversation, "toolChoice", why);
}

/** What a Claude that thinks takes of `top_p`; of the other two it takes the usual. */
const leastTopP = 0.95;

function samplingWithin(conversation: Conversation, model: Model): InferenceConfig {
  const { inferenceConfig } = conversation;
  const { temperature, topP, ...rest } = inferenceConfig;
  if (temperature === undefined && topP === undefined) return inferenceConfig;
  const { sampling } = claudeGeneration(model.id);
  const thinking = sampling && claudeThinking(conversation, model).thinking !== undefined;
  // Since 4.1 both together are refused, and some frameworks say the usual one with every request.
  if (sampling && !thinking)
    return topP === 1 && temperature !== undefined ? { ...rest, temperature } : inferenceConfig;
  const keepsTopP = thinking && topP !== undefined && topP >= leastTopP;
  if (!model.drops) {
    const why = thinking ? whileThinking : "this model takes none. Leave it out or choose another model.";
    // One is what the model does anyway.
    if (temperature !== undefined && temperature !== 1) throw unsupportedField(conversation, "temperature", why);
    if (topP !== undefined && topP !== 1 && !keepsTopP) throw unsupportedField(conversation, "topP", why);
  }
  return keepsTopP ? { ...rest, topP } : rest;
}

const whileThinking = "this model takes none while it thinks. Leave it out, or ask for no thinking.";

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
  const { thinking, ...beside } = claudeThinking(conversation, model);
  if (!generation.sampling) refuse(model, conversation, ["topK"]);
  else if (wishes.topK !== undefined && thinking === undefined) fields.top_k = wishes.topK;
  else if (wishes.topK !== undefined && !model.drops) throw unsupportedField(conversation, "topK", whileThinking);
  if (thinking !== undefined) fields.thinking = thinking;
  return Object.keys(fields).length === 0 ? beside : { ...beside, fields };
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

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
