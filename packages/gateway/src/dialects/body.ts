import { GatewayError } from "../errors.ts";

/** Something a client sent: nothing in it is of a known type yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** JSON is read at any depth, but walked and written only as deep as there is a stack, which holds several thousand levels. */
const maxDepth = 512;

/** @throws GatewayError `invalid_request` when the bytes are not one JSON object, or one nested too deeply */
export function parseObject(bytes: Uint8Array): JsonObject {
  let value: unknown;
  try {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    value = JSON.parse(buffer.toString("utf8"));
  } catch (cause) {
    throw new GatewayError("invalid_request", "The request body is not valid JSON.", { cause });
  }
  if (!isObject(value)) throw new GatewayError("invalid_request", "The request body must be a JSON object.");
  // Each level takes two brackets, so most short ones need no look.
  if (bytes.byteLength > 2 * maxDepth && isDeeper(value, maxDepth))
    throw new GatewayError("invalid_request", `The request body is nested more than ${maxDepth} levels deep.`);
  return value;
}

/** The object in a text of JSON; undefined where there is none, or one nested too deeply. */
export function parsedObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isDeeper(value, maxDepth) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isDeeper(value: object, levels: number): boolean {
  // Lists are walked by their elements, which takes a fraction of the time that it takes by their names.
  if (Array.isArray(value)) {
    for (const inner of value) if (isNested(inner) && (levels === 1 || isDeeper(inner, levels - 1))) return true;
    return false;
  }
  for (const name in value) {
    const inner: unknown = value[name as keyof typeof value];
    if (isNested(inner) && (levels === 1 || isDeeper(inner, levels - 1))) return true;
  }
  return false;
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Readers of one field, each refusing by name what it cannot be. `null` counts as absent, as clients mean it. */
export function stringField(from: JsonObject, name: string, path = name): string | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw wrongType(path, "a string");
  return value;
}

/**
 * Undefined for an absent one and for null, as in all of these.
 * @throws GatewayError `invalid_request` naming the path, for another type
 */
export function numberField(from: JsonObject, name: string, path = name): number | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrongType(path, "a number");
  return value;
}

/** A whole number above 0. */
export function positiveField(from: JsonObject, name: string, path = name): number | undefined {
  return wholeField(from, name, 1, path);
}

/** A whole number, and no smaller than the least. */
export function wholeField(from: JsonObject, name: string, least: number, path = name): number | undefined {
  const value = numberField(from, name, path);
  if (value !== undefined && (!Number.isInteger(value) || value < least))
    throw wrongType(path, `a whole number of at least ${least}`);
  return value;
}

export function booleanField(from: JsonObject, name: string, path = name): boolean | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw wrongType(path, "true or false");
  return value;
}

export function objectField(from: JsonObject, name: string, path = name): JsonObject | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrongType(path, "an object");
  return value;
}

export function arrayField(from: JsonObject, name: string, path = name): readonly unknown[] | undefined {
  const value = from[name];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw wrongType(path, "an array");
  return value;
}

/** An empty one counts as missing. */
export function requiredString(from: JsonObject, name: string, path = name): string {
  const value = stringField(from, name, path);
  if (value === undefined || value === "") throw missing(path);
  return value;
}

export function requiredObject(from: JsonObject, name: string, path = name): JsonObject {
  const value = objectField(from, name, path);
  if (value === undefined) throw missing(path);
  return value;
}

/** A list of at least one. */
export function requiredList(from: JsonObject, name: string, path = name): readonly unknown[] {
  const value = arrayField(from, name, path);
  if (value === undefined || value.length === 0) throw missing(path);
  return value;
}

/** An element of an array that must be an object. */
export function objectAt(list: readonly unknown[], index: number, path: string): JsonObject {
  const value = list[index];
  if (!isObject(value)) throw wrongType(`${path}[${index}]`, "an object");
  return value;
}

/** Names the field as the client wrote it; `path` is also the error's `param`. */
export function wrongType(path: string, expected: string): GatewayError {
  return new GatewayError("invalid_request", `'${path}' must be ${expected}.`, { param: path });
}

/** The same for a field that has to be there. */
export function missing(path: string): GatewayError {
  return new GatewayError("invalid_request", `'${path}' is required.`, { param: path });
}

/** A field that has no counterpart: refused by name, never dropped in silence. */
export function unsupported(path: string, why: string): GatewayError {
  return new GatewayError("unsupported", `'${path}' is not supported here: ${why}`, { param: path });
}
