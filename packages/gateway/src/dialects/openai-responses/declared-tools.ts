import { arrayField, isObject, type JsonObject, objectAt, requiredString, stringField } from "../body.ts";
import { modelName } from "./tool-names.ts";

/** A tool as the client declared it, which is how a call of it is worded to him. */
export interface DeclaredTool {
  /** Who runs it: the client, in one of three wordings, or OpenAI. */
  readonly kind: "function" | "custom" | "tool_search" | "hosted";
  /** As the client calls it; a hosted tool's is its type. */
  readonly name: string;
  readonly namespace: string | undefined;
  /** As the model knows it; nothing for a hosted tool, which it never learns of. */
  readonly modelName: string;
  readonly tool: JsonObject;
  /** Where it stands in the request. */
  readonly path: string;
}

interface Declared {
  readonly tools: readonly DeclaredTool[];
  /** What belongs to all tools of a namespace is said once, beside them. */
  readonly namespaces: readonly { readonly name: string; readonly description: string }[];
}

interface Found {
  readonly tools: DeclaredTool[];
  readonly namespaces: { readonly name: string; readonly description: string }[];
  readonly names: Set<string>;
}

/**
 * Every tool of a request, once: in `tools`, in a namespace there, or in an item of the input that adds some or brings
 * those a search has found.
 * @throws GatewayError naming what is no tool
 */
export function declaredTools(body: JsonObject): Declared {
  const found: Found = { tools: [], namespaces: [], names: new Set() };
  collect(arrayField(body, "tools"), "tools", undefined, found);
  const items = Array.isArray(body.input) ? body.input : [];
  for (let index = 0; index < items.length; index += 1) {
    const item: unknown = items[index];
    if (!isObject(item) || (item.type !== "additional_tools" && item.type !== "tool_search_output")) continue;
    const path = `input[${index}].tools`;
    collect(arrayField(item, "tools", path), path, undefined, found);
  }
  return found;
}

function collect(list: readonly unknown[] = [], at: string, namespace: string | undefined, found: Found): void {
  for (let index = 0; index < list.length; index += 1) {
    const tool = objectAt(list, index, at);
    const path = `${at}[${index}]`;
    if (tool.type === "namespace" && namespace === undefined) {
      const name = requiredString(tool, "name", `${path}.name`);
      const description = stringField(tool, "description", `${path}.description`) ?? "";
      if (description !== "") found.namespaces.push({ name, description });
      collect(arrayField(tool, "tools", `${path}.tools`), `${path}.tools`, name, found);
      continue;
    }
    const declared = declaredTool(tool, path, namespace);
    // A search finds again what was declared already.
    if (declared.kind !== "hosted" && found.names.has(declared.modelName)) continue;
    found.names.add(declared.modelName);
    found.tools.push(declared);
  }
}

function declaredTool(tool: JsonObject, path: string, namespace: string | undefined): DeclaredTool {
  if (tool.type === "function" || tool.type === "custom") {
    const name = requiredString(tool, "name", `${path}.name`);
    return { kind: tool.type, name, namespace, modelName: modelName(name, namespace), tool, path };
  }
  const name = requiredString(tool, "type", `${path}.type`);
  if (name === "tool_search" && tool.execution === "client")
    return { kind: "tool_search", name, namespace, modelName: name, tool, path };
  return { kind: "hosted", name, namespace, modelName: "", tool, path };
}
