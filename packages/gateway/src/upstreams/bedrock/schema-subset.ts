import { isObject, type JsonObject } from "../../dialects/body.ts";
import type { Conversation, Tool } from "../../dialects/conversation.ts";

/** A schema is a tree that a client wrote; deeper than this nothing is looked at. */
const maxDepth = 64;
const asTheyAre: ReadonlySet<string> = new Set(
  "type enum const $ref required title description additionalProperties".split(" "),
);
const maps: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
const lists: ReadonlySet<string> = new Set(["anyOf", "oneOf", "allOf"]);
const formats: ReadonlySet<unknown> = new Set(
  "date-time time date duration email hostname uri ipv4 ipv6 uuid".split(" "),
);

/** The conversation with the schemas that a model is held to, which are those of strict tools and always the answer's. */
export function withinSubset(conversation: Conversation): Conversation {
  const { tools, outputFormat } = conversation;
  const binding = tools.some(isStrict);
  if (outputFormat?.type !== "json_schema") return binding ? { ...conversation, tools: tools.map(held) } : conversation;
  const format = { ...outputFormat, schema: schemaSubset(outputFormat.schema) };
  return { ...conversation, tools: binding ? tools.map(held) : tools, outputFormat: format };
}

function isStrict(tool: Tool): tool is Extract<Tool, { toolSpec: unknown }> {
  return "toolSpec" in tool && tool.toolSpec.strict === true;
}

function held(tool: Tool): Tool {
  if (!isStrict(tool)) return tool;
  const { toolSpec } = tool;
  return { toolSpec: { ...toolSpec, inputSchema: { json: schemaSubset(toolSpec.inputSchema.json) } } };
}

/**
 * A schema in the part of JSON Schema that models can be held to, at Bedrock and at Anthropic. They answer 400 to the rest
 * (ranges, lengths, patterns), which OpenAI takes and which schema libraries write for every whole number. It goes into
 * the description, where the model still reads it, as Anthropic's own SDKs have it.
 */
export function schemaSubset(schema: JsonObject, depth = 0): JsonObject {
  if (depth > maxDepth) return schema;
  const { $ref, $defs, definitions } = schema;
  // JSON leaves out what is undefined. Beside a reference nothing counts.
  if ($ref !== undefined)
    return { $ref, $defs: taken("$defs", $defs, depth), definitions: taken("definitions", definitions, depth) };
  const made: Record<string, unknown> = {};
  const beyond: string[] = [];
  for (const [name, value] of Object.entries(schema)) {
    const kept = taken(name, value, depth);
    if (kept !== undefined) made[name === "oneOf" && schema.anyOf === undefined ? "anyOf" : name] = kept;
    else if (!isIdle(name, value, schema)) beyond.push(`${name}: ${JSON.stringify(value)}`);
  }
  if (isObject(made.properties)) made.additionalProperties ??= false;
  if (beyond.length > 0) {
    const note = `{${beyond.join(", ")}}`;
    made.description = typeof made.description === "string" ? `${made.description}\n\n${note}` : note;
  }
  return made;
}

/** What stays of a keyword's value; undefined when the keyword is beyond the subset. */
function taken(name: string, value: unknown, depth: number): unknown {
  if (asTheyAre.has(name)) return value;
  if (name === "items") return isObject(value) ? inner(value, depth) : undefined;
  if (name === "format") return formats.has(value) ? value : undefined;
  if (name === "minItems") return value === 0 || value === 1 ? value : undefined;
  if (lists.has(name) && Array.isArray(value)) return value.map((one) => inner(one, depth));
  if (!maps.has(name) || !isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, inner(one, depth)]));
}

function inner(schema: unknown, depth: number): unknown {
  return isObject(schema) ? schemaSubset(schema, depth + 1) : schema;
}

/** The dialect's name, the bounds of every whole number JavaScript has, and a pattern that spells a format out. */
function isIdle(name: string, value: unknown, { format }: JsonObject): boolean {
  return (
    name === "$schema" ||
    (name === "minimum" && value === Number.MIN_SAFE_INTEGER) ||
    (name === "maximum" && value === Number.MAX_SAFE_INTEGER) ||
    (name === "pattern" && formats.has(format))
  );
}
