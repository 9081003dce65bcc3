import { isObject, type JsonObject, unsupported } from "../../dialects/body.ts";
import { claudeTurns } from "../anthropic/claude-turns.ts";
import { bedrockBetas } from "./claude-betas.ts";

/** The version of Claude's protocol that every Claude on Bedrock speaks; the client's `anthropic-version` names Anthropic's own. */
export const bedrockVersion = "bedrock-2023-05-31";

/** Said outside the body on Bedrock, or of use to Anthropic's own service only. */
const leftOut = new Set([
  "anthropic_version",
  "anthropic_beta",
  "model",
  "stream",
  "service_tier",
  "inference_geo",
  "workspace_id",
  "user_profile_id",
  "diagnostics",
  "billing_policy",
  "betas",
  "fallback_credit_token",
  "tags",
  "speed",
  "output_format",
]);

const refused: Readonly<Record<string, string>> = {
  compaction: "Bedrock compacts by context_management only.",
  container: "Bedrock has no containers.",
  mcp_servers: "Bedrock connects to no MCP servers. Call them from the client and send tools.",
  fallbacks: "fallbacks are configured at the gateway.",
  thread: "Bedrock keeps no threads. Send the whole conversation.",
};

/**
 * Claude's own body on Bedrock: what Anthropic's API takes, less what Bedrock says elsewhere, by another name or not at all.
 * @param beta the client's `anthropic-beta`
 * @param furtherBetas those that the operator knows Bedrock to take, beside the ones known here
 * @throws GatewayError `unsupported` naming the field that would change the answer
 */
export function claudeBody(body: JsonObject, beta: string | null, furtherBetas: readonly string[] = []): string {
  for (const [name, why] of Object.entries(refused)) if (body[name] != null) throw unsupported(name, why);
  if (body.speed === "fast") throw unsupported("speed", "Bedrock has one speed.");
  const turns = claudeTurns(body);
  const steady = beta?.includes("per-turn-control-") === true ? withOneEffort(turns) : turns;
  const own = beta?.includes("prompt-caching-") === true ? plainCacheMarks(steady) : steady;
  const kept = Object.entries(own).filter(
    ([name, value]) =>
      value !== null && !leftOut.has(name) && !(name in refused) && !(name === "tool_choice" && choosesNothing(own)),
  );
  const betas = bedrockBetas(beta, body, furtherBetas);
  return JSON.stringify({
    anthropic_version: bedrockVersion,
    ...(betas.length === 0 ? {} : { anthropic_beta: betas }),
    ...Object.fromEntries(kept),
    ...(own.output_format == null ? {} : { output_config: withFormat(own) }),
    ...(Array.isArray(own.tools) && own.tools.some(isEager) ? { tools: own.tools.map(lazyTool) } : {}),
  });
}

/** Structured output by its earlier name, which Bedrock never had; the later one wins. */
function withFormat({ output_config, output_format }: JsonObject): JsonObject {
  return { format: output_format, ...(isObject(output_config) ? output_config : {}) };
}

/** A choice that demands no call says nothing where no tool is offered, and Claude refuses it there. */
function choosesNothing({ tool_choice: choice, tools }: JsonObject): boolean {
  const offersNone = tools == null || (Array.isArray(tools) && tools.length === 0);
  return offersNone && isObject(choice) && (choice.type === "auto" || choice.type === "none");
}

function isEager(tool: unknown): tool is JsonObject {
  return isObject(tool) && "eager_input_streaming" in tool;
}

/** `eager_input_streaming` is a beta on Bedrock, and an unknown field. */
function lazyTool(tool: unknown): unknown {
  if (!isEager(tool)) return tool;
  const { eager_input_streaming: _, ...rest } = tool;
  return rest;
}

/**
 * A message may say how much to think from there on; Bedrock hears only of the whole request, so the last one said counts.
 * One that said nothing else goes: a message without content is refused.
 */
function withOneEffort(body: JsonObject): JsonObject {
  if (!Array.isArray(body.messages)) return body;
  let config = body.output_config;
  const messages = body.messages.flatMap((message) => {
    if (!isObject(message) || !isObject(message.output_config)) return [message];
    const { output_config, ...rest } = message;
    const { effort } = message.output_config;
    if (effort != null) config = { ...(isObject(config) ? config : {}), effort };
    return rest.content == null ? [] : [rest];
  });
  return { ...body, messages, output_config: config };
}

/**
 * Who else may read a cache entry (`scope`), and when it goes (`evict_on_complete`), are Anthropic's own; the entry is
 * made without them. Clients say them together with a beta of prompt caching, so other bodies are not walked.
 */
function plainCacheMarks(body: JsonObject): JsonObject {
  return {
    ...body,
    system: plainBlocks(body.system),
    tools: plainBlocks(body.tools),
    messages: plainMessages(body.messages),
  };
}

function plainMessages(messages: unknown): unknown {
  return Array.isArray(messages)
    ? messages.map((message) => (isObject(message) ? { ...message, content: plainBlocks(message.content) } : message))
    : messages;
}

/** Content, or tools: both carry the mark on each of theirs, and a tool's result has content of its own. */
function plainBlocks(blocks: unknown): unknown {
  if (!Array.isArray(blocks)) return blocks;
  return blocks.map((block) => {
    if (!isObject(block)) return block;
    const marked = isObject(block.cache_control) ? { cache_control: plainMark(block.cache_control) } : {};
    return { ...block, ...marked, ...(block.type === "tool_result" ? { content: plainBlocks(block.content) } : {}) };
  });
}

function plainMark({ type, ttl }: JsonObject): JsonObject {
  return { type, ...(ttl == null ? {} : { ttl }) };
}
