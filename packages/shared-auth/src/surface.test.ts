import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };

const src = import.meta.dirname;

describe("what the package offers", () => {
  test.each(Object.entries(manifest.exports))("%s", async (name, file) => {
    const exported: Record<string, unknown> = await import(resolve(src, "..", file));
    expect({ [name]: Object.keys(exported).sort() }).toMatchSnapshot();
  });
});

/** Every file that loading one file loads, types aside. */
function loads(file: string, seen: Map<string, Set<string>> = new Map()): Map<string, Set<string>> {
  if (seen.has(file)) return seen;
  const imports = importsOf(file);
  seen.set(file, new Set(imports.filter((name) => !name.startsWith("."))));
  for (const name of imports) if (name.startsWith(".")) loads(resolve(file, "..", name), seen);
  return seen;
}

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const statements = text.matchAll(/^(?:import|export)\s(?!type\s)(?:[^;]*?\sfrom\s)?"([^"]+)";/gm);
  return [...statements].map(([, name = ""]) => name);
}

const packagesOf = (entry: string) => {
  const all = [...loads(join(src, entry)).values()].flatMap((names) => [...names]);
  return [...new Set(all)].filter((name) => !name.startsWith("node:")).sort();
};

describe("who loads what", () => {
  test("the core loads neither hono nor openid-client", () => {
    expect(packagesOf("index.ts")).toEqual(["jose", "lru-cache"]);
  });

  test("the middleware takes only types from hono; the exchange is where openid-client is", () => {
    expect(packagesOf("hono.ts")).toEqual([]);
    expect(packagesOf("exchange/index.ts")).toEqual(["jose", "openid-client"]);
  });

  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const sources = files.filter((name) => !name.endsWith(".test.ts") && !name.startsWith("fixtures"));

  test("errors.ts loads nothing, and no source loads what is for tests, or another package here", () => {
    expect(importsOf(join(src, "errors.ts"))).toEqual([]);
    for (const name of sources) {
      for (const imported of importsOf(join(src, name))) {
        const target = imported.startsWith(".") ? relative(src, resolve(src, name, "..", imported)) : imported;
        expect(`${name} -> ${target}`).not.toMatch(/-> (testing\.ts|fixtures|vitest|fast-check|@onbehalf)/);
      }
    }
  });

  test("no source reads the environment, logs, or keeps state of its own", () => {
    for (const name of sources) {
      const text = readFileSync(join(src, name), "utf8");
      expect(`${name}: ${/process\.env|console\./.exec(text)?.[0]}`).toBe(`${name}: undefined`);
      expect(`${name}: ${/^(let|var) .*/m.exec(text)?.[0]}`).toBe(`${name}: undefined`);
      expect(
        `${name}: ${/^(export )?const (?!\w+: Readonly).*= new (Map|Set|WeakMap|LRUCache).*/m.exec(text)?.[0]}`,
      ).toBe(`${name}: undefined`);
    }
  });

  test("files stay small", () => {
    for (const name of sources) {
      const lines = readFileSync(join(src, name), "utf8").split("\n").length;
      expect({ name, tooLong: lines > 300 ? lines : false }).toEqual({ name, tooLong: false });
    }
  });
});
