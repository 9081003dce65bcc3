import { readFileSync } from "node:fs";
import { parseDocument } from "yaml";
import type { z } from "zod";
import { mask } from "../mask.ts";
import { ConfigError, type ConfigProblem, prefixed } from "./problems.ts";
import { unknownKeys } from "./unknown-keys.ts";

/** How the text is read; never guessed from the file's name, which operators choose. */
export interface FileOptions {
  readonly format: "json" | "yaml";
}

/** Either a file, or its text when it is at hand; the name is what problems are reported under. */
export type FileSource = string | { readonly text: string; readonly name: string };

const maxFileBytes = 1024 * 1024;

/**
 * Reads a configuration file by its schema. Keys that the schema does not know are refused, with the nearest name it
 * does know: a misspelt setting must not be silently left out. The answer is frozen,
 * all of it.
 * @param source the file's path, or its text with a name
 * @throws ConfigError with every problem, each named by file and key
 */
export function loadFile<Schema extends z.ZodType>(
  schema: Schema,
  source: FileSource,
  { format }: FileOptions,
): Readonly<z.output<Schema>> {
  const { name, text } = typeof source === "string" ? { name: source, text: read(source) } : source;
  const value = format === "json" ? parseJson(text, name) : parseYaml(text, name);
  return loadObject(schema, value, name);
}

/**
 * The same for a value that was read already, for example after variables in it were resolved.
 * @param name what the value is called in problems
 * @throws ConfigError with every problem
 */
export function loadObject<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): Readonly<z.output<Schema>> {
  const strangers = unknownKeys(schema, value);
  const result = schema.safeParse(value);
  const wrong = (result.error?.issues ?? []).filter(({ code }) => code !== "unrecognized_keys").map(problemOf);
  if (!result.success || strangers.length > 0) throw new ConfigError(prefixed([...strangers, ...wrong], name));
  return deeplyFrozen(result.data);
}

function deeplyFrozen<T>(value: T): Readonly<T> {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deeplyFrozen(inner);
  }
  return value;
}

function read(path: string): string {
  try {
    const bytes = readFileSync(path);
    if (bytes.length <= maxFileBytes) return bytes.toString("utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw new ConfigError([{ name: path, problem: `cannot be read (${reason})` }], { cause: error });
  }
  throw new ConfigError([{ name: path, problem: `is larger than ${maxFileBytes} bytes` }]);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConfigError([{ name, problem: `is not JSON: ${reasonOf(error)}` }], { cause: error });
  }
}

function parseYaml(text: string, name: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  if (document.errors.length > 0) throw notYaml(document.errors, name);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw notYaml([error], name);
  }
}

function notYaml(errors: readonly unknown[], name: string): ConfigError {
  return new ConfigError(errors.map((error) => ({ name, problem: `is not YAML: ${reasonOf(error)}` })));
}

/** Parsers quote what they stumbled over; that may be a secret, and further lines are noise. */
function reasonOf(error: unknown): string {
  return mask(error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "unreadable";
}

function problemOf({ path, message }: z.core.$ZodIssue): ConfigProblem {
  const at = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return { name: at.replace(/^\./, ""), problem: message };
}
