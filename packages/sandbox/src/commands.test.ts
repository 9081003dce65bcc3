import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { keyCommand, tokenCommand } from "./commands.ts";

test("commands to paste stand whatever the folder is called", () => {
  const folder = mkdtempSync(join(tmpdir(), 'eve\'s "$HOME" `id` #1 %41 '));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "demo-app-key");
  writeFileSync(file, "obk_key");
  expect(execFileSync("sh", ["-c", `printf %s "$(${keyCommand(file)})"`], { encoding: "utf8" })).toBe("obk_key");
  const words = tokenCommand("http://localhost:1", folder).replace("npm ", "printf '%s\\n' ");
  expect(execFileSync("sh", ["-c", words], { encoding: "utf8" }).split("\n").slice(0, 2)).toEqual(["--prefix", folder]);
});
