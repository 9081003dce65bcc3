import { GatewayError } from "../errors.ts";
import type { Conversation, ToolChoice } from "./conversation.ts";

/** Whether the model is made to call a tool: any, or one by its name. */
export function isForced(choice: ToolChoice | undefined): boolean {
  return choice !== undefined && ("any" in choice || "tool" in choice);
}

/** @throws GatewayError `invalid_request` when a call is demanded and no tool is offered, as OpenAI and Anthropic answer it */
export function refuseForceOfNone({ tools, toolChoice }: Pick<Conversation, "tools" | "toolChoice">): void {
  if (tools.length > 0 || !isForced(toolChoice)) return;
  const message = "'tool_choice' demands a call, and 'tools' offers nothing to call.";
  throw new GatewayError("invalid_request", message, { param: "tool_choice" });
}
