import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

export const root = join(import.meta.dirname, "..");

export interface Import {
  readonly from: string;
  /** Where it points: a path from the root for a relative import, else the specifier as written. */
  readonly to: string;
  readonly typeOnly: boolean;
}

/** Every TypeScript file of the packages but the tests, as paths from the root. */
export const sources = globSync("packages/*/src/**/*.ts", { cwd: root })
  .filter((path) => !path.endsWith(".test.ts"))
  .sort();

export const read = (path: string): string => readFileSync(join(root, path), "utf8");

const statement =
  /^(?:import|export)\s+(type\s+)?((?:[\w*{][^;"']*?\s+from\s+)?)["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

/** The imports of one file: static, re-exported and dynamic. */
export function importsOf(path: string): Import[] {
  return [...read(path).matchAll(statement)].map(([, type, clause, staticTo, dynamicTo]) => {
    const specifier = staticTo ?? dynamicTo ?? "";
    const names =
      /\{([^}]*)\}/
        .exec(clause ?? "")?.[1]
        ?.split(",")
        .map((name) => name.trim())
        .filter(Boolean) ?? [];
    const allTypes = names.length > 0 && names.every((name) => name.startsWith("type "));
    return {
      from: path,
      to: specifier.startsWith(".") ? relative(root, join(root, dirname(path), specifier)) : specifier,
      typeOnly: type !== undefined || allTypes,
    };
  });
}

/** What loading a file loads as well, following relative imports that exist at run time and are not dynamic. */
export function loadedBy(path: string, seen = new Set<string>()): Set<string> {
  if (seen.has(path)) return seen;
  seen.add(path);
  if (!path.endsWith(".ts")) return seen;
  for (const { to, typeOnly } of importsOf(path)) {
    if (!typeOnly) loadedBy(to, seen);
  }
  return seen;
}
