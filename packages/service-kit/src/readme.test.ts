import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import * as kit from "./index.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
const sample = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "onbehalf-readme-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the service of the README runs as it stands there", async () => {
  const here = new URL("./index.ts", import.meta.url).href;
  const runnable = sample
    .replaceAll('"@onbehalf/service-kit"', JSON.stringify(here))
    .replaceAll(/from "(hono|zod)"/g, (_, name) => `from ${JSON.stringify(import.meta.resolve(name))}`);
  const script = join(folder, "hello.ts");
  writeFileSync(script, runnable);
  const child = spawn(process.execPath, [script], { env: { HELLO_PORT: "0" }, stdio: ["ignore", "pipe", "inherit"] });
  const [first] = await once(child.stdout, "data");
  const { port } = JSON.parse(String(first));
  const answer = await fetch(`http://127.0.0.1:${port}/hello/you`);
  expect(await answer.json()).toEqual({ hello: "you", trace: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect((await fetch(`http://127.0.0.1:${port}/system/ready`)).status).toBe(200);
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});

test("its types hold", async () => {
  const repository = resolve(import.meta.dirname, "../../..");
  // Where its imports are found as a service of this repository finds them.
  const folder = mkdtempSync(join(import.meta.dirname, "../node_modules/.readme-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const settings = {
    extends: join(repository, "tsconfig.json"),
    compilerOptions: {
      paths: { "@onbehalf/service-kit": [join(import.meta.dirname, "index.ts")] },
      typeRoots: [join(repository, "node_modules/@types")],
    },
    include: [],
    files: ["sample.mts"],
  };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  writeFileSync(join(folder, "sample.mts"), sample);
  const tsc = join(repository, "node_modules/.bin/tsc");
  const said = await promisify(execFile)(tsc, ["-p", folder]).then(
    () => "",
    (error: { stdout: string }) => error.stdout,
  );
  expect(said).toBe("");
});

test("the README names everything a service can use", () => {
  expect(Object.keys(kit).filter((name) => /^[a-z]/.test(name) && !readme.includes(`\`${name}`))).toEqual([]);
});
