import type { ConfigProblem, Env } from "@onbehalf/service-kit";

const prefix = "os.environ/";

/**
 * Replaces every `os.environ/NAME` by the variable's value. An unset one is a problem outside `model_list`; there it stays
 * as it is written, and the model cannot be used (a file may list models this deployment has no keys for): without its
 * address a model would be looked for somewhere else. AWS's settings are left out, for the others that AWS has.
 */
export function resolveReferences(value: unknown, env: Env): { value: unknown; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const resolve = (node: unknown, path: string): unknown => {
    if (typeof node === "string" && node.startsWith(prefix)) return lookUp(node.slice(prefix.length), path);
    if (Array.isArray(node)) return node.map((inner: unknown, index) => resolve(inner, `${path}[${index}]`));
    if (typeof node !== "object" || node === null) return node;
    const entries = Object.entries(node).map(([key, inner]) => [
      key,
      resolve(inner, path === "" ? key : `${path}.${key}`),
    ]);
    return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined));
  };
  const lookUp = (name: string, path: string): string | undefined => {
    const found = env[name] || undefined;
    if (found !== undefined) return found;
    if (path.startsWith("model_list")) return /\.aws_\w+$/.test(path) ? undefined : prefix + name;
    problems.push({ name: path, problem: `refers to the environment variable ${name}, which is not set` });
    return undefined;
  };
  return { value: resolve(value, ""), problems };
}

/** The variable that a value, however deep in it, still refers to. */
export function unresolved(value: unknown): string | undefined {
  if (typeof value === "string") return value.startsWith(prefix) ? value.slice(prefix.length) : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const inner of Object.values(value)) {
    const name = unresolved(inner);
    if (name !== undefined) return name;
  }
  return undefined;
}
