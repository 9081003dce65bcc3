import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findProgram, isInstalled } from "./programs.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "onbehalf-path-"));
  vi.stubEnv("PATH", `/nowhere:${folder}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test("a program is found by any of its names in PATH, when it can be run", () => {
  expect(isInstalled("redis")).toBe(false);
  const path = join(folder, "valkey-server");
  writeFileSync(path, "#!/bin/sh\n");
  expect(isInstalled("redis")).toBe(false);
  chmodSync(path, 0o755);
  expect(findProgram("redis")).toBe(path);
});

test("PostgreSQL is found where Debian hides it, else in PATH", () => {
  writeFileSync(join(folder, "postgres"), "#!/bin/sh\n", { mode: 0o755 });
  expect(findProgram("postgres")).toMatch(
    /^\/usr\/lib\/postgresql\/\d+\/bin\/postgres$|\/onbehalf-path-[^/]+\/postgres$/,
  );
});
