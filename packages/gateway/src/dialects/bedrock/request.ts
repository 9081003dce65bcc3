import {
  arrayField,
  isObject,
  type JsonObject,
  numberField,
  objectField,
  parsedObject,
  positiveField,
  requiredList,
  requiredObject,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { Conversation, OutputFormat } from "../conversation.ts";
import type { FieldNames } from "../field-names.ts";
import { citationsAt } from "./citations.ts";
import { converseMessages, converseSystem } from "./content.ts";
import { converseTools } from "./tools.ts";

/** What only Bedrock can honour. */
const refused = ["guardrailConfig", "additionalModelRequestFields"];

const names: FieldNames = {
  reasoningEffort: "outputConfig.effort",
  temperature: "inferenceConfig.temperature",
  topP: "inferenceConfig.topP",
  maxTokens: "inferenceConfig.maxTokens",
  toolChoice: "toolConfig.toolChoice",
  serviceTier: "serviceTier.type",
};

/**
 * A Converse body as a conversation, for models that Bedrock does not serve.
 * @throws GatewayError `unsupported` or `invalid_request` naming the field by its path
 */
export function converseConversation(body: JsonObject): Conversation {
  for (const name of refused)
    if (!asksNothing(body[name])) throw unsupported(name, "this model is not served by Bedrock.");
  const list = requiredList(body, "messages");
  const { system, messages } = converseMessages(list);
  if (messages.length === 0) throw wrongType("messages", "a conversation with a user's turn");
  const output = objectField(body, "outputConfig") ?? {};
  const effort = stringField(output, "effort", "outputConfig.effort");
  return {
    system: [...converseSystem(arrayField(body, "system") ?? []), ...system],
    messages,
    inferenceConfig: inferenceConfig(objectField(body, "inferenceConfig") ?? {}),
    ...converseTools(objectField(body, "toolConfig")),
    outputFormat: textFormat(objectField(output, "textFormat", "outputConfig.textFormat")),
    serviceTier: serviceTier(objectField(body, "serviceTier")),
    wishes: effort === undefined ? {} : { reasoningEffort: effort },
    names,
    citationsAt: citationsAt(list, "messages"),
  };
}

/** Some clients send an empty object with every request. */
function asksNothing(value: unknown): boolean {
  return value == null || (isObject(value) && Object.keys(value).length === 0);
}

function inferenceConfig(config: JsonObject): Conversation["inferenceConfig"] {
  const at = (name: string): string => `inferenceConfig.${name}`;
  const stops = arrayField(config, "stopSequences", at("stopSequences"))?.map((stop) => {
    if (typeof stop !== "string") throw wrongType(at("stopSequences"), "an array of strings");
    return stop;
  });
  return {
    maxTokens: positiveField(config, "maxTokens", at("maxTokens")),
    temperature: numberField(config, "temperature", at("temperature")),
    topP: numberField(config, "topP", at("topP")),
    stopSequences: stops?.length === 0 ? undefined : stops,
  };
}

function textFormat(format: JsonObject | undefined): OutputFormat | undefined {
  if (format === undefined) return undefined;
  if (format.type !== "json_schema") throw unsupported("outputConfig.textFormat.type", "use json_schema.");
  const structure = requiredObject(format, "structure", "outputConfig.textFormat.structure");
  const at = "outputConfig.textFormat.structure.jsonSchema";
  const said = requiredObject(structure, "jsonSchema", at);
  const name = stringField(said, "name", `${at}.name`);
  const description = stringField(said, "description", `${at}.description`);
  return {
    type: "json_schema",
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    schema: parsedSchema(requiredString(said, "schema", `${at}.schema`), `${at}.schema`),
  };
}

/** Converse has the schema as a text. */
function parsedSchema(text: string, path: string): JsonObject {
  const schema = parsedObject(text);
  if (schema === undefined) throw wrongType(path, "an object of JSON Schema, as a string of JSON");
  return schema;
}

/** `reserved` is capacity that was bought at Bedrock. */
function serviceTier(tier: JsonObject | undefined): string | undefined {
  if (tier === undefined) return undefined;
  const type = requiredString(tier, "type", "serviceTier.type");
  if (type === "default" || type === "flex" || type === "priority") return type;
  throw unsupported("serviceTier.type", "use default, flex or priority.");
}
