import { isObject, type JsonObject } from "../body.ts";
import { customInput } from "./custom-input.ts";
import { type DeclaredTool, declaredTools } from "./declared-tools.ts";

/** What the model called, in the words of who declared it. */
export type Called = Pick<DeclaredTool, "kind" | "name" | "namespace">;

/** Finds the tool that a model names; one that nobody declared is a function of that name. */
export function createCalled(body: JsonObject): (modelName: string) => Called {
  let declared: readonly DeclaredTool[] | undefined;
  return (modelName) => {
    declared ??= declaredTools(body).tools;
    const found = declared.find((tool) => tool.modelName === modelName);
    return found ?? { kind: "function", name: modelName, namespace: undefined };
  };
}

/** The id of an item: what begins it says what the item is. */
export function itemId(id: string, index: number, what: "message" | "reasoning" | Called): string {
  return `${what === "message" ? "msg" : what === "reasoning" ? "rs" : callPrefixes[what.kind]}_${id}_${index}`;
}

const callPrefixes = { function: "fc", custom: "ctc", tool_search: "tsc", hosted: "fc" } as const;

/** Whether an answer and the item that it ends with are whole, or were cut. */
export type EndStatus = "completed" | "incomplete";

/** One item of `output`; empty while it is in progress, since its text comes by events. */
export function messageItem(id: string, index: number, text: string, status: string) {
  const content = status === "in_progress" ? [] : [{ type: "output_text", text, annotations: [], logprobs: [] }];
  return { id: itemId(id, index, "message"), type: "message", status, role: "assistant", content };
}

/** A call in the wording of its tool. @param json the input as the model wrote it; nothing at the beginning of a stream */
export function callItem(id: string, index: number, callId: string, called: Called, json: string, status: string) {
  const item = { id: itemId(id, index, called), status, call_id: callId };
  const { name, namespace } = called;
  const named = namespace === undefined ? { name } : { name, namespace };
  switch (called.kind) {
    case "custom":
      return { ...item, type: "custom_tool_call", ...named, input: json === "" ? "" : customInput(json) };
    case "tool_search":
      return { ...item, type: "tool_search_call", execution: "client", arguments: objectOf(json) };
    default:
      return { ...item, type: "function_call", ...named, arguments: json };
  }
}

function objectOf(json: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(json);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** Thoughts with what proves them, so that the client can send them back; he cannot make any of his own. */
export function reasoningItem(
  id: string,
  index: number,
  kept: { text: string; signature: string } | { redacted: string },
) {
  const summary = "text" in kept ? [{ type: "summary_text", text: kept.text }] : [];
  return {
    id: itemId(id, index, "reasoning"),
    type: "reasoning",
    summary,
    encrypted_content: Buffer.from(JSON.stringify(kept)).toString("base64"),
  };
}
