import { z } from "zod";

/** A content block of Anthropic's, as far as the stand-in looks at it. */
export const block = z.looseObject({ type: z.string() });
export type Block = z.output<typeof block>;
export const content = z.union([z.string(), z.array(block)]);

/** AWS's list for `anthropic_beta`, and what AWS was seen to take beyond it. */
const betas: ReadonlySet<string> = new Set([
  "claude-code-20250219",
  "compact-2026-01-12",
  "computer-use-2024-10-22",
  "computer-use-2025-01-24",
  "computer-use-2025-11-24",
  "context-1m-2025-08-07",
  "context-management-2025-06-27",
  "dangerous-tool-use-2026-09-03",
  "dev-full-thinking-2025-05-14",
  "effort-2025-11-24",
  "fine-grained-tool-streaming-2025-05-14",
  "interleaved-thinking-2025-05-14",
  "mid-conversation-output-config-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "output-128k-2025-02-19",
  "structured-outputs-2025-11-13",
  "structured-outputs-2025-12-15",
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "thinking-token-count-2026-05-13",
  "token-efficient-tools-2025-02-19",
  "tool-examples-2025-10-29",
  "tool-search-tool-2025-10-19",
]);

const cacheMark = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() }).nullish();
const marked = z.looseObject({ cache_control: cacheMark });
const markedContent = z.union([z.string(), z.array(marked)]);

/** Built-in tools have fields of their own; these are a client's. */
const customTool = z.strictObject({
  type: z.literal("custom").nullish(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal("object") }),
  cache_control: cacheMark,
  strict: z.boolean().optional(),
  defer_loading: z.boolean().optional(),
  input_examples: z.array(z.looseObject({})).optional(),
});
const builtInTool = /^(bash|text_editor|computer|memory|tool_search_tool)_/;

const thinking = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("enabled"), budget_tokens: z.int().min(1024) }),
  z.looseObject({ type: z.literal("adaptive") }),
  z.looseObject({ type: z.literal("disabled") }),
]);

const outputConfig = z.strictObject({
  effort: z.enum(["low", "medium", "high", "xhigh", "max"]).optional(),
  format: z.looseObject({ type: z.literal("json_schema"), schema: z.unknown() }).nullish(),
});

/** From Claude 4.7 on. It knows no sampling. */
const newVersion = "2026-10-21";

/** Claude on Bedrock takes no field it does not know. */
const schema = z.strictObject({
  anthropic_version: z.enum(["bedrock-2023-05-31", newVersion]),
  anthropic_beta: z.array(z.string()).optional(),
  max_tokens: z.int().min(1),
  messages: z
    .array(
      z.strictObject({
        role: z.enum(["user", "assistant", "system"]),
        content,
        output_config: outputConfig.optional(),
      }),
    )
    .min(1),
  system: content.optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().optional(),
  top_k: z.int().optional(),
  stop_sequences: z.array(z.string()).optional(),
  tools: z
    .array(z.looseObject({ type: z.string().nullish(), name: z.string(), input_schema: z.unknown().optional() }))
    .optional(),
  tool_choice: z.looseObject({ type: z.enum(["auto", "any", "tool", "none"]), name: z.string().optional() }).optional(),
  thinking: thinking.optional(),
  metadata: z.looseObject({}).optional(),
  output_config: outputConfig.optional(),
  context_management: z.looseObject({}).optional(),
  cache_control: cacheMark,
});
export type ClaudeRequest = z.output<typeof schema>;

/**
 * Claude's body as InvokeModel checks it, in its words: clients read “Extra inputs are not permitted” and mend themselves.
 * @param headerBetas those of an `anthropic-beta` header, which count like those of the body
 * @throws TypeError for the first thing that is wrong
 */
export function readClaudeRequest(body: unknown, model: string, headerBetas: readonly string[] = []): ClaudeRequest {
  const request = checked(schema, body, "");
  const named = new Set([...headerBetas, ...(request.anthropic_beta ?? [])]);
  checkBetas(named);
  for (const [index, tool] of (request.tools ?? []).entries()) checkTool(tool, `tools.${index}`, named);
  if (request.context_management !== undefined && !named.has("context-management-2025-06-27"))
    extra("context_management");
  const stating = request.messages.findIndex(({ output_config }) => output_config !== undefined);
  if (stating >= 0 && !named.has("mid-conversation-output-config-2026-07-01"))
    extra(`messages.${stating}.output_config`);
  if (request.tool_choice !== undefined) checkChoosable(request.tools?.length ?? 0);
  checkVersion(request, model);
  checkRoles(request, model);
  if (request.thinking?.display === "updates" && !named.has("thinking-display-updates-2026-08-18"))
    throw new TypeError(`thinking.${request.thinking.type}.display: Input should be 'summarized' or 'omitted'`);
  checkThinking(request.thinking, request.max_tokens, model, named.has("interleaved-thinking-2025-05-14"));
  if (Array.isArray(request.system)) checked(markedContent, request.system, "system.");
  for (const [index, message] of request.messages.entries()) {
    checked(markedContent, message.content, `messages.${index}.content.`);
    checkThoughts(message.content, `messages.${index}.content`);
    checkCallIds(message.content, `messages.${index}.content`);
  }
  return request;
}

function checkCallIds(said: z.output<typeof content>, path: string): void {
  for (const [at, part] of Array.isArray(said) ? said.entries() : []) {
    const name = part.type === "tool_use" ? "id" : "tool_use_id";
    if (/^tool_(use|result)$/.test(part.type) && !/^[a-zA-Z0-9_-]+$/.test(String(part[name])))
      throw new TypeError(`${path}.${at}.${part.type}.${name}: String should match pattern '^[a-zA-Z0-9_-]+$'`);
  }
}

