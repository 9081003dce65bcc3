import { GatewayError } from "../../errors.ts";
import {
  arrayField,
  booleanField,
  isObject,
  type JsonObject,
  missing,
  numberField,
  objectAt,
  objectField,
  positiveField,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { Conversation, InferenceConfig, OutputFormat, Tool, ToolChoice, Wishes } from "../conversation.ts";
import { refuseForceOfNone } from "../forced-tool.ts";
import { askedByUser } from "../only-system.ts";
import { withPastTools } from "../past-tools.ts";
import { thinkingBudget } from "../thinking.ts";
import { cachePoint } from "./content.ts";
import { chatMessages } from "./messages.ts";

/**
 * A chat-completions body as a conversation: every field is mapped, refused by name, or one of those that
 * docs/fields.md lists as ignored.
 * @param drops `drop_params`: how an answer is drawn, where no model here knows it, is left out instead of refused
 * @throws GatewayError `unsupported` or `invalid_request` naming the field
 */
export function chatConversation(body: JsonObject, drops = false): Conversation {
  refuseUnsupported(body);
  if (!drops) refuseDrawing(body);
  const { system, messages } = askedByUser(chatMessages(arrayField(body, "messages") ?? []), "messages");
  const offered = allowed(chatTools(arrayField(body, "tools") ?? []), body.tool_choice);
  refuseForceOfNone(offered);
  const { tools, toolChoice } = withPastTools(offered, messages);
  const outputFormat = responseFormat(objectField(body, "response_format"));
  const serviceTier = chatServiceTier(stringField(body, "service_tier"));
  const metadata = stringPairs(objectField(body, "metadata"));
  return {
    system,
    messages,
    inferenceConfig: inferenceConfig(body),
    tools,
    toolChoice,
    outputFormat,
    serviceTier,
    metadata,
    ...wishes(body),
  };
}

function isAsked(body: JsonObject, name: string): boolean {
  return body[name] !== undefined && body[name] !== null && body[name] !== false;
}

/** How an answer is drawn and what is told of its drawing; the answer is one all the same without it. */
function refuseDrawing(body: JsonObject): void {
  const has = (name: string): boolean => isAsked(body, name);
  if (isObject(body.logit_bias) && Object.keys(body.logit_bias).length > 0)
    throw unsupported("logit_bias", "the model provider has no token biases.");
  if (has("logprobs")) throw unsupported("logprobs", "the model provider returns no token probabilities.");
  if (has("top_logprobs") && body.top_logprobs !== 0)
    throw unsupported("top_logprobs", "the model provider returns no token probabilities.");
  if (has("n") && body.n !== 1) throw unsupported("n", "one answer per request. Send the request several times.");
  for (const name of ["frequency_penalty", "presence_penalty"]) {
    if (has(name) && body[name] !== 0)
      throw unsupported(name, "the model provider has no such penalty. Leave it out or send 0.");
  }
}

function refuseUnsupported(body: JsonObject): void {
  const has = (name: string): boolean => isAsked(body, name);
  if (has("audio")) throw unsupported("audio", "the model provider speaks no audio here.");
  if (Array.isArray(body.modalities) && body.modalities.some((kind) => kind !== "text"))
    throw unsupported("modalities", "answers are text.");
  if (has("functions")) throw unsupported("functions", "functions were replaced by tools. Send tools.");
  if (has("function_call")) throw unsupported("function_call", "functions were replaced by tools. Send tool_choice.");
  if (has("web_search_options")) throw unsupported("web_search_options", "the model provider searches no web.");
  if (has("moderation")) throw unsupported("moderation", "set a guardrail on the deployment instead.");
}

/** @throws GatewayError `invalid_request` naming the field */
export function inferenceConfig(body: JsonObject): InferenceConfig {
  const maxTokens = positiveField(body, "max_completion_tokens") ?? positiveField(body, "max_tokens");
  const temperature = numberField(body, "temperature");
  const topP = numberField(body, "top_p");
  const stop = body.stop == null || typeof body.stop === "string" ? body.stop : arrayField(body, "stop");
  const stopSequences = typeof stop === "string" ? [stop] : stop?.map(sequence);
  const said = stopSequences == null || stopSequences.length === 0 ? undefined : stopSequences;
  return { maxTokens, temperature, topP, stopSequences: said };
}

function sequence(value: unknown): string {
  if (typeof value !== "string") throw wrongType("stop", "a string or an array of strings");
  return value;
}

function chatTools(list: readonly unknown[]): Tool[] {
  return list.flatMap((_, index): Tool[] => {
    const tool = objectAt(list, index, "tools");
    const path = `tools[${index}]`;
    const definition = objectField(tool, "function", `${path}.function`);
    if (tool.type !== "function" || definition === undefined)
      throw unsupported(`${path}.type`, "only function tools can be translated.");
    const cache = cachePoint(tool) ?? cachePoint(definition);
    return [functionTool(definition, `${path}.function`), ...(cache === undefined ? [] : [cache])];
  });
}

/** One function, as chat completions and Responses both describe it. */
export function functionTool(definition: JsonObject, path: string): Tool {
  const name = requiredString(definition, "name", `${path}.name`);
  const description = stringField(definition, "description", `${path}.description`);
  const parameters = objectField(definition, "parameters", `${path}.parameters`);
  // Without a type, as in `{}`, which OpenAI takes, Claude does not take the tool.
  const json = parameters?.type === undefined ? { type: "object", properties: {}, ...parameters } : parameters;
  const isStrict = booleanField(definition, "strict", `${path}.strict`) === true;
  return {
    toolSpec: {
      name,
      ...(description === undefined || description === "" ? {} : { description }),
      inputSchema: { json },
      ...(isStrict ? { strict: true } : {}),
    },
  };
}

/**
 * Also the Responses API's, which puts the name beside the type.
 * @throws GatewayError for a choice that is none of these
 */
export function chatToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === "auto") return { auto: {} };
  if (choice === "none") return { none: {} };
  if (choice === "required") return { any: {} };
  if (isObject(choice) && choice.type === "function") {
    const name = isObject(choice.function) ? choice.function.name : choice.name;
    if (typeof name === "string") return { tool: { name } };
  }
  throw unsupported("tool_choice", "use auto, none, required or one function.");
}

