import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "guard-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const script = join(folder, "script.ts");
writeFileSync(script, "const word: string = process.argv[2] ?? ''; console.log('ran', word);\n");
const guard = join(import.meta.dirname, "guard.js");

/** Runs the guard with the Node of this test, which may pretend to be older. */
function run(pretend?: string) {
  const old = join(folder, "old.cjs");
  writeFileSync(
    old,
    `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "${pretend}" } });`,
  );
  return spawnSync(process.execPath, [...(pretend ? ["--require", old] : []), guard, script, "word"], {
    encoding: "utf8",
  });
}

describe("guard", () => {
  it("runs the script with its arguments", () => {
    expect(run()).toMatchObject({ status: 0, stdout: "ran word\n" });
  });

  it("tells in words which Node is needed and how to get it, and runs nothing", () => {
    const { status, stdout, stderr } = run("20.20.2");
    expect(status).toBe(78);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/runs on Node 26 or newer; this is Node 20\.20\.2/);
    expect(stderr).toMatch(/npm start/);
  });
});
