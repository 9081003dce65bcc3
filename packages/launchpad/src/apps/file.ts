import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError, type Env, loadFile } from "@onbehalf/service-kit";
import { z } from "zod";
import { type App, type AppKey, appSettings, moment } from "./app.ts";
import { hashKey, keyHint, keyPattern } from "./key.ts";

/** Applications that are kept in a file, with their keys: for those who keep configuration in git. */
export interface FileApps {
  readonly apps: readonly App[];
  readonly keys: readonly AppKey[];
}

const fileKey = z.strictObject({
  name: z.string().trim().min(1).max(100),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "expected 64 hex digits")
    .optional(),
  hint: z.string().max(20).optional(),
  key_file: z.string().min(1).optional(),
  key: z.string().min(1).optional(),
  expires_at: moment.nullable().default(null),
  disabled: z.boolean().default(false),
});

const fileApp = z.strictObject({
  ...appSettings.shape,
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "expected lower-case letters, digits, - and _"),
  default: z.boolean().default(false),
  keys: z.array(fileKey).default([]),
});

const fileShape = z.strictObject({ apps: z.array(fileApp) });

interface Problem {
  readonly name: string;
  readonly problem: string;
}

/**
 * Reads `apps.yaml`. A key is given by its hash (`sha256`), by `key_file`, or by `key: os.environ/NAME`; never in
 * clear, since the file is meant for a repository.
 * @throws ConfigError with every problem of the file
 */
export function readAppsFile(path: string, env: Env): FileApps {
  const problems: Problem[] = [];
  const parsed = loadFile(fileShape, path, { format: "yaml" });
  const seen = new Set<string>();
  const keys: AppKey[] = [];
  for (const app of parsed.apps) {
    if (seen.has(app.id))
      problems.push({ name: `${path} apps`, problem: `has two applications with the id "${app.id}"` });
    seen.add(app.id);
    for (const key of app.keys) {
      const at = `${path} apps.${app.id}.keys.${key.name}`;
      const hash = hashOf(key, path, env, (problem) => problems.push({ name: at, problem }));
      keys.push({
        id: `file:${app.id}:${key.name}`,
        app_id: app.id,
        name: key.name,
        hint: hash.hint,
        hash: hash.hash,
        expires_at: key.expires_at,
        disabled: key.disabled,
        created_by: null,
        created_at: null,
        last_used_at: null,
      });
    }
  }
  if (parsed.apps.filter((app) => app.default).length > 1) {
    problems.push({
      name: `${path} apps`,
      problem: "has several applications with default: true; one can be the default",
    });
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { apps: parsed.apps.map(toApp), keys };
}

function toApp({ keys: _, default: isDefault, ...settings }: z.output<typeof fileApp>): App {
  return { ...settings, source: "file", isDefault, created_by: null, created_at: null };
}

function hashOf(
  key: z.output<typeof fileKey>,
  path: string,
  env: Env,
  complain: (problem: string) => void,
): { hash: string; hint: string } {
  if (key.sha256 !== undefined) return { hash: key.sha256, hint: key.hint ?? "obk_…" };
  const text = key.key_file === undefined ? fromEnv(key.key, env, complain) : fromFile(key.key_file, path, complain);
  if (text !== undefined && !keyPattern.test(text))
    complain("is not an application key: expected obk_ and 43 characters");
  return { hash: hashKey(text ?? ""), hint: keyHint(text ?? "") };
}

function fromEnv(reference: string | undefined, env: Env, complain: (problem: string) => void): string | undefined {
  const name = reference?.startsWith("os.environ/") ? reference.slice("os.environ/".length) : undefined;
  const value = name === undefined ? undefined : env[name];
  if (reference === undefined) complain("says no key: give sha256, key_file, or key: os.environ/NAME");
  else if (name === undefined) complain("holds a key in clear: give its sha256, or key: os.environ/NAME");
  else if (value === undefined) complain(`refers to the environment variable ${name}, which is not set`);
  return value;
}

function fromFile(file: string, path: string, complain: (problem: string) => void): string | undefined {
  try {
    return readFileSync(resolve(dirname(path), file), "utf8").trim();
  } catch {
    complain(`names the key file ${file}, which cannot be read`);
    return undefined;
  }
}