/**
 * `allowed_tools` names those of the tools that may be called this time: the others are left out, which forbids them.
 * Without it the tools and the choice as they came.
 */
function allowed(tools: readonly Tool[], choice: unknown): Pick<Conversation, "tools" | "toolChoice"> {
  if (!isObject(choice) || choice.type !== "allowed_tools") return { tools, toolChoice: chatToolChoice(choice) };
  const path = "tool_choice.allowed_tools";
  const { mode, tools: named } = objectField(choice, "allowed_tools", path) ?? {};
  if (mode !== "auto" && mode !== "required") throw wrongType(`${path}.mode`, "auto or required");
  if (!Array.isArray(named) || named.length === 0) throw missing(`${path}.tools`);
  const byName = new Map<unknown, Tool>(
    tools.map((tool) => ["toolSpec" in tool ? tool.toolSpec.name : undefined, tool]),
  );
  const kept = named.map((_, index) => {
    const { function: definition } = objectAt(named, index, `${path}.tools`);
    const found = isObject(definition) && definition.name !== undefined ? byName.get(definition.name) : undefined;
    if (found === undefined) throw wrongType(`${path}.tools[${index}]`, "one of the function tools in 'tools'");
    return found;
  });
  return { tools: kept, toolChoice: mode === "required" ? { any: {} } : { auto: {} } };
}

function responseFormat(format: JsonObject | undefined): OutputFormat | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json" };
  if (format.type === "json_schema")
    return schemaFormat(
      objectField(format, "json_schema", "response_format.json_schema") ?? {},
      "response_format.json_schema",
    );
  throw unsupported("response_format.type", "use text, json_object or json_schema.");
}

/**
 * A named schema with `strict`, as both of OpenAI's protocols have it.
 * @throws GatewayError `invalid_request` without a schema
 */
export function schemaFormat(from: JsonObject, path: string): OutputFormat {
  const schema = objectField(from, "schema", `${path}.schema`);
  if (schema === undefined) throw missing(`${path}.schema`);
  const name = stringField(from, "name", `${path}.name`);
  const description = stringField(from, "description", `${path}.description`);
  return {
    type: "json_schema",
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    schema,
    strict: booleanField(from, "strict", `${path}.strict`) === true,
  };
}

/** `auto` leaves the choice to the provider, `fast` is OpenAI's other word for `priority`; `scale` is a contract with it. */
export function chatServiceTier(tier: string | undefined): string | undefined {
  if (tier === undefined || tier === "auto") return undefined;
  if (tier === "fast") return "priority";
  if (tier === "default" || tier === "flex" || tier === "priority" || tier === "reserved") return tier;
  throw unsupported("service_tier", "use auto, default, flex, priority or fast.");
}

/** The client's own notes, which change no answer: clients of other gateways send lists among them, which are left out. */
export function stringPairs(metadata: JsonObject | undefined): Record<string, string> | undefined {
  if (metadata === undefined) return undefined;
  const plain = Object.entries(metadata).filter(([, value]) => typeof value !== "object");
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}

const thinkingKinds: ReadonlySet<unknown> = new Set(["enabled", "adaptive", "disabled"]);

function wishes(body: JsonObject): Pick<Conversation, "wishes" | "names"> {
  const effort = stringField(body, "reasoning_effort");
  const parallel = booleanField(body, "parallel_tool_calls");
  const topK = positiveField(body, "top_k");
  const thinking = objectField(body, "thinking");
  if (thinking !== undefined && !thinkingKinds.has(thinking.type))
    throw unsupported("thinking.type", "use enabled with budget_tokens, adaptive or disabled.");
  if (effort !== undefined && !/^[a-z]{1,16}$/.test(effort)) {
    throw new GatewayError("invalid_request", "'reasoning_effort' must be one word.", { param: "reasoning_effort" });
  }
  const asked: Wishes = {
    reasoningEffort: effort,
    thinkingBudget: thinkingBudget(thinking),
    ...(thinking?.type === "adaptive" ? { adaptiveThinking: true } : {}),
    parallelToolCalls: parallel,
    topK,
  };
  if (thinking?.type !== "disabled") return { wishes: asked };
  return { wishes: { ...asked, reasoningEffort: "none" }, names: { reasoningEffort: "thinking" } };
}
