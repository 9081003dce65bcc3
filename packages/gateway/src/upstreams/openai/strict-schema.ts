import { isObject, type JsonObject } from "../../dialects/body.ts";

/** OpenAI's own bound on how deep a schema may be. */
const maxDepth = 10;
/** Whatever else a schema says, OpenAI answers 400 to it where it is to be strict. */
const known: ReadonlySet<string> = new Set(
  [
    "type title description enum const anyOf",
    "properties required additionalProperties items minItems maxItems",
    "pattern format minimum maximum exclusiveMinimum exclusiveMaximum multipleOf",
    "$schema $defs definitions",
  ].flatMap((names) => names.split(" ")),
);
const formats: ReadonlySet<unknown> = new Set("date-time time date duration email hostname ipv4 ipv6 uuid".split(" "));

/** Whether OpenAI holds a model to a schema: only where its objects are closed and name every property as required. */
export function takesStrict(schema: JsonObject): boolean {
  return schema.type === "object" && schema.anyOf === undefined && isStrict(schema, 0);
}

function isStrict(schema: unknown, depth: number): boolean {
  if (!isObject(schema) || depth > maxDepth) return false;
  const names = Object.keys(schema);
  if (schema.$ref !== undefined) return typeof schema.$ref === "string" && names.length === 1;
  if (!names.every((name) => known.has(name)) || (schema.type === undefined && schema.anyOf === undefined))
    return false;
  if (schema.format !== undefined && !formats.has(schema.format)) return false;
  const { anyOf = [], $defs = {}, definitions = {} } = schema;
  const inner = [anyOf, $defs, definitions];
  return (
    (!isOf("object", schema) || isClosed(schema, depth)) &&
    (!isOf("array", schema) || isStrict(schema.items, depth + 1)) &&
    inner.every((schemas) => allStrict(schemas, depth))
  );
}

function isOf(type: string, schema: JsonObject): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

function isClosed({ properties, required, additionalProperties }: JsonObject, depth: number): boolean {
  if (additionalProperties !== false || !isObject(properties) || !Array.isArray(required)) return false;
  const names = Object.keys(properties);
  const all = new Set<unknown>(required);
  return names.length === required.length && names.every((name) => all.has(name)) && allStrict(properties, depth);
}

/** Schemas in a list or by their names. */
function allStrict(schemas: unknown, depth: number): boolean {
  if (typeof schemas !== "object" || schemas === null) return false;
  return Object.values(schemas).every((schema) => isStrict(schema, depth + 1));
}
