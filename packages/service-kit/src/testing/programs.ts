import { accessSync, constants, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that some tests start for themselves. They are left out, with a reason, where it is not installed. */
export type ProgramName = "redis" | "postgres" | "chromium";

const executables: Readonly<Record<ProgramName, readonly string[]>> = {
  redis: ["redis-server", "valkey-server"],
  postgres: ["postgres"],
  chromium: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
};

/** Debian keeps the server programs of PostgreSQL out of PATH, one folder per major version. */
const debianPostgres = "/usr/lib/postgresql";

/** The program's full path, or undefined when it is not installed. */
export function findProgram(name: ProgramName): string | undefined {
  for (const folder of foldersFor(name)) {
    for (const executable of executables[name]) {
      const path = join(folder, executable);
      if (isExecutable(path)) return path;
    }
  }
  return undefined;
}

export function isInstalled(name: ProgramName): boolean {
  return findProgram(name) !== undefined;
}

function foldersFor(name: ProgramName): string[] {
  const onPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return name === "postgres" ? [...postgresFolders(), ...onPath] : onPath;
}

function postgresFolders(): string[] {
  try {
    const versions = readdirSync(debianPostgres).filter((version) => /^\d+$/.test(version));
    return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(debianPostgres, version, "bin"));
  } catch {
    return [];
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
