import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Cores: the server under test has one to itself; the provider and the load share the others. */
const serverCore = "0";
const upstreamCore = "1";
const loadCores = "2,3";
const pins = spawnSync("taskset", ["--version"]).status === 0;

export interface Running {
  readonly url: string;
  readonly pid: number;
  /** Processor time so far, of all threads, in microseconds; unlike a rate it does not suffer from a busy machine. */
  cpuMicroseconds(): number;
  ask(question: string): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

/** Starts one of the bench's own programs and waits for its port. */
export async function run(
  file: string,
  core: "server" | "upstream",
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Running> {
  const child = fork(resolve(import.meta.dirname, file), args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: ["--no-warnings"],
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const told = (await message(child)) as { port: number };
  pin(child.pid ?? 0, core === "server" ? serverCore : upstreamCore);
  return {
    url: `http://127.0.0.1:${told.port}`,
    pid: child.pid ?? 0,
    cpuMicroseconds: () => cpuOf(child.pid ?? 0),
    async ask(question) {
      child.send(question);
      return (await message(child)) as Record<string, number>;
    },
    async stop() {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

/** From Linux's process table, in its ticks of 10 ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function message(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`a bench process ended with ${code}`)));
  });
}

function pin(pid: number, cores: string): void {
  if (pins) spawnSync("taskset", ["-a", "-cp", cores, String(pid)]);
}

export interface Load {
  readonly requests: number;
  readonly bytesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

export interface LoadOptions {
  readonly url: string;
  readonly body: string;
  readonly token: string;
  readonly seconds: number;
  readonly connections: number;
  /** Requests per second sent whatever comes back (open loop); as many as possible when absent. */
  readonly rate?: number;
}

/** One run of autocannon in its own process. Latencies in milliseconds. */
export async function load(options: LoadOptions): Promise<Load> {
  const program = join(import.meta.dirname, "../node_modules/autocannon/autocannon.js");
  const args = [
    "-j",
    "-n",
    "-m",
    "POST",
    "-c",
    String(options.connections),
    "-d",
    String(options.seconds),
    "-b",
    options.body,
  ];
  const headers = ["-H", "content-type=application/json", "-H", `authorization=Bearer ${options.token}`];
  const rate = options.rate === undefined ? [] : ["-R", String(options.rate)];
  const command = [process.execPath, program, ...args, ...headers, ...rate, options.url];
  const [name = "", ...rest] = pins ? ["taskset", "-c", loadCores, ...command] : command;
  const child = spawn(name, rest, { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.on("data", (part: Buffer) => {
    text += part.toString();
  });
  await once(child, "exit");
  const found = JSON.parse(text) as {
    requests: { total: number };
    duration: number;
    throughput: { average: number };
    latency: { p50: number; p99: number };
    non2xx: number;
    errors: number;
  };
  return {
    requests: found.requests.total,
    requestsPerSecond: found.requests.total / found.duration,
    bytesPerSecond: found.throughput.average,
    p50: found.latency.p50,
    p99: found.latency.p99,
    failed: found.non2xx + found.errors,
  };
}
