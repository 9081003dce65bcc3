import { spawnSync } from "node:child_process";
import { accessSync, constants, writeFileSync } from "node:fs";
import { availableParallelism, cpus, getPriority, loadavg } from "node:os";
import { delimiter, join } from "node:path";

/** Debian keeps nginx where only the administrator's PATH looks. */
const alsoHere = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"];

/** Which processor core each part of the bench has to itself; undefined: not pinned. */
export interface Cores {
  readonly server: number | undefined;
  /** Of the second server, where two are measured. */
  readonly second: number | undefined;
  /** One for each process of the provider: one alone is what would limit nginx, and streams. */
  readonly provider: readonly (number | undefined)[];
  /** The same while two servers are measured. */
  readonly providerBesideTwo: readonly (number | undefined)[];
  readonly load: number | undefined;
}

const nowhere: Cores = {
  server: undefined,
  second: undefined,
  provider: [undefined, undefined],
  providerBesideTwo: [undefined, undefined],
  load: undefined,
};

/** The server under test alone on one core; with fewer than four, or without `taskset`, nothing is pinned. */
export const cores: Cores =
  availableParallelism() >= 4 && find("taskset") !== undefined
    ? { server: 0, second: 1, provider: [1, 2], providerBesideTwo: [2, 2], load: 3 }
    : nowhere;

export const pinned = cores !== nowhere;

/** The path of an installed program. */
export function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...alsoHere];
  return folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** What a program says of its version: most print it, some to the error output, and some exit 1 with it. */
export function versionOf(program: string, flag: string): string {
  const { stdout, stderr } = spawnSync(program, [flag], { encoding: "utf8" });
  return /\d+\.\d+[\w.-]*/.exec(`${stdout}${stderr}`)?.[0] ?? "unknown version";
}

/** One line for the table's head. */
export function describeMachine(): string {
  const load = loadavg()
    .map((one) => one.toFixed(1))
    .join(" ");
  return `${cpus().length} × ${cpus()[0]?.model.trim()}, ${process.platform}, Node ${process.version}, load average at the start ${load}`;
}

/** In front of a command, so that every thread it ever starts has the core from the beginning. */
export function onCore(core: number | undefined, command: readonly string[]): string[] {
  return core === undefined ? [...command] : ["taskset", "-c", String(core), ...command];
}

/**
 * Linux shares a desktop's time between sessions first and by niceness only inside each, and a process group of its own
 * here is a session of its own: without this, `nice` in front of the bench would do nothing for what it starts.
 */
export function shareNiceness(pid: number): void {
  const niceness = getPriority();
  if (niceness === 0) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // No such grouping here, or not allowed.
  }
}

/** With all the threads it has by now. */
export function move(pid: number, core: number | undefined): void {
  if (core !== undefined) spawnSync("taskset", ["-a", "-cp", String(core), String(pid)]);
}
