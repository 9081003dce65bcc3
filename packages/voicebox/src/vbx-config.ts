import { dirname, isAbsolute, join } from "node:path";
import { byVariable, ConfigError, type Env, loadFile } from "@onbehalf/service-kit";
import { z } from "zod";
import { checkedHeaders } from "./llm/headers.ts";

/** What `vbx-config.json` says, checked. */
export type VbxConfig = z.output<ReturnType<typeof vbxSchema>>;
export type ConnectionConfig = VbxConfig["connections"][string];
export type LlmConfig = VbxConfig["default_llm_config"];

const llmProviders = ["openai", "anthropic", "bedrock"] as const;

const reference = /^os\.environ\/(.+)$/;

/**
 * Reads the file. A value `os.environ/NAME` stands for that variable; paths are relative to the file.
 * @throws ConfigError with every problem, unknown keys with the nearest known name
 */
export function loadVbxConfig(path: string, env: Env): VbxConfig {
  try {
    return loadFile(vbxSchema(env, dirname(path)), path, { format: "json" });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(byVariable(error.problems, "VBX_CONFIG", path), { cause: error });
  }
}

function vbxSchema(env: Env, folder: string) {
  const text = () => fromEnvironment(env);
  const url = () => text().refine(isHttpUrl, "expected an http:// or https:// URL");
  const filePath = () => text().transform((path) => (isAbsolute(path) ? path : join(folder, path)));
  const common = {
    /** What people who set up applications read beside the name. */
    description: z.string().trim().min(1).max(300).optional(),
    max_rows: z.int().min(1).max(10_000).default(200),
    max_bytes: z.int().min(1_000).max(50_000_000).default(1_000_000),
    timeout_seconds: z.number().min(0.1).max(300).default(10),
  };
  const file = z.union([
    filePath().transform((path) => ({ path, graph: undefined })),
    z.object({ path: filePath(), graph: z.url().optional() }),
  ]);
  const embedded = z.object({
    type: z.literal("embedded"),
    database: z.string().min(1).optional(),
    files: z.array(file).min(1),
    workers: z.int().min(1).max(16).default(2),
    ...common,
  });
  const auth = z.discriminatedUnion("type", [
    z.object({ type: z.literal("none") }),
    z.object({ type: z.literal("basic"), username: text(), password: text() }),
    z.object({ type: z.literal("bearer"), token: text() }),
    z.object({ type: z.literal("token_exchange"), audience: text().optional(), scope: text().optional() }),
  ]);
  const sparql = z.object({
    type: z.literal("sparql"),
    /** `{database}` in it is replaced by the application's database. */
    url: url(),
    database: z.string().min(1).optional(),
    auth: auth.default({ type: "none" }),
    ...common,
  });
  return z
    .object({
      enable_external_llm: z.boolean().default(true),
      default_llm_config: z.object({
        llm_provider: z.enum(llmProviders, `expected one of ${llmProviders.join(", ")}`),
        llm_name: text(),
        server_url: url(),
        provider_args: z
          .object({ headers: z.record(z.string(), text()).superRefine(checkedHeaders).default({}) })
          .default({ headers: {} }),
      }),
      connections: z.record(z.string().min(1), z.discriminatedUnion("type", [embedded, sparql])).default({}),
      default_connection: z.string().min(1).optional(),
      /** Of each thread of each embedded database. */
      embedded_memory_mb: z.int().min(64).max(4096).default(512),
    })
    .superRefine((config, context) => {
      const name = config.default_connection;
      if (name === undefined || Object.hasOwn(config.connections, name)) return;
      const known = Object.keys(config.connections).join(", ") || "none";
      context.addIssue({
        code: "custom",
        path: ["default_connection"],
        message: `names no connection; there are: ${known}`,
      });
    });
}

function fromEnvironment(env: Env) {
  return z
    .string()
    .min(1)
    .transform((value, context) => {
      const name = reference.exec(value)?.[1];
      if (name === undefined) return value;
      const found = env[name];
      if (found !== undefined && found !== "") return found;
      context.issues.push({
        code: "custom",
        message: `stands for the variable ${name}, which is not set`,
        input: value,
      });
      return z.NEVER;
    });
}

function isHttpUrl(value: string): boolean {
  const url = URL.parse(value.replaceAll("{database}", "database"));
  return (
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.username === "" &&
    url.password === ""
  );
}
