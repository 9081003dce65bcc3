import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Linux's process table. Elsewhere figures from it are `NaN`, and the report leaves them out. */
const present = existsSync("/proc/self/stat");

/** `CLK_TCK` of every Linux that Node runs on: 100 a second. */
const microsecondsOfTick = 10_000;

/** A process and all that it started, itself first. */
export function family(pid: number): number[] {
  if (!present) return [pid];
  return [pid, ...childrenOf(pid).flatMap(family)];
}

/** Processor time so far of all threads, in microseconds; unlike a rate it hardly suffers from a busy machine. */
export function cpuMicroseconds(pid: number): number {
  return sum(family(pid).map((one) => ticks(one, 11) + ticks(one, 12))) * microsecondsOfTick;
}

/** Processor time of everything this process started and has seen end, in microseconds. */
export function cpuMicrosecondsOfEnded(): number {
  return (ticks(process.pid, 13) + ticks(process.pid, 14)) * microsecondsOfTick;
}

/** Processor time of the whole machine so far that was not idle, stolen by its host included, in microseconds. */
export function cpuMicrosecondsOfAll(): number {
  const fields = text("/proc/stat").split("\n")[0]?.split(/\s+/).slice(1).map(Number) ?? [];
  const [user, nice, system, , , irq, softirq, steal] = fields;
  return sum([user, nice, system, irq, softirq, steal].map((one) => one ?? Number.NaN)) * microsecondsOfTick;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return sum(family(pid).map((one) => Number(/VmRSS:\s+(\d+) kB/.exec(text(`/proc/${one}/status`))?.[1]) * 1024));
}

function childrenOf(pid: number): number[] {
  const tasks = attempt(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return tasks.flatMap((task) => text(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number));
}

/** Fields of `stat` after the name, which may have spaces in it. */
function ticks(pid: number, field: number): number {
  return Number(text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[field]);
}

/** Empty when the process has just ended. */
function text(path: string): string {
  return attempt(() => readFileSync(path, "utf8")) ?? "";
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
