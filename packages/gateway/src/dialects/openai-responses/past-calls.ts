import { isObject, type JsonObject, parsedObject, requiredString, stringField } from "../body.ts";
import type { ContentBlock } from "../conversation.ts";
import { declaredTools } from "./declared-tools.ts";
import { itemContent } from "./item-content.ts";
import { modelName } from "./tool-names.ts";

/** A `function_call`, `custom_tool_call` or `tool_search_call` of the history. */
export function pastCall(item: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(item, "call_id", `${path}.call_id`);
  if (item.type === "tool_search_call")
    return { toolUse: { toolUseId, name: "tool_search", input: isObject(item.arguments) ? item.arguments : {} } };
  const namespace = stringField(item, "namespace", `${path}.namespace`);
  const name = modelName(requiredString(item, "name", `${path}.name`), namespace);
  if (item.type === "custom_tool_call")
    return { toolUse: { toolUseId, name, input: { input: stringField(item, "input", `${path}.input`) ?? "" } } };
  const given = stringField(item, "arguments", `${path}.arguments`) ?? "";
  return { toolUse: { toolUseId, name, input: callInput(given) } };
}

/**
 * Models take objects only. What is none was cut off or wrong when a model wrote it, which its result says; refused, it
 * would stand in the way of every later turn.
 */
function callInput(given: string): JsonObject {
  return given === "" ? {} : (parsedObject(given) ?? { arguments: given });
}

/** A `function_call_output` or `custom_tool_call_output`. */
export function pastOutput(item: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(item, "call_id", `${path}.call_id`);
  const content = itemContent(item.output, `${path}.output`).flatMap((block) =>
    "text" in block || "image" in block || "document" in block ? [block] : [],
  );
  return { toolResult: { toolUseId, content: content.length === 0 ? [{ text: "(no output)" }] : content } };
}

/** What a search at the client has found: the tools themselves are offered with the others. */
export function pastSearch(item: JsonObject, path: string): ContentBlock {
  const toolUseId = requiredString(item, "call_id", `${path}.call_id`);
  const names = declaredTools({ tools: item.tools }).tools.map((tool) => tool.modelName);
  const text = names.length === 0 ? "No tools were found." : `These tools can be called now: ${names.join(", ")}`;
  return { toolResult: { toolUseId, content: [{ text }] } };
}
