import { refuseIndirect } from "../allowed-callers.ts";
import { isObject, type JsonObject, objectField, stringField, unsupported } from "../body.ts";
import type { SystemBlock, Tool, ToolChoice } from "../conversation.ts";
import { chatToolChoice, functionTool } from "../openai-chat/request.ts";
import { type DeclaredTool, declaredTools } from "./declared-tools.ts";

/** The request's tools in Converse's words. */
export interface OfferedTools {
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | undefined;
  /** What a model has to know of them beside their own descriptions. */
  readonly notes: readonly SystemBlock[];
}

/**
 * Agents offer these beside their own tools whether or not they are wanted. They are left out there and the model is
 * told, so that it says so instead of making things up; alone, or chosen, they are what the request is about.
 */
const leftOut: ReadonlyMap<unknown, string> = new Map([
  ["web_search", "web search"],
  ["web_search_2025_08_26", "web search"],
  ["web_search_preview", "web search"],
  ["web_search_preview_2025_03_11", "web search"],
  ["image_generation", "image generation"],
]);

const insteadOf: ReadonlyMap<unknown, string> = new Map([
  [
    "mcp",
    "the gateway connects to no server on a caller's behalf. Let the client connect, and declare its tools as functions.",
  ],
  ["local_shell", "declare a function that runs commands."],
  ["shell", "declare a function that runs commands."],
  ["apply_patch", "declare a function or a custom tool that applies patches."],
]);

/** Tools that run at the client, in the words of any model. @throws GatewayError naming the tool that runs elsewhere */
export function responsesTools(body: JsonObject): OfferedTools {
  const declared = declaredTools(body);
  const offered = allowed(declared.tools, body.tool_choice);
  const tools = offered.flatMap((each) => toolOf(each));
  const missing = new Set<string>();
  for (const { kind, name, path } of offered) {
    if (kind !== "hosted" || name === "tool_search") continue;
    const what = leftOut.get(name);
    if (what === undefined || tools.length === 0) throw unsupported(`${path}.type`, whyNot(name));
    missing.add(what);
  }
  const notes = declared.namespaces.map(({ name, description }) => `Tools named ${name}__…: ${description}`);
  for (const what of missing)
    notes.push(`There is no ${what} in this conversation. Where an answer would need it, say that it is missing.`);
  return {
    tools,
    toolChoice: toolChoice(body.tool_choice, declared.tools),
    notes: notes.map((text) => ({ text })),
  };
}

/** The tools that an answer repeats: those the model was given. */
export function shownTools(tools: unknown): unknown {
  if (!Array.isArray(tools)) return [];
  return tools.some(isLeftOut) ? tools.filter((tool) => !isLeftOut(tool)) : tools;
}

function isLeftOut(tool: unknown): boolean {
  return isObject(tool) && leftOut.has(tool.type);
}

function whyNot(type: string): string {
  const what = leftOut.get(type);
  if (what !== undefined) return `there is no ${what} here. Leave it out, or declare a function of your own for it.`;
  return insteadOf.get(type) ?? "only function and custom tools, which run at the client.";
}

function toolOf({ kind, tool, path, modelName, namespace }: DeclaredTool): Tool[] {
  // Everything a search of OpenAI's could find is offered at once.
  if (kind === "hosted") return [];
  refuseIndirect(tool, path);
  if (kind === "custom") return [customTool(tool, path, modelName)];
  return [functionTool(kind === "function" && namespace === undefined ? tool : { ...tool, name: modelName }, path)];
}

/** Free text as the one string of a function; a grammar can be asked for, but nobody enforces it. */
function customTool(tool: JsonObject, path: string, name: string): Tool {
  const description = stringField(tool, "description", `${path}.description`);
  const format = objectField(tool, "format", `${path}.format`);
  const grammar =
    format?.type === "grammar"
      ? ` It has to match this ${stringField(format, "syntax", `${path}.format.syntax`) ?? ""} grammar:\n${stringField(format, "definition", `${path}.format.definition`) ?? ""}`
      : "";
  const input = { type: "string", description: `The whole input as plain text.${grammar}` };
  return {
    toolSpec: {
      name,
      ...(description === undefined || description === "" ? {} : { description }),
      inputSchema: {
        json: { type: "object", properties: { input }, required: ["input"], additionalProperties: false },
      },
    },
  };
}

function toolChoice(choice: unknown, tools: readonly DeclaredTool[]): ToolChoice | undefined {
  if (!isObject(choice)) return chatToolChoice(choice);
  if (choice.type === "allowed_tools") return choice.mode === "required" ? { any: {} } : { auto: {} };
  const named = tools.find(choosing([choice]));
  if (named !== undefined && named.kind !== "hosted") return { tool: { name: named.modelName } };
  return chatToolChoice(choice);
}

/** `allowed_tools` keeps the others from the model, as if they had not been declared. */
function allowed(tools: readonly DeclaredTool[], choice: unknown): readonly DeclaredTool[] {
  if (!isObject(choice) || choice.type !== "allowed_tools" || !Array.isArray(choice.tools)) return tools;
  const kept = tools.filter(choosing(choice.tools.filter(isObject)));
  if (kept.length === 0) throw unsupported("tool_choice", "none of the allowed tools is declared in tools.");
  return kept;
}

/** Whether a tool is among those that are named, by its kind and name, and its namespace where one is said. */
function choosing(named: readonly JsonObject[]): (tool: DeclaredTool) => boolean {
  const types = new Set(named.map(({ type }) => type));
  const keys = new Set(named.map(({ type, name, namespace }) => JSON.stringify([type, name, namespace ?? null])));
  return ({ kind, name, namespace }) => {
    if (kind === "hosted" || kind === "tool_search") return types.has(name);
    return [null, namespace].some((one) => keys.has(JSON.stringify([kind, name, one])));
  };
}
