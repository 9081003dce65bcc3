import type { ConfigProblem, Env } from "@onbehalf/service-kit";

const prefix = "os.environ/";

/**
 * Replaces every `os.environ/NAME` by the variable's value. An unset one becomes undefined; outside `model_list` that
 * is a problem, there it is said when the model is called (a file may list models this deployment has no keys for).
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
    if (found === undefined && !path.startsWith("model_list")) {
      problems.push({ name: path, problem: `refers to the environment variable ${name}, which is not set` });
    }
    return found;
  };
  return { value: resolve(value, ""), problems };
}
