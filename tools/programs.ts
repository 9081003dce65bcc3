import { readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Programs that some tests run for real. `tests` is the mark in those tests' file names. */
export const programs = [
  { tests: "redis", name: "Redis", command: "redis-server", debian: "redis-server" },
  { tests: "postgres", name: "PostgreSQL", command: "postgres", debian: "postgresql" },
  { tests: "browser", name: "Chromium", command: "chromium", debian: "chromium" },
] as const;

/** Debian keeps the PostgreSQL server out of PATH, one folder a version. */
function postgresFolders(): string[] {
  const root = "/usr/lib/postgresql";
  return list(root).map((version) => join(root, version, "bin"));
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not there: nothing is installed in it
  }
}

function isInstalled(command: string): boolean {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...postgresFolders()];
  return folders.some((folder) => list(folder).includes(command));
}

/** The programs this machine lacks; the tests marked with them cannot run here. */
export const missingPrograms = programs.filter(({ command }) => !isInstalled(command));
