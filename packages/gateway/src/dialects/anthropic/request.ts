import {
  arrayField,
  isObject,
  type JsonObject,
  numberField,
  objectAt,
  objectField,
  positiveField,
  stringField,
  unsupported,
  wrongType,
} from "../body.ts";
import type { ContentBlock, Conversation, OutputFormat, SystemBlock, Wishes } from "../conversation.ts";
import type { FieldNames } from "../field-names.ts";
import { refuseForceOfNone } from "../forced-tool.ts";
import { askedByUser } from "../only-system.ts";
import { append, pushMessage } from "../openai-chat/content.ts";
import { withPastTools } from "../past-tools.ts";
import { thinkingBudget } from "../thinking.ts";
import { anthropicContent, systemContent } from "./content.ts";
import { anthropicToolChoice, anthropicTools } from "./tools.ts";

/** Fields that only Anthropic's own service can honour. */
const refused: Readonly<Record<string, string>> = {
  container: "there are no containers here.",
  mcp_servers: "the gateway connects to no MCP servers. Call them from the client and send tools.",
  compaction: "the history is passed on as it is.",
  fallbacks: "fallbacks are configured at the gateway.",
  thread: "the gateway keeps no threads. Send the whole conversation.",
};

const names: FieldNames = {
  maxTokens: "max_tokens",
  reasoningEffort: "output_config.effort",
  parallelToolCalls: "tool_choice.disable_parallel_tool_use",
};

/** What Anthropic's models do when nothing is said; some clients say it always. */
const usualEffort = "high";

/**
 * A messages body as a conversation, for models that are not Claude or not reached by Claude's own protocol.
 * @throws GatewayError naming the field that has no counterpart
 */
export function messagesConversation(body: JsonObject): Conversation {
  for (const [name, why] of Object.entries(refused)) if (body[name] != null) throw unsupported(name, why);
  if (body.speed === "fast") throw unsupported("speed", "this model has one speed.");
  refuseEdits(objectField(body, "context_management"));
  const toolChoice = anthropicToolChoice(objectField(body, "tool_choice"));
  const tools = anthropicTools(arrayField(body, "tools") ?? [], body.messages);
  refuseForceOfNone({ tools, toolChoice });
  const outputFormat = anthropicFormat(body);
  const { system, messages } = askedByUser(spoken(body), "messages");
  return {
    system,
    messages,
    inferenceConfig: inference(body),
    ...withPastTools({ tools, toolChoice }, messages),
    ...(outputFormat === undefined ? {} : { outputFormat }),
    wishes: anthropicWishes(body),
    names,
  };
}

interface Spoken {
  readonly system: SystemBlock[];
  readonly messages: { role: "user" | "assistant"; content: ContentBlock[] }[];
}

/** What is said to the model in the middle of a conversation joins the system prompt: other models have one place for it. */
function spoken(body: JsonObject): Spoken {
  const list = arrayField(body, "messages") ?? [];
  const system: SystemBlock[] = [...systemContent(body.system, "system")];
  const messages: Spoken["messages"] = [];
  const lastOfUser = list.findLastIndex((message) => isObject(message) && message.role === "user");
  for (let index = 0; index < list.length; index += 1) {
    const message = objectAt(list, index, "messages");
    const { role, content } = message;
    const path = `messages[${index}].content`;
    if (role === "system") {
      const isOver = isForOneTurn(message, `messages[${index}]`) && index < lastOfUser;
      if (!isOver) append(system, systemContent(content, path));
    } else if (role === "user" || role === "assistant") pushMessage(messages, role, anthropicContent(content, path));
    else throw unsupported(`messages[${index}].role`, "use user, assistant or system.");
  }
  return { system, messages };
}

/** What is said for one turn only is no longer shown to a model once the user has spoken again. */
function isForOneTurn(message: JsonObject, path: string): boolean {
  const clearAt = stringField(message, "clear_at", `${path}.clear_at`) ?? "never";
  if (clearAt !== "never" && clearAt !== "next_user_message")
    throw unsupported(`${path}.clear_at`, "use never or next_user_message.");
  return clearAt !== "never";
}

/** A message may say how much to think from there on; other models hear only of the whole request, so the last one said counts. */
function statedEffort(body: JsonObject): string | undefined {
  const list = arrayField(body, "messages") ?? [];
  for (let index = list.length - 1; index >= 0; index -= 1) {
    const path = `messages[${index}].output_config`;
    const config = objectField(objectAt(list, index, "messages"), "output_config", path);
    const effort = stringField(config ?? {}, "effort", `${path}.effort`);
    if (effort !== undefined) return effort;
  }
  return stringField(objectField(body, "output_config") ?? {}, "effort", "output_config.effort");
}

/** An edit that clears something saves tokens; without it the model sees more, not less. */
function refuseEdits(management: JsonObject | undefined): void {
  const edits = arrayField(management ?? {}, "edits", "context_management.edits") ?? [];
  for (let index = 0; index < edits.length; index += 1) {
    const { type } = objectAt(edits, index, "context_management.edits");
    if (typeof type !== "string" || !type.startsWith("clear_"))
      throw unsupported("context_management", "the history is passed on as it is. Only clearing edits are taken.");
  }
}

function inference(body: JsonObject): Conversation["inferenceConfig"] {
  if (body.max_tokens === 0)
    throw unsupported("max_tokens", "this model fills no cache without an answer. Ask for at least 1.");
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
  const effort = statedEffort(body);
  const budget = thinkingBudget(thinking);
  const single = objectField(body, "tool_choice")?.disable_parallel_tool_use === true;
  return {
    ...(topK === undefined ? {} : { topK }),
    ...(budget === undefined ? {} : { thinkingBudget: budget }),
    ...(effort === undefined ? {} : { reasoningEffort: effort, usualEffort: effort === usualEffort }),
    ...(single ? { parallelToolCalls: false } : {}),
  };
}
