import { type ConverseBlock, newestText, type Reply, type Rule, type Turn } from "../rule.ts";
import { exampleOf } from "../schema-example.ts";

type Tool = Turn["tools"][number];

const quotedCharacters = 500;
/** “Use the Bash tool to run: echo hi”, “call the tool add with {"a": 1}”. */
const byName =
  /\b(?:use|using|call|run|invoke)\s+(?:the\s+)?(?:tool\s+[`"“]?([\w-]+)[`"”]?|[`"“]?([\w-]+)[`"”]?\s+tool)(?![\w-])/i;
/** “Read the file note.txt”, where a tool is called Read. */
const byVerb = /^\W*(?:please\s+)?([\w-]+)\s+(?:the\s+)?(?:file\s+|command\s+|url\s+)?/i;
const leadIn =
  /^(?:[\s:,]*(?:now|please|to|on|for|with|and|run|read|look up)\b)*\s*(?:the\s+)?(?:(?:file|command)\b)?[\s:,]*/i;

/**
 * Calls a tool that the newest message names, with the arguments it names; after the result, says what came back. For
 * trying a client's own tools without a model: whatever else the message says is not understood.
 */
export const callAskedTool: Rule = (turn): Reply | undefined => {
  const newest = turn.messages.at(-1);
  if (newest?.role !== "user") return undefined;
  const results = newest.content.filter(({ toolResult }) => toolResult !== undefined);
  if (results.length > 0 && turn.forced === undefined)
    return { text: `The stand-in called what was asked for. It came back: “${shown(results)}”` };
  const asked = unquoted(newestText(turn));
  const found = askedTool(asked, turn.tools);
  if (found !== undefined) return { toolUses: [{ name: found.tool.name, input: inputOf(found.tool, found.rest) }] };
  const forced = forcedTool(turn);
  return forced === undefined
    ? undefined
    : { toolUses: [{ name: forced.name, input: exampleOf(forced.inputSchema, asked) }] };
};

/** The one that must be called; of several, one that was not called yet, as agents end by a tool that gives the answer. */
function forcedTool({ forced, tools, messages }: Turn): Tool | undefined {
  if (forced === undefined) return undefined;
  if (forced.name !== undefined) return named(tools, forced.name);
  const called = new Set(messages.flatMap(({ content }) => content.map(({ toolUse }) => toolUse?.name)));
  return tools.find(({ name }) => !called.has(name)) ?? tools.at(-1);
}

function askedTool(asked: string, tools: readonly Tool[]): { tool: Tool; rest: string } | undefined {
  const name = byName.exec(asked);
  const tool = named(tools, name?.[1] ?? name?.[2]);
  if (name !== null && tool !== undefined) return { tool, rest: asked.slice(name.index + name[0].length) };
  const verb = byVerb.exec(asked);
  const done = named(tools, verb?.[1]);
  // “Write a poem” is no wish for a file of that name.
  if (verb === null || done === undefined || requiredOf(done).length !== 1) return undefined;
  return { tool: done, rest: asked.slice(verb[0].length) };
}

function named(tools: readonly Tool[], name: string | undefined): Tool | undefined {
  return (
    tools.find((tool) => tool.name === name) ?? tools.find((tool) => tool.name.toLowerCase() === name?.toLowerCase())
  );
}

/** JSON as it stands; else the words stand for whatever the tool requires, or for its first argument. */
function inputOf(tool: Tool, rest: string): unknown {
  const json = objectIn(rest);
  if (json !== undefined) return json;
  const words = value(rest);
  const { properties = {} } = schemaOf(tool);
  const required = requiredOf(tool);
  const names = required.length > 0 || words === "" ? required : Object.keys(properties).slice(0, 1);
  return Object.fromEntries(names.map((name) => [name, exampleOf(properties[name], words, tool.inputSchema)]));
}

interface Schema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function schemaOf({ inputSchema }: Tool): Schema {
  return typeof inputSchema === "object" && inputSchema !== null ? inputSchema : {};
}

function requiredOf(tool: Tool): readonly string[] {
  return schemaOf(tool).required ?? [];
}

function objectIn(text: string): unknown {
  const from = text.indexOf("{");
  const to = text.lastIndexOf("}");
  if (from < 0 || to < from) return undefined;
  try {
    return JSON.parse(text.slice(from, to + 1));
  } catch {
    return undefined;
  }
}

/** What stands between backticks, or everything behind the words that lead to it; quotes around all of it are no part of it. */
function value(rest: string): string {
  const marked = /`([^`]+)`/.exec(rest)?.[1];
  if (marked !== undefined) return marked;
  return unquoted(rest.replace(leadIn, "").trim().replace(/[.!]$/, ""));
}

/** Some clients put what a person said into quotes. */
function unquoted(words: string): string {
  return /^["“'](.*)["”']$/s.exec(words)?.[1] ?? words;
}

function shown(results: readonly ConverseBlock[]): string {
  const texts = results.flatMap(({ toolResult }) =>
    (toolResult?.content ?? []).map(({ text, json }) => text ?? JSON.stringify(json) ?? ""),
  );
  return texts.join("\n").slice(0, quotedCharacters);
}
