import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const documents = globSync("**/*.md", { cwd: root, exclude: (name) => /node_modules|fixtures|^\./.test(name) });
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };

/** What the document has a reader type or call by name, in blocks and in line. */
function code(path: string): string {
  const text = readFileSync(join(root, path), "utf8");
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) => block.split("\n"));
  const inline = [...text.replace(/^```[\s\S]*?^```/gm, "").matchAll(/`([^`\n]+)`/g)].map(([, words = ""]) => words);
  return [...blocks, ...inline].join("\n");
}

test("there are documents to look at", () => {
  expect(documents.length).toBeGreaterThan(10);
});

test("no document has one type pnpm, which the install puts on nobody's path", () => {
  const typed = documents.filter((path) => path !== "CONTRIBUTING.md" && /^(nice \S+ \S+ )?pnpm /m.test(code(path)));
  expect(typed).toEqual([]);
});

test("every script that a document names exists", () => {
  const named = documents.flatMap((path) =>
    [...code(path).matchAll(/npm (?:--prefix \S+ )?run (?:-s )?([\w:]+)/g)].map(([, name = ""]) => name),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});

test("TypeScript is handed to the Node that is installed here, not to the reader's", () => {
  const bare = documents.filter((path) => /(^|[\s(])node (packages|examples|e2e)\/\S+\.ts/m.test(code(path)));
  expect(bare).toEqual([]);
});
