import { readFileSync } from "node:fs";
import { distance } from "fastest-levenshtein";
import { z } from "zod";
import { mask } from "../mask.ts";
import { ConfigError, type ConfigProblem } from "./problems.ts";
import { innerSchema } from "./schema.ts";

/** The environment as a service gets it: `process.env` in `main.ts`, a plain object in tests and in the launcher. */
export type Env = Readonly<Record<string, string | undefined>>;

/** A secret is a line, not a document: a larger file is the wrong file. */
const maxSecretFileBytes = 64 * 1024;
const maxShownLength = 80;

/**
 * Reads the variables that the schema names. `NAME_FILE=/path` may stand for any `NAME`; an empty value counts as
 * unset. The answer is frozen.
 * @throws ConfigError with every problem, not only the first
 */
export function loadEnv<Schema extends z.ZodObject>(schema: Schema, env: Env): Readonly<z.output<Schema>> {
  const { values, problems } = collect(Object.keys(schema.shape), env);
  const result = schema.safeParse(values);
  const unreadable = new Set(problems.map(({ name }) => name));
  const wrong = (result.error?.issues ?? [])
    .map((issue) => problemOf(issue, schema, values, env))
    .filter(({ name }) => !unreadable.has(name));
  if (!result.success || problems.length > 0) throw new ConfigError([...problems, ...wrong]);
  return Object.freeze(result.data);
}

/** What an environment says: everything, or what of it is good and what is wrong with the rest. */
export interface EnvRead<Values> {
  /** Undefined when there are problems. */
  readonly values: Readonly<Values> | undefined;
  readonly good: Readonly<Partial<Values>>;
  readonly problems: readonly ConfigProblem[];
}

/** The same for those who have more to check, so that they tell what they find together with what is wrong here. */
export function readEnv<Schema extends z.ZodObject>(schema: Schema, env: Env): EnvRead<z.output<Schema>> {
  try {
    const values = loadEnv(schema, env);
    return { values, good: values, problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { values } = collect(Object.keys(schema.shape), env);
    const good: Record<string, unknown> = {};
    for (const [name, field] of Object.entries(schema.shape)) {
      const read = z.safeParse(field, values[name]);
      if (read.success) good[name] = read.data;
    }
    return { values: undefined, good: good as Partial<z.output<Schema>>, problems: error.problems };
  }
}

function collect(names: readonly string[], env: Env): { values: Record<string, string>; problems: ConfigProblem[] } {
  const values: Record<string, string> = {};
  const problems: ConfigProblem[] = [];
  for (const name of names) {
    const direct = env[name] || undefined;
    const path = names.includes(`${name}_FILE`) ? undefined : env[`${name}_FILE`] || undefined;
    if (direct !== undefined && path !== undefined) {
      problems.push({ name, problem: `given twice: set ${name} or ${name}_FILE, not both` });
    } else if (path !== undefined) {
      const read = readSecret(path);
      if ("text" in read) values[name] = read.text;
      else problems.push({ name, problem: `${name}_FILE names ${JSON.stringify(path)}, which ${read.problem}` });
    } else if (direct !== undefined) {
      values[name] = direct;
    }
  }
  return { values, problems };
}

/** Trailing line ends are an editor's, not part of the secret. */
function readSecret(path: string): { readonly text: string } | { readonly problem: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    return { problem: `cannot be read (${reason})` };
  }
  if (bytes.length > maxSecretFileBytes) return { problem: `is larger than ${maxSecretFileBytes} bytes` };
  const text = bytes.toString("utf8").replace(/[\r\n]+$/, "");
  return text === "" ? { problem: "is empty" } : { text };
}

function problemOf(
  issue: z.core.$ZodIssue,
  schema: z.ZodObject,
  values: Record<string, string>,
  env: Env,
): ConfigProblem {
  const name = String(issue.path[0] ?? "configuration");
  const value = values[name];
  if (!(name in schema.shape)) return { name, problem: issue.message };
  if (value === undefined)
    return { name, problem: issue.code === "custom" ? issue.message : absence(name, schema, env) };
  if (isSecret(name, schema.shape[name])) return { name, problem: issue.message };
  return { name, problem: `${issue.message}, got ${shown(value)}` };
}

/** An empty value is told what was expected of any. */
function absence(name: string, schema: z.ZodObject, env: Env): string {
  const misspelt = nearlyNamed(name, schema, env);
  const found = misspelt === undefined ? "is not set" : `is not set, but ${misspelt} is`;
  const told = z.safeParse(schema.shape[name] ?? z.string(), "").error?.issues[0]?.message ?? "";
  return told.startsWith("expected ") ? `${found}; ${told.replace(/, got 0$/, "")}` : found;
}

const misspeltLetters = 2;

function nearlyNamed(name: string, schema: z.ZodObject, env: Env): string | undefined {
  const isKnown = (other: string) => other in schema.shape || other.replace(/_FILE$/, "") in schema.shape;
  return Object.keys(env).find((other) => {
    if (env[other] === "" || env[other] === undefined || isKnown(other)) return false;
    const near = [name, `${name}_FILE`].map((wanted) => distance(wanted, other));
    return Math.min(...near) <= misspeltLetters;
  });
}

function shown(value: string): string {
  const masked = mask(value);
  return JSON.stringify(masked.length > maxShownLength ? `${masked.slice(0, maxShownLength)}…` : masked);
}

/** By its schema, or by its name where a service did not use `secret()`. */
function isSecret(name: string, schema: z.core.$ZodType | undefined): boolean {
  return /(?:SECRET|KEY|PASSWORD|TOKEN)$/.test(name) || isMarkedSecret(schema);
}

function isMarkedSecret(schema: z.core.$ZodType | undefined): boolean {
  for (let inner = schema; inner !== undefined; inner = innerSchema(inner)) {
    if (z.globalRegistry.get(inner)?.secret === true) return true;
  }
  return false;
}
