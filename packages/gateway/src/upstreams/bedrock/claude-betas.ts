import { isObject, type JsonObject } from "../../dialects/body.ts";

/**
 * The betas that Claude takes at InvokeModel: those of AWS's page on its request, and those that clients of Bedrock send it.
 * Any other name is answered “invalid beta flag”, and fails the request with it.
 */
const taken: ReadonlySet<string> = new Set([
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
  "thinking-binding-controls-2026-08-01",
  "thinking-display-updates-2026-08-18",
  "token-efficient-tools-2025-02-19",
  "tool-examples-2025-10-29",
  "tool-search-tool-2025-10-19",
]);

/** One beta at Anthropic, two on Bedrock. */
const advancedToolUse = "advanced-tool-use-2025-11-20";
/** At Anthropic a field of the tool, on Bedrock a beta. */
const eagerStreaming = "fine-grained-tool-streaming-2025-05-14";

/**
 * What Bedrock is told of the betas a client named: in the header, or in the body as clients of Bedrock do. The ones it
 * does not take are left out: most change nothing in the answer, and a field that belongs to one is refused there by its
 * own name.
 * @param header the client's `anthropic-beta`: names between commas
 * @param further those that the operator knows to be taken, too
 */
export function bedrockBetas(
  header: string | null,
  { anthropic_beta, tools }: JsonObject,
  further: readonly string[] = [],
): readonly string[] {
  if (header === null && anthropic_beta === undefined && tools === undefined) return [];
  const betas = new Set<string>();
  const named = [...(header?.split(",") ?? []), ...(Array.isArray(anthropic_beta) ? anthropic_beta.map(String) : [])];
  for (const part of named) {
    const name = part.trim();
    if (taken.has(name) || further.includes(name)) betas.add(name);
    else if (name === advancedToolUse) addToolBetas(betas, tools);
  }
  if (anyTool(tools, (tool) => tool.eager_input_streaming === true)) betas.add(eagerStreaming);
  return [...betas];
}

/** Only those that the tools need: older models take neither. */
function addToolBetas(betas: Set<string>, tools: unknown): void {
  if (anyTool(tools, (tool) => tool.defer_loading === true || String(tool.type).startsWith("tool_search_tool")))
    betas.add("tool-search-tool-2025-10-19");
  if (anyTool(tools, (tool) => tool.input_examples != null)) betas.add("tool-examples-2025-10-29");
}

function anyTool(tools: unknown, holds: (tool: Record<string, unknown>) => boolean): boolean {
  return Array.isArray(tools) && tools.some((tool) => isObject(tool) && holds(tool));
}
