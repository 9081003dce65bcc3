import {
  arrayField,
  isObject,
  type JsonObject,
  numberField,
  objectAt,
  objectField,
  positiveField,
  requiredString,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { ContentBlock, Conversation, Message, OutputFormat, Tool, ToolChoice, Wishes } from "../conversation.ts";
import { cachePoint, pushMessage } from "../openai-chat/content.ts";
import { anthropicContent, systemContent } from "./content.ts";

/** Fields that only Anthropic's own service can honour. */
const refused: Readonly<Record<string, string>> = {
  container: "there are no containers here.",
  mcp_servers: "the gateway connects to no MCP servers. Call them from the client and send tools.",
  context_management: "the history is passed on as it is.",
  compaction: "the history is passed on as it is.",
  fallbacks: "fallbacks are configured at the gateway.",
  thread: "the gateway keeps no threads. Send the whole conversation.",
};

/**
 * A messages body as a conversation, for models that are not Claude or not reached by Claude's own protocol.
 * @throws GatewayError naming the field that has no counterpart
 */
export function messagesConversation(body: JsonObject): Conversation {
  for (const [name, why] of Object.entries(refused)) if (body[name] != null) throw unsupported(name, why);
  if (body.speed === "fast") throw unsupported("speed", "this model has one speed.");
  const toolChoice = anthropicToolChoice(objectField(body, "tool_choice"));
  const outputFormat = anthropicFormat(body);
  return {
    system: systemContent(body.system, "system"),
    messages: anthropicMessages(arrayField(body, "messages") ?? []),
    inferenceConfig: inference(body),
    tools: anthropicTools(arrayField(body, "tools") ?? []),
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(outputFormat === undefined ? {} : { outputFormat }),
    wishes: anthropicWishes(body),
  };
}

function anthropicMessages(list: readonly unknown[]): Message[] {
  const messages: { role: "user" | "assistant"; content: ContentBlock[] }[] = [];
  for (let index = 0; index < list.length; index += 1) {
    const message = objectAt(list, index, "messages");
    const { role } = message;
    if (role !== "user" && role !== "assistant") throw unsupported(`messages[${index}].role`, "use user or assistant.");
    pushMessage(messages, role, anthropicContent(message.content, `messages[${index}].content`));
  }
  return messages;
}

function inference(body: JsonObject): Conversation["inferenceConfig"] {
  const maxTokens = positiveField(body, "max_tokens");
  const temperature = numberField(body, "temperature");
  const topP = numberField(body, "top_p");
  const stops = (arrayField(body, "stop_sequences") ?? []).map((stop) => {
    if (typeof stop !== "string") throw wrongType("stop_sequences", "an array of strings");
    return stop;
  });
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stops.length === 0 ? {} : { stopSequences: stops }),
  };
}

function anthropicTools(list: readonly unknown[]): Tool[] {
  return list.flatMap((_, index): Tool[] => {
    const tool = objectAt(list, index, "tools");
    const path = `tools[${index}]`;
    if (tool.type != null && tool.type !== "custom")
      throw unsupported(`${path}.type`, "Anthropic's built-in tools need a Claude model.");
    const name = requiredString(tool, "name", `${path}.name`);
    const description = stringField(tool, "description", `${path}.description`);
    const json = objectField(tool, "input_schema", `${path}.input_schema`) ?? { type: "object", properties: {} };
    const cache = cachePoint(tool);
    const toolSpec = {
      name,
      ...(description === undefined || description === "" ? {} : { description }),
      inputSchema: { json },
      ...(tool.strict === true ? { strict: true } : {}),
    };
    return [{ toolSpec }, ...(cache === undefined ? [] : [cache])];
  });
}

function anthropicToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
  switch (choice?.type) {
    case undefined:
      return undefined;
    case "auto":
      return { auto: {} };
    case "any":
      return { any: {} };
    case "none":
      return { none: {} };
    case "tool":
      return { tool: { name: requiredString(choice ?? {}, "name", "tool_choice.name") } };
    default:
      throw unsupported("tool_choice.type", "use auto, any, none or tool.");
  }
}

function anthropicFormat(body: JsonObject): OutputFormat | undefined {
  const format =
    objectField(objectField(body, "output_config") ?? {}, "format", "output_config.format") ??
    objectField(body, "output_format");
  if (format === undefined) return undefined;
  if (format.type !== "json_schema" || !isObject(format.schema))
    throw unsupported("output_config.format.type", "use json_schema with a schema.");
  return { type: "json_schema", schema: format.schema };
}

function anthropicWishes(body: JsonObject): Wishes {
  const topK = positiveField(body, "top_k");
  const thinking = objectField(body, "thinking");
  const effort = stringField(objectField(body, "output_config") ?? {}, "effort", "output_config.effort");
  const budget =
    thinking?.type === "enabled" ? positiveField(thinking, "budget_tokens", "thinking.budget_tokens") : undefined;
  const single = objectField(body, "tool_choice")?.disable_parallel_tool_use === true;
  return {
    ...(topK === undefined ? {} : { topK }),
    ...(budget === undefined ? {} : { thinkingBudget: budget }),
    ...(effort === undefined ? {} : { reasoningEffort: effort }),
    ...(single ? { parallelToolCalls: false } : {}),
  };
}
