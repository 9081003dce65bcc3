import { unsupported } from "../../dialects/body.ts";
import type { Conversation, SystemBlock } from "../../dialects/conversation.ts";
import { cachedWithin } from "./cache-points.ts";
import { type Model, modelFields, withinModel } from "./model-fields.ts";
import { withinSubset } from "./schema-subset.ts";

const jsonOnly = "Answer with one valid JSON value and nothing else: no prose around it and no code fence.";

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
  const system: readonly SystemBlock[] =
    outputFormat?.type === "json" ? [...conversation.system, { text: jsonOnly }] : conversation.system;
  const toolConfig = converseTools(conversation, model);
  const limits = wished.maxTokens === undefined ? inferenceConfig : { ...inferenceConfig, maxTokens: wished.maxTokens };
  // JSON leaves out what is undefined.
  const own = {
    messages: conversation.messages,
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
    additionalModelRequestFields: wished.fields,
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

function converseTools(conversation: Conversation, { family }: Model): unknown {
  const { tools, toolChoice } = conversation;
  if (toolChoice === undefined || !("none" in toolChoice)) {
    return tools.length === 0 ? undefined : { tools, ...(toolChoice === undefined ? {} : { toolChoice }) };
  }
  // Converse cannot forbid tools. Without tools in the history they can be left out; with them they must be declared.
  if (!usesTools(conversation)) return undefined;
  if (family === "claude") return { tools };
  throw unsupported(
    "tool_choice",
    "this model cannot be told to call no tool while the conversation holds tool calls.",
  );
}

export function usesTools(conversation: Conversation): boolean {
  return conversation.messages.some(({ content }) =>
    content.some((block) => "toolUse" in block || "toolResult" in block),
  );
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
