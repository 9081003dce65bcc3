import type { Conversation } from "../../dialects/conversation.ts";
import { usesTools, withPastTools } from "../../dialects/past-tools.ts";
import { systemPrompt } from "../system-prompt.ts";
import { cachedWithin } from "./cache-points.ts";
import { claudeTools } from "./claude-tool-choice.ts";
import type { Model } from "./model.ts";
import { modelFields, withinModel } from "./model-fields.ts";
import { withinSubset } from "./schema-subset.ts";
import { converseTurns } from "./turns.ts";

/**
 * A conversation as the body of Converse. What the client sent for Converse itself stays as it was, except that
 * `requestMetadata` is the gateway's.
 * @throws GatewayError `unsupported` naming a wish that this model has no words for
 */
export function converseBody(
  asked: Conversation,
  model: Model,
  metadata: Readonly<Record<string, string>>,
  guardrail: unknown,
): string {
  const conversation = withinModel(withinSubset(cachedWithin(asked, model.family)), model);
  const { inferenceConfig, outputFormat, serviceTier, bedrock } = conversation;
  const wished = modelFields(conversation, model);
  const format = outputFormat?.type === "json_schema" ? textFormat(outputFormat) : undefined;
  const system = systemPrompt(conversation);
  const { toolConfig, beside } = converseTools(conversation, model);
  const limits = wished.maxTokens === undefined ? inferenceConfig : { ...inferenceConfig, maxTokens: wished.maxTokens };
  // JSON leaves out what is undefined.
  const own = {
    messages: converseTurns(conversation.messages, model.family),
    system: system.length === 0 ? undefined : system,
    inferenceConfig: saysAnything(limits) ? limits : undefined,
    toolConfig,
    outputConfig:
      format === undefined && wished.effort === undefined ? undefined : { textFormat: format, effort: wished.effort },
    serviceTier: serviceTier === undefined ? undefined : { type: serviceTier },
    guardrailConfig: guardrail,
    // Claude says only among its own fields which stop sequence it met.
    additionalModelResponseFieldPaths:
      model.family === "claude" && inferenceConfig.stopSequences !== undefined ? ["/stop_sequence"] : undefined,
    additionalModelRequestFields: beside === undefined ? wished.fields : { ...wished.fields, ...beside },
    requestMetadata: saysAnything(metadata) ? metadata : undefined,
  };
  return JSON.stringify(bedrock === undefined ? own : { ...bedrock, ...defined(own) });
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function saysAnything(of: object): boolean {
  for (const name in of) if (of[name as keyof typeof of] !== undefined) return true;
  return false;
}

/** Tools and the choice among them, and what has to be said of it beside Converse's own words. */
function converseTools(conversation: Conversation, { family }: Model): { toolConfig?: object; beside?: object } {
  const { tools, toolChoice } = conversation;
  const isForbidden = toolChoice !== undefined && "none" in toolChoice;
  // Converse cannot forbid tools. Without tools in the history they can be left out; with them they must be declared.
  if (tools.length === 0 || (isForbidden && !usesTools(conversation))) return {};
  if (family === "claude") return claudeTools(conversation);
  return { toolConfig: isForbidden ? withPastTools({ tools: [] }, conversation.messages) : { tools, toolChoice } };
}

function textFormat(format: Extract<Conversation["outputFormat"], { type: "json_schema" }>) {
  const { name, description, schema } = format;
  return {
    type: "json_schema",
    structure: {
      jsonSchema: {
        schema: JSON.stringify(schema),
        ...(name === undefined ? {} : { name }),
        ...(description === undefined ? {} : { description }),
      },
    },
  };
}
