import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onCore, shareNiceness } from "./machine.ts";

/** A server that runs until it is stopped, or the bench ends in whatever way. */
export interface Running {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export interface Command {
  readonly name: string;
  readonly command: readonly string[];
  readonly core: number | undefined;
  readonly env?: Readonly<NodeJS.ProcessEnv>;
}

export interface ServerCommand extends Command {
  /** Where it answers; without it the process says `{ port }` itself. */
  readonly url?: string;
  /** Asked until it answers with less than 500. */
  readonly readyPath?: string;
  readonly readyMs?: number;
}

/** Everything the bench writes, gone when it ends. */
export const directory = mkdtempSync(join(tmpdir(), "onbehalf-bench-"));

const groups = new Set<number>();
process.on("exit", () => {
  for (const pid of groups) killGroup(pid);
  rmSync(directory, { recursive: true, force: true });
});
for (const [signal, number] of [
  ["SIGINT", 2],
  ["SIGTERM", 15],
  ["SIGHUP", 1],
] as const)
  process.once(signal, () => process.exit(128 + number));

/**
 * Starts a server on its core.
 * @throws Error with the end of what it wrote, when it ends or does not answer in time
 */
export async function serverOf(options: ServerCommand): Promise<Running> {
  const { child, errors, pid, ended } = start(options, "ignore", options.url === undefined ? "ipc" : "ignore");
  const gone = ended.then((code) => {
    throw new Error(`${options.name} ended with ${code}: ${errors()}`);
  });
  gone.catch(() => undefined);
  const url = await Promise.race([gone, options.url === undefined ? told(child) : answered(options, options.url)]);
  return {
    url,
    pid,
    async stop() {
      killGroup(pid);
      await ended;
    },
  };
}

/**
 * Runs a program to its end.
 * @returns what it printed
 * @throws Error with the end of its error output, when it fails
 */
export async function output(options: Command): Promise<string> {
  const { child, errors, ended } = start(options, "pipe", "ignore");
  const parts: Buffer[] = [];
  child.stdout?.on("data", (part: Buffer) => parts.push(part));
  const [code] = await Promise.all([ended, child.stdout === null ? undefined : once(child.stdout, "close")]);
  if (code !== 0) throw new Error(`${options.name} ended with ${code}: ${errors()}`);
  return Buffer.concat(parts).toString();
}

/** In a process group of its own: a runner like npx passes no signal on to what it has started. */
function start({ name, command, core, env }: Command, stdout: "ignore" | "pipe", channel: "ipc" | "ignore") {
  const log = join(directory, `${name.replaceAll(/\W+/g, "-")}.err`);
  const file = openSync(log, "w");
  const [program = "", ...args] = onCore(core, command);
  const child = spawn(program, args, {
    detached: true,
    cwd: directory,
    stdio: ["ignore", stdout, file, channel],
    // No variable of the person who runs the bench reaches a server.
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...env },
  });
  closeSync(file);
  const pid = child.pid ?? 0;
  if (pid !== 0) {
    groups.add(pid);
    shareNiceness(pid);
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => {
      groups.delete(pid);
      resolve(code ?? signal ?? "no code");
    });
  });
  return { child, pid, ended, errors: () => readFileSync(log, "utf8").slice(-2000) };
}

async function told(child: ChildProcess): Promise<string> {
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return `http://127.0.0.1:${port}`;
}

async function answered({ name, readyPath = "/", readyMs = 30_000 }: ServerCommand, url: string): Promise<string> {
  const until = performance.now() + readyMs;
  while (performance.now() < until) {
    const status = await fetch(url + readyPath).then(
      (response) => response.status,
      () => 599,
    );
    if (status < 500) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${name} did not answer in ${readyMs} ms`);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