function checkThoughts(said: z.output<typeof content>, path: string): void {
  const at = Array.isArray(said) ? said.findIndex((part) => part.type === "thinking" && !part.signature) : -1;
  if (at >= 0) throw new TypeError(`${path}.${at}: Invalid \`signature\` in \`thinking\` block`);
}

/** Claude's own words beside a Converse body. */
const fields = z.looseObject({
  anthropic_beta: z.array(z.string()).optional(),
  thinking: thinking.optional(),
  output_config: outputConfig.optional(),
  tool_choice: z.looseObject({ type: z.string().optional() }).optional(),
  // Anthropic's own tools, which Converse has no words for.
  tools: z.array(z.unknown()).optional(),
});

/** What of Converse's own words meets Claude's beside them. */
interface BesideFields {
  readonly maxTokens: number | undefined;
  /** How many are declared. */
  readonly tools: number;
  /** The kind of `toolConfig.toolChoice`. */
  readonly toolChoice: string | undefined;
}

/**
 * What `additionalModelRequestFields` of Converse ask of Claude.
 * @throws TypeError as for a body of Claude's
 */
export function readClaudeFields(value: unknown, model: string, { maxTokens, tools, toolChoice }: BesideFields) {
  const asked = checked(fields, value ?? {}, "");
  if (asked.tool_choice !== undefined) {
    checkChoosable(tools + (asked.tools?.length ?? 0));
    checkSaidOnce(asked.tool_choice.type, toolChoice);
  }
  const named = new Set(asked.anthropic_beta ?? []);
  checkBetas(named);
  checkThinking(asked.thinking, maxTokens, model, named.has("interleaved-thinking-2025-05-14"));
  return { thinks: thinks(asked.thinking), format: asked.output_config?.format?.schema };
}

export function thinks(wish: ClaudeRequest["thinking"]): boolean {
  return wish?.type === "enabled" || wish?.type === "adaptive";
}

/** A choice needs tools to choose from. */
function checkChoosable(tools: number): void {
  if (tools === 0) throw new TypeError("tool_choice: may only be specified while providing tools.");
}

/** Converse puts both choices into one body, whose kind it takes from one of them. */
function checkSaidOnce(beside: string | undefined, own: string | undefined): void {
  if (beside !== undefined && own !== undefined)
    throw new TypeError(
      `The additional field tool_choice/type conflicts with the existing field toolConfig.toolChoice.${own}. Remove tool_choice/type and try your request again.`,
    );
  if (beside === undefined && own === undefined)
    throw new TypeError("The model returned the following errors: tool_choice.type: Field required");
}

function checkBetas(named: ReadonlySet<string>): void {
  for (const beta of named) if (!betas.has(beta)) throw new TypeError("invalid beta flag");
}

function checkTool(tool: unknown, path: string, named: ReadonlySet<string>): void {
  const type = checked(z.looseObject({ type: z.string().nullish() }), tool, `${path}.`).type ?? "custom";
  if (builtInTool.test(type)) return;
  if (type !== "custom")
    throw new TypeError(`${path}: Input tag '${type}' found using 'type' does not match any of the expected tags`);
  const { defer_loading, input_examples } = checked(customTool, tool, `${path}.custom.`);
  if (defer_loading !== undefined && !named.has("tool-search-tool-2025-10-19")) extra(`${path}.custom.defer_loading`);
  if (input_examples !== undefined && !named.has("tool-examples-2025-10-29")) extra(`${path}.custom.input_examples`);
}

function checkVersion(request: ClaudeRequest, model: string): void {
  if (request.anthropic_version !== newVersion) return;
  if (versionOf(model) < 4.7) throw new TypeError("anthropic_version: Input should be 'bedrock-2023-05-31'");
  const sampling = (["temperature", "top_p", "top_k"] as const).find((name) => request[name] !== undefined);
  if (sampling !== undefined) extra(sampling);
}

function checkRoles({ messages }: ClaudeRequest, model: string): void {
  const at = messages.findIndex(({ role }) => role === "system");
  if (at < 0 || (at > 0 && versionOf(model) >= 4.8)) return;
  throw new TypeError(`messages.${at}.role: Input should be 'user' or 'assistant'`);
}

/** Claude 4.6 began to think as much as it finds right; from 4.7 on it takes no budget. */
function checkThinking(
  wish: ClaudeRequest["thinking"],
  maxTokens: number | undefined,
  model: string,
  interleaved: boolean,
): void {
  const version = versionOf(model);
  if (wish?.type === "adaptive" && version < 4.6)
    throw new TypeError("adaptive thinking is not supported on this model");
  if (wish?.type !== "enabled") return;
  if (version >= 4.7)
    throw new TypeError(
      '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.',
    );
  // Between the calls of tools, thoughts may take more than one answer's limit.
  if (maxTokens !== undefined && wish.budget_tokens >= maxTokens && !interleaved)
    throw new TypeError("`max_tokens` must be greater than `thinking.budget_tokens`.");
}

/** 4.5 of `us.anthropic.claude-sonnet-4-5-20250929-v1:0`; 3 for all that are named in the old order. */
function versionOf(model: string): number {
  const [, major, minor = "0"] = /claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?!\d)/.exec(model) ?? [];
  return major === undefined ? 3 : Number(major) + Number(minor) / 10;
}

function extra(path: string): never {
  throw new TypeError(`${path}: Extra inputs are not permitted`);
}

function checked<Output>(of: z.ZodType<Output>, value: unknown, prefix: string): Output {
  const result = of.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).map(String);
  if (issue?.code === "unrecognized_keys") return extra(`${prefix}${[...path, issue.keys[0]].join(".")}`);
  throw new TypeError(`${prefix}${path.join(".")}: ${issue?.message ?? "invalid"}`);
}
