import { distance } from "fastest-levenshtein";
import type { ConfigProblem } from "./problems.ts";
import { type Schema, unwrap } from "./schema.ts";

/** Keys of the value that the schema does not know, each with the nearest name that it does know. */
export function unknownKeys(schema: Schema, value: unknown, path = ""): ConfigProblem[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => inElements(schema, item, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  const known = keysOf(schema);
  if (known === "any") return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const inner = Object.hasOwn(known.named, key) ? known.named[key] : known.rest && [known.rest];
    const at = path === "" ? key : `${path}.${key}`;
    return inner === undefined
      ? [{ name: at, problem: notKnown(key, Object.keys(known.named)) }]
      : fewest(inner.map((schemaOfKey) => unknownKeys(schemaOfKey, item, at)));
  });
}

function notKnown(key: string, names: readonly string[]): string {
  const nearest = names.toSorted((a, b) => distance(a, key) - distance(b, key))[0];
  const near = nearest !== undefined && distance(nearest, key) <= Math.max(2, Math.floor(key.length / 2));
  if (near) return `unknown key; did you mean ${JSON.stringify(nearest)}?`;
  return names.length === 0 ? "unknown key; none is expected here" : `unknown key; known are ${names.join(", ")}`;
}

/** What an object may hold: by name, and `rest` for any other name. */
interface Keys {
  readonly named: Readonly<Record<string, readonly Schema[]>>;
  readonly rest: Schema | undefined;
}

function keysOf(schema: Schema): Keys | "any" {
  const definition = unwrap(schema);
  switch (definition.type) {
    case "object": {
      const shape = definition.shape ?? {};
      const named = Object.fromEntries(Object.entries(shape).map(([key, inner]) => [key, [inner]]));
      return { named, rest: definition.catchall?._zod.def.type === "never" ? undefined : definition.catchall };
    }
    case "record":
      return { named: {}, rest: definition.valueType };
    case "union":
      return merge((definition.options ?? []).filter(isObjectLike).map(keysOf));
    case "intersection":
      return merge([definition.left, definition.right].filter((side) => side !== undefined).map(keysOf));
    default:
      return "any";
  }
}

/** One alternative's key is not unknown to the whole. */
function merge(all: readonly (Keys | "any")[]): Keys | "any" {
  const named: Record<string, Schema[]> = {};
  let rest: Schema | undefined;
  for (const keys of all) {
    if (keys === "any") return "any";
    for (const [key, schemas] of Object.entries(keys.named)) named[key] = [...(named[key] ?? []), ...schemas];
    rest ??= keys.rest;
  }
  return all.length === 0 ? "any" : { named, rest };
}

function isObjectLike(schema: Schema): boolean {
  return ["object", "record", "union", "intersection"].includes(unwrap(schema).type);
}

function inElements(schema: Schema, item: unknown, path: string): ConfigProblem[] {
  return fewest(elementsOf(schema).map((element) => unknownKeys(element, item, path)));
}

function elementsOf(schema: Schema): readonly Schema[] {
  const definition = unwrap(schema);
  if (definition.type === "union") return (definition.options ?? []).flatMap(elementsOf);
  return definition.element === undefined ? [] : [definition.element];
}

/** Of several alternatives, the one that the value fits best. */
function fewest(alternatives: readonly ConfigProblem[][]): ConfigProblem[] {
  return alternatives.toSorted((a, b) => a.length - b.length)[0] ?? [];
}
