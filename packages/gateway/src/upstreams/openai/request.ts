import { unsupported } from "../../dialects/body.ts";
import type {
  ContentBlock,
  Conversation,
  Document,
  Message,
  Source,
  Tool,
  ToolResult,
} from "../../dialects/conversation.ts";
import { fieldName, unsupportedField } from "../../dialects/field-names.ts";
import { mediaTypeOf, textOfDocument } from "../../dialects/media.ts";
import { searchText } from "../../dialects/search-text.ts";
import { takesStrict } from "./strict-schema.ts";

/** How this server's Chat Completions differ from the next one's. */
export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** OpenAI's models since o1 refuse the one, most other servers know no other. */
  readonly limitName: "max_tokens" | "max_completion_tokens";
  /** What there are no words for is left out instead of refused. */
  readonly drops: boolean;
  /** The server is vLLM, which has words for more than OpenAI has. */
  readonly vllm?: boolean;
}

/**
 * A conversation as a chat-completions body.
 * @throws GatewayError naming what OpenAI-compatible servers have no words for
 */
export function chatBody(conversation: Conversation, request: ChatRequest): string {
  const { model, stream, limitName, drops, vllm = false } = request;
  if (conversation.citationsAt !== undefined && !drops)
    throw unsupported(conversation.citationsAt, "this model's provider cites nothing.");
  const { inferenceConfig, wishes, toolChoice, outputFormat, serviceTier } = conversation;
  const tools = conversation.tools.flatMap((tool) => ("toolSpec" in tool ? [chatTool(tool.toolSpec)] : []));
  const system = conversation.system.flatMap((block) => ("text" in block ? [block.text] : []));
  const { maxTokens, temperature, topP, stopSequences } = inferenceConfig;
  return JSON.stringify({
    model,
    messages: [
      ...(system.length === 0 ? [] : [{ role: "system", content: system.join("\n\n") }]),
      ...conversation.messages.flatMap((message) => chatMessages(message, vllm)),
    ],
    ...(maxTokens === undefined ? {} : { [limitName]: maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...beyondOpenai(conversation, request),
    ...(stopSequences === undefined ? {} : { stop: stopSequences }),
    ...(tools.length === 0 ? {} : { tools }),
    ...(toolChoice === undefined || tools.length === 0 ? {} : { tool_choice: chatChoice(toolChoice) }),
    ...(wishes.parallelToolCalls === undefined || tools.length === 0
      ? {}
      : { parallel_tool_calls: wishes.parallelToolCalls }),
    // Many models behind this protocol have no efforts, and refuse one that the client only says out of habit.
    ...(wishes.reasoningEffort === undefined || wishes.usualEffort === true
      ? {}
      : { reasoning_effort: wishes.reasoningEffort }),
    ...(outputFormat === undefined ? {} : { response_format: chatFormat(outputFormat) }),
    ...(serviceTier === undefined ? {} : { service_tier: serviceTier }),
    ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

/** What OpenAI's protocol has no words for, in vLLM's; elsewhere refused or left out. */
function beyondOpenai(conversation: Conversation, { drops, vllm = false }: ChatRequest): Record<string, number> {
  const { topK, thinkingBudget } = conversation.wishes;
  if (topK !== undefined && !vllm && !drops)
    throw unsupportedField(conversation, "topK", "this model's provider has no such setting.");
  if (thinkingBudget !== undefined && !vllm && !drops) {
    const effort = fieldName(conversation, "reasoningEffort");
    const why = `this model's provider takes an effort, not a budget. Send ${effort}.`;
    throw unsupportedField(conversation, "thinkingBudget", why);
  }
  return {
    ...(topK === undefined || !vllm ? {} : { top_k: topK }),
    // vLLM refuses it for a model that does not think.
    ...(thinkingBudget === undefined || !vllm || drops ? {} : { thinking_token_budget: thinkingBudget }),
  };
}

function chatTool({ name, description, inputSchema, strict }: Extract<Tool, { toolSpec: unknown }>["toolSpec"]) {
  return {
    type: "function",
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      parameters: inputSchema.json,
      ...(strict === undefined ? {} : { strict: strict && takesStrict(inputSchema.json) }),
    },
  };
}

function chatChoice(choice: NonNullable<Conversation["toolChoice"]>): unknown {
  if ("tool" in choice) return { type: "function", function: { name: choice.tool.name } };
  return "any" in choice ? "required" : "none" in choice ? "none" : "auto";
}

function chatFormat(format: NonNullable<Conversation["outputFormat"]>): unknown {
  if (format.type === "json") return { type: "json_object" };
  const { name, description, schema, strict = takesStrict(schema) } = format;
  return {
    type: "json_schema",
    json_schema: {
      name: name ?? "answer",
      ...(description === undefined ? {} : { description }),
      schema,
      strict,
    },
  };
}

/**
 * One turn may hold tool results beside what the user says; OpenAI has a message for each. A result is text there, so its
 * pictures and what is no text in files follow in the user's name.
 */
function chatMessages(message: Message, vllm: boolean): unknown[] {
  if (message.role === "assistant") return [assistantMessage(message.content, vllm)];
  const results = message.content.flatMap((block) => ("toolResult" in block ? [block.toolResult] : []));
  const tools = results.map((result) => ({
    role: "tool",
    tool_call_id: result.toolUseId,
    content: resultText(result),
  }));
  const parts = [...results.flatMap(resultMedia), ...message.content.flatMap(userPart)];
  return parts.length === 0 ? tools : [...tools, { role: "user", content: plain(parts) }];
}

function assistantMessage(content: readonly ContentBlock[], vllm: boolean): unknown {
  // Models that think between their calls go on from what they thought. OpenAI's protocol has no place for it.
  const thoughts = vllm ? content.flatMap(thoughtIn).join("") : "";
  const text = content.flatMap((block) => ("text" in block ? [block.text] : [])).join("");
  const calls = content.flatMap((block) =>
    "toolUse" in block
      ? [
          {
            id: block.toolUse.toolUseId,
            type: "function",
            function: { name: block.toolUse.name, arguments: JSON.stringify(block.toolUse.input ?? {}) },
          },
        ]
      : [],
  );
  return {
    role: "assistant",
    // Only a call may stand for a text. A turn that broke off in its thoughts, which most servers have no place for, said nothing.
    content: text === "" && calls.length > 0 ? null : text,
    ...(thoughts === "" ? {} : { reasoning: thoughts }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
}

function thoughtIn(block: ContentBlock): string[] {
  return "reasoningContent" in block && "reasoningText" in block.reasoningContent
    ? [block.reasoningContent.reasoningText.text]
    : [];
}

type Part =
  | { type: "text"; text: string }
  | { type: "image_url"; image_url: { url: string } }
  | { type: "file"; file: { filename: string; file_data: string } };

function userPart(block: ContentBlock): Part[] {
  if ("text" in block) return [{ type: "text", text: block.text }];
  if ("searchResult" in block) return [{ type: "text", text: searchText(block.searchResult) }];
  if ("image" in block)
    return [{ type: "image_url", image_url: { url: dataUrlOf("image", block.image.format, block.image.source) } }];
  if ("document" in block) return documentParts(block.document);
  return [];
}

/** OpenAI knows files of one kind and most other servers none at all, but what is text in a file is so without it, too. */
function documentParts({ format, name, source, context }: Document): Part[] {
  const filename = `${name}.${format}`;
  const text = textOfDocument(format, source);
  const part: Part =
    text === undefined
      ? { type: "file", file: { filename, file_data: dataUrlOf("document", format, source) } }
      : { type: "text", text: `${filename}:\n\n${text}` };
  return context === undefined ? [part] : [{ type: "text", text: `About ${filename}: ${context}` }, part];
}

function dataUrlOf(kind: "image" | "document", format: string, source: Source): string {
  if (!("bytes" in source)) throw unsupported("source", "this model's provider takes bytes only.");
  return `data:${mediaTypeOf(kind, format)};base64,${source.bytes}`;
}

function plain(parts: readonly Part[]): string | readonly Part[] {
  const only = parts[0];
  return parts.length === 1 && only?.type === "text" ? only.text : parts;
}

const seeBelow = "(The result is in the message after this.)";

/** OpenAI has no place that says a call failed. */
const failed = "Error: ";

function resultText({ content, status }: ToolResult): string {
  const texts = content.flatMap((block) =>
    "json" in block
      ? [JSON.stringify(block.json)]
      : userPart(block).flatMap((part) => (isMedia(part) ? [] : [part.text])),
  );
  const said = texts.length === 0 && content.length > 0 ? seeBelow : texts.join("\n");
  return status === "error" ? failed + said : said;
}

function resultMedia({ toolUseId, content }: ToolResult): Part[] {
  const media = content.flatMap((block) => ("json" in block ? [] : userPart(block).filter(isMedia)));
  return media.length === 0 ? [] : [{ type: "text", text: `From the result of the call ${toolUseId}:` }, ...media];
}

function isMedia(part: Part): part is Exclude<Part, { type: "text" }> {
  return part.type !== "text";
}
