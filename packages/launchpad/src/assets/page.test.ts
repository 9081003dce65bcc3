import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const compiler = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");

it("the page's script is as strictly typed as the rest, against the browser's own types", async () => {
  const run = promisify(execFile)(process.execPath, [compiler, "-p", import.meta.dirname]);
  await expect(
    run.catch((error: { stdout: string }) => Promise.reject(new Error(error.stdout))),
  ).resolves.toBeDefined();
});
