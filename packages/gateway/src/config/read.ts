import { readFileSync } from "node:fs";
import { ConfigError, type ConfigProblem, type Env, loadEnv, loadObject } from "@onbehalf/service-kit";
import { parseDocument } from "yaml";
import { type Environment, environmentSchema } from "./environment.ts";
import { type FileSettings, fileSchema } from "./file-schema.ts";
import { sortLitellmKeys } from "./litellm-keys.ts";
import { resolveReferences } from "./references.ts";
import { buildSettings, type Settings, type Use } from "./settings.ts";

/** All there is to know at the start. */
export interface Configuration {
  readonly environment: Environment;
  readonly settings: Settings;
}

/**
 * The whole configuration, from the environment and the file it names.
 * @param use `administer` for what works on the database alone: then nobody has to be let in
 * @throws ConfigError with every problem of both
 */
export function readConfiguration(env: Env, use: Use = "serve"): Configuration {
  const { environment, problems } = readEnvironment(env);
  try {
    const settings = readSettings(environment, env, use);
    if (problems.length === 0) return { environment, settings };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError([...problems, ...error.problems]);
    throw error;
  }
  throw new ConfigError(problems);
}

/** With problems, the environment without the variables they name: enough to look for further ones in the file. */
function readEnvironment(env: Env): { environment: Environment; problems: readonly ConfigProblem[] } {
  try {
    return { environment: loadEnv(environmentSchema, env), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const wrong = new Set(error.problems.flatMap(({ name }) => [name, `${name}_FILE`]));
    const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)));
    // What is there and wrong is not missing: what belongs to it is checked, and nobody is told to set it.
    const meant = Object.fromEntries(Object.entries(standIns).filter(([name]) => wrong.has(name)));
    return { environment: loadEnv(environmentSchema, { ...rest, ...meant }), problems: error.problems };
  }
}

/**
 * What a reload reads anew: the file, with the environment as it was.
 * @throws ConfigError
 */
export function readSettings(environment: Environment, env: Env, use: Use = "serve"): Settings {
  const path = environment.GATEWAY_CONFIG;
  const { file, warnings, problems } =
    path === undefined ? { file: fileSchema.parse(plainSetup), warnings: [], problems: [] } : readFile(path, env);
  if (file === undefined) throw new ConfigError(problems);
  try {
    const settings = buildSettings(file, environment, warnings, use);
    if (problems.length === 0) return settings;
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError([...problems, ...error.problems]);
    throw error;
  }
  throw new ConfigError(problems);
}

/** In place of wrong values, of which a gateway needs at least one; none is started with them. */
const standIns = {
  JWT_PUBLIC_KEY_URL: "https://wrong.invalid/.well-known/jwks.json",
  LITELLM_MASTER_KEY: "sk-in-place-of-one-that-was-refused",
};

/** Without a file every model of the AWS account may be asked for, by Bedrock's own id, with or without `bedrock/`. */
const plainSetup = {
  model_list: ["bedrock/*", "*"].map((name) => ({ model_name: name, litellm_params: { model: "bedrock/*" } })),
};

interface ReadFile {
  /** Undefined when too much is wrong to look for more. */
  readonly file: FileSettings | undefined;
  readonly warnings: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/** @throws ConfigError for what is no YAML */
function readFile(path: string, env: Env): ReadFile {
  return parseFile(readText(path), path, env);
}

/**
 * LiteLLM's keys are sorted first, references resolved then, and what remains is held against the schema.
 * @throws ConfigError for what is no YAML
 */
export function parseFile(text: string, name: string, env: Env): ReadFile {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) {
    throw new ConfigError([{ name, problem: `is not YAML: ${error.message.split("\n", 1)[0]}` }]);
  }
  const sorted = sortLitellmKeys(unfolded(document, name));
  const { value, problems: unset } = resolveReferences(sorted.value, env);
  const problems = [...sorted.problems, ...unset].map((problem) => ({ ...problem, name: `${name}: ${problem.name}` }));
  try {
    return { file: loadObject(fileSchema, value, name), warnings: sorted.warnings, problems };
  } catch (caught) {
    if (!(caught instanceof ConfigError)) throw caught;
    return { file: withoutUnknown(value), warnings: sorted.warnings, problems: [...problems, ...caught.problems] };
  }
}

/** Keys that are not known are read by nobody: what the others say can be looked at without them. */
function withoutUnknown(value: unknown): FileSettings | undefined {
  const known = structuredClone(value);
  for (const issue of fileSchema.safeParse(value).error?.issues ?? []) {
    if (issue.code !== "unrecognized_keys") return undefined;
    const holder = issue.path.reduce(memberOf, known);
    for (const key of issue.keys) if (isRecord(holder)) delete holder[key];
  }
  return fileSchema.safeParse(known).data;
}

function memberOf(node: unknown, key: PropertyKey): unknown {
  return isRecord(node) ? node[key] : undefined;
}

function isRecord(node: unknown): node is Record<PropertyKey, unknown> {
  return typeof node === "object" && node !== null;
}

/** @throws ConfigError for aliases that would unfold into more than a configuration ever is */
function unfolded(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError([{ name, problem: `cannot be unfolded: ${why}` }], { cause });
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown reason";
    throw new ConfigError([{ name: "GATEWAY_CONFIG", problem: `names ${path}, which cannot be read (${reason})` }], {
      cause: error,
    });
  }
}
