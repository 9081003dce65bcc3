import { type JsonObject, unsupported } from "../../dialects/body.ts";
import type {
  ContentBlock,
  Conversation,
  Document,
  Message,
  OutputFormat,
  Source,
  Tool,
  ToolResultBlock,
} from "../../dialects/conversation.ts";
import { unsupportedField } from "../../dialects/field-names.ts";
import { mediaTypeOf, textOfDocument } from "../../dialects/media.ts";
import { claudeGeneration } from "../bedrock/claude-generations.ts";
import { claudeToolChoice } from "../bedrock/claude-tool-choice.ts";
import { modelFields, withinModel } from "../bedrock/model-fields.ts";
import { withinSubset } from "../bedrock/schema-subset.ts";
import { begunByUser } from "../bedrock/turns.ts";
import { withCallIds } from "../call-ids.ts";
import { systemPrompt } from "../system-prompt.ts";
import { refuseDocuments } from "./documents.ts";

/** Anthropic wants a limit; this is used when the client named none. Models that think by themselves count thoughts in. */
const defaultMaxTokens = 4096;
const defaultMaxTokensThinking = 16_384;

/**
 * A conversation as a messages body.
 * @param drops what the model has no words for is left out instead of refused
 * @param said the client's own body, whose fields are named
 * @throws GatewayError naming what Anthropic has no words for
 */
export function messagesBody(
  asked: Conversation,
  model: string,
  stream: boolean,
  drops = false,
  said?: unknown,
): string {
  refuseDocuments(asked, said);
  const claude = { id: model, family: "claude", drops } as const;
  const conversation = withinModel(withinSubset(asked), claude);
  const { inferenceConfig, outputFormat, serviceTier } = conversation;
  if (serviceTier !== undefined && serviceTier !== "default")
    throw unsupportedField(conversation, "serviceTier", "this model's provider has no such tier.");
  const wished = modelFields(conversation, claude);
  const toolChoice = claudeToolChoice(conversation);
  const system = systemPrompt(conversation);
  const format =
    outputFormat?.type === "json_schema" ? { type: "json_schema", schema: described(outputFormat) } : undefined;
  const usualMaxTokens = claudeGeneration(model).adaptive ? defaultMaxTokensThinking : defaultMaxTokens;
  const { maxTokens, temperature, topP, stopSequences } = inferenceConfig;
  return JSON.stringify({
    model,
    max_tokens: maxTokens ?? wished.maxTokens ?? usualMaxTokens,
    messages: begunByUser(withCallIds(conversation.messages)).map(anthropicMessage),
    ...(system.length === 0 ? {} : { system: marked(system, systemBlock) }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stopSequences === undefined ? {} : { stop_sequences: stopSequences }),
    ...(conversation.tools.length === 0 ? {} : { tools: marked(conversation.tools, toolBlock) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
    // JSON leaves out what is undefined.
    ...(format === undefined && wished.effort === undefined
      ? {}
      : { output_config: { format, effort: wished.effort } }),
    ...wished.fields,
    ...(stream ? { stream: true } : {}),
  });
}

/** Anthropic has no field of its own for what a schema is for. */
function described({ schema, description }: Extract<OutputFormat, { type: "json_schema" }>): JsonObject {
  return description === undefined || schema.description !== undefined ? schema : { ...schema, description };
}

/** Thoughts have no place for a mark; what stands behind them is cached with them. */
const unmarkable: ReadonlySet<unknown> = new Set(["thinking", "redacted_thinking"]);

/** Cache points stand behind their block in a conversation and on it in Anthropic's words. */
function marked<Block extends object>(
  blocks: readonly Block[],
  words: (block: Block) => Record<string, unknown> | undefined,
): unknown[] {
  const written: Record<string, unknown>[] = [];
  for (const block of blocks) {
    if ("cachePoint" in block) {
      const point = block.cachePoint as { ttl?: string };
      const last = written.at(-1);
      if (last !== undefined && !unmarkable.has(last.type))
        last.cache_control = { type: "ephemeral", ...(point.ttl === undefined ? {} : { ttl: point.ttl }) };
      continue;
    }
    const said = words(block);
    if (said !== undefined) written.push(said);
  }
  return written;
}

function systemBlock(block: object): Record<string, unknown> | undefined {
  return "text" in block ? { type: "text", text: block.text } : undefined;
}

function toolBlock(tool: Tool): Record<string, unknown> | undefined {
  if (!("toolSpec" in tool)) return undefined;
  const { name, description, inputSchema, strict } = tool.toolSpec;
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: inputSchema.json,
    ...(strict === undefined ? {} : { strict }),
  };
}

function anthropicMessage(message: Message): unknown {
  return { role: message.role, content: marked(message.content, contentBlock) };
}

function contentBlock(block: ContentBlock): Record<string, unknown> | undefined {
  if ("text" in block) return { type: "text", text: block.text };
  if ("toolUse" in block)
    return {
      type: "tool_use",
      id: block.toolUse.toolUseId,
      name: block.toolUse.name,
      input: block.toolUse.input ?? {},
    };
  if ("toolResult" in block) {
    const { toolUseId, content, status } = block.toolResult;
    return {
      type: "tool_result",
      tool_use_id: toolUseId,
      content: content.map(resultBlock),
      ...(status === "error" ? { is_error: true } : {}),
    };
  }
  if ("reasoningContent" in block) return thought(block.reasoningContent);
  // Written on the block before it.
  return "cachePoint" in block ? undefined : mediaBlock(block);
}

function thought(reasoning: Extract<ContentBlock, { reasoningContent: unknown }>["reasoningContent"]) {
  if ("redactedContent" in reasoning) return { type: "redacted_thinking", data: reasoning.redactedContent };
  const { text, signature } = reasoning.reasoningText;
  return { type: "thinking", thinking: text, signature };
}

function resultBlock(block: ToolResultBlock): unknown {
  if ("text" in block) return { type: "text", text: block.text };
  if ("json" in block) return { type: "text", text: JSON.stringify(block.json) };
  return mediaBlock(block);
}

type Media = Extract<ContentBlock, { image: unknown } | { document: unknown } | { searchResult: unknown }>;

function mediaBlock(block: Media): Record<string, unknown> {
  if ("image" in block) return { type: "image", source: base64("image", block.image.format, block.image.source) };
  if ("searchResult" in block) {
    const { content, ...result } = block.searchResult;
    return { type: "search_result", ...result, content: content.map(textPart) };
  }
  const { name, context, citations } = block.document;
  // JSON leaves out what is undefined.
  return { type: "document", title: name, source: documentSource(block.document), context, citations };
}

function documentSource({ format, source }: Document): unknown {
  if ("content" in source) return { type: "content", content: source.content.map(textPart) };
  const data = textOfDocument(format, source);
  if (data !== undefined) return { type: "text", media_type: "text/plain", data };
  return base64("document", format, source);
}

function textPart({ text }: { readonly text: string }) {
  return { type: "text", text };
}

function base64(kind: "image" | "document", format: string, source: Source) {
  if (!("bytes" in source)) throw unsupported(kind, "this model's provider takes bytes only.");
  return { type: "base64", media_type: mediaTypeOf(kind, format), data: source.bytes };
}
