import type { Conversation, ToolChoice } from "../../dialects/conversation.ts";

const single = { disable_parallel_tool_use: true } as const;

interface ClaudeToolChoice {
  readonly type: "auto" | "any" | "tool" | "none";
  readonly name?: string;
  readonly disable_parallel_tool_use?: true;
}

/** The choice in Anthropic's words; undefined where there is nothing to choose from, or nothing to say of it. */
export function claudeToolChoice({ toolChoice, tools, wishes }: Conversation): ClaudeToolChoice | undefined {
  const atOnce = wishes.parallelToolCalls !== false;
  if (tools.length === 0 || (toolChoice === undefined && atOnce)) return undefined;
  const said = inClaudesWords(toolChoice ?? { auto: {} });
  return atOnce || said.type === "none" ? said : { ...said, ...single };
}

function inClaudesWords(choice: ToolChoice): ClaudeToolChoice {
  if ("tool" in choice) return { type: "tool", name: choice.tool.name };
  return { type: "any" in choice ? "any" : "none" in choice ? "none" : "auto" };
}

/**
 * Tools and the choice among them for Converse, which has no words for none and for one call at a time. Those go in
 * Anthropic's beside it, where a kind of choice is needed if Converse's own words say none, and refused if they do.
 */
export function claudeTools(conversation: Conversation): { toolConfig: object; beside?: object } {
  const { tools, toolChoice } = conversation;
  const whole = claudeToolChoice(conversation);
  if (whole?.type !== "none" && whole?.disable_parallel_tool_use === undefined)
    return { toolConfig: { tools, toolChoice } };
  if (whole.type === "auto" || whole.type === "none") return { toolConfig: { tools }, beside: { tool_choice: whole } };
  return { toolConfig: { tools, toolChoice }, beside: { tool_choice: single } };
}
