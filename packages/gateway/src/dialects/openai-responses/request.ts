import {
  booleanField,
  isObject,
  type JsonObject,
  numberField,
  objectField,
  positiveField,
  stringField,
  unsupported,
} from "../body.ts";
import type { Conversation, OutputFormat } from "../conversation.ts";
import type { FieldNames } from "../field-names.ts";
import { refuseForceOfNone } from "../forced-tool.ts";
import { askedByUser } from "../only-system.ts";
import { isBlank } from "../openai-chat/content.ts";
import { chatServiceTier, schemaFormat, stringPairs } from "../openai-chat/request.ts";
import { withPastTools } from "../past-tools.ts";
import { asksToCompact } from "./compaction.ts";
import { responsesInput } from "./input.ts";
import { type OfferedTools, responsesTools } from "./tools.ts";

const names: FieldNames = { maxTokens: "max_output_tokens", reasoningEffort: "reasoning.effort" };
const noTools: OfferedTools = { tools: [], toolChoice: undefined, notes: [] };

/** What needs a store, a queue or tools of OpenAI's own. */
const refused: Readonly<Record<string, string>> = {
  previous_response_id:
    "answers are not stored. Send the whole history as input, as agent frameworks do once told `store: false`.",
  conversation: "conversations are not stored. Send the whole history as input.",
  prompt: "prompts are not stored. Send instructions and input.",
  background: "there is no queue. Wait for the answer, or stream it.",
  context_management: "the history is passed on as it is.",
  max_tool_calls: "tools run at the client.",
  moderation: "set a guardrail on the deployment instead.",
  image: "answers are text.",
};

/**
 * A Responses body as a conversation.
 * @param drops `drop_params`: token probabilities are left out instead of refused
 * @throws GatewayError naming the field that has no counterpart
 */
export function responsesConversation(body: JsonObject, drops = false): Conversation {
  for (const [name, why] of Object.entries(refused)) {
    if (body[name] != null && body[name] !== false) throw unsupported(name, why);
  }
  if ((numberField(body, "top_logprobs") ?? 0) !== 0 && !drops)
    throw unsupported("top_logprobs", "the model provider returns no token probabilities.");
  const { system, messages } = prompted(body);
  const compact = asksToCompact(body);
  const { tools, toolChoice, notes } = compact ? noTools : responsesTools(body);
  refuseForceOfNone({ tools, toolChoice });
  const outputFormat = compact
    ? undefined
    : textFormat(objectField(objectField(body, "text") ?? {}, "format", "text.format"));
  const serviceTier = chatServiceTier(stringField(body, "service_tier"));
  const metadata = stringPairs(objectField(body, "metadata"));
  return {
    system: [...system, ...notes],
    messages,
    inferenceConfig: limits(body),
    ...withPastTools({ tools, toolChoice }, messages),
    ...(outputFormat === undefined ? {} : { outputFormat }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
    ...(metadata === undefined ? {} : { metadata }),
    wishes: wishes(body, tools.length > 0),
    names,
  };
}

function prompted(body: JsonObject): Pick<Conversation, "system" | "messages"> {
  const { system, messages } = responsesInput(body.input);
  const instructions = stringField(body, "instructions") ?? "";
  const prompt = isBlank(instructions) ? system : [{ text: instructions }, ...system];
  return askedByUser({ system: prompt, messages }, "input");
}

function limits(body: JsonObject): Conversation["inferenceConfig"] {
  const maxTokens = positiveField(body, "max_output_tokens");
  const temperature = numberField(body, "temperature");
  const topP = numberField(body, "top_p");
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
  };
}

function wishes(body: JsonObject, offersTools: boolean): Conversation["wishes"] {
  const reasoning = objectField(body, "reasoning") ?? {};
  const effort = stringField(reasoning, "effort", "reasoning.effort");
  if ((stringField(reasoning, "mode", "reasoning.mode") ?? "standard") !== "standard")
    throw unsupported("reasoning.mode", "models think in one mode here. Leave it out, and set effort.");
  // Of no tools it says nothing, and not every family could honour it.
  const parallel = offersTools ? booleanField(body, "parallel_tool_calls") : undefined;
  return {
    ...(effort === undefined ? {} : { reasoningEffort: effort }),
    ...(parallel === undefined ? {} : { parallelToolCalls: parallel }),
  };
}

function textFormat(format: JsonObject | undefined): OutputFormat | undefined {
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return { type: "json" };
  if (format.type === "json_schema" && isObject(format.schema)) return schemaFormat(format, "text.format");
  throw unsupported("text.format.type", "use text, json_object or json_schema.");
}
