import { refuseIndirect } from "../allowed-callers.ts";
import { isObject, type JsonObject, objectAt, objectField, requiredString, stringField, unsupported } from "../body.ts";
import type { Tool, ToolChoice } from "../conversation.ts";
import { cachePoint } from "../openai-chat/content.ts";

/**
 * Tools for a model that is not Claude. A deferred one is kept back until a tool's result refers to it, as Claude is
 * shown it only then; what searches for tools is the client.
 * @param messages where references stand
 * @throws GatewayError `unsupported` for a tool of Anthropic's own, or one that only a program may call
 */
export function anthropicTools(list: readonly unknown[], messages: unknown): Tool[] {
  let found: ReadonlySet<string> | undefined;
  return list.flatMap((_, index): Tool[] => {
    const tool = objectAt(list, index, "tools");
    const path = `tools[${index}]`;
    if (tool.type != null && tool.type !== "custom")
      throw unsupported(`${path}.type`, "Anthropic's built-in tools need a Claude model.");
    refuseIndirect(tool, path);
    const name = requiredString(tool, "name", `${path}.name`);
    if (tool.defer_loading === true) {
      found ??= referredTo(messages);
      if (!found.has(name)) return [];
    }
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

function referredTo(messages: unknown): ReadonlySet<string> {
  const results = blocksIn(messages).flatMap((message) => blocksIn(message.content));
  const parts = results.flatMap((block) => (block.type === "tool_result" ? blocksIn(block.content) : []));
  return new Set(parts.flatMap(({ type, tool_name }) => (type === "tool_reference" ? [String(tool_name)] : [])));
}

function blocksIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** @throws GatewayError for a choice that Anthropic has not */
export function anthropicToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
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
