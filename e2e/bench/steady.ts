import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exchange } from "./contestants.ts";
import { cannon } from "./load.ts";
import { cores, find, versionOf } from "./machine.ts";
import { directory, output } from "./processes.ts";
import { ignoredSeconds, type Steady, summary } from "./steady-log.ts";

export interface SteadyOptions {
  readonly exchange: Exchange;
  /** Requests a second. */
  readonly rate: number;
  readonly seconds: number;
}

const h2load = find("h2load");

export const steadyTool =
  h2load === undefined
    ? "autocannon -R, in WHOLE MILLISECONDS and in bursts: not good enough to judge by. h2load is not installed: apt-get install nghttp2-client"
    : `h2load ${versionOf(h2load, "--version")}`;

export const exact = h2load !== undefined;

export const steady: (options: SteadyOptions) => Promise<Steady> =
  h2load === undefined ? byAutocannon : (options) => byH2load(h2load, options);

/**
 * Each connection sends every 50 ms whatever the others do, and they are opened a millisecond apart: about one request
 * each millisecond. A request that took longer than 50 ms would hold up the next of its connection.
 */
const everyMs = 50;

async function byH2load(program: string, { exchange, rate, seconds }: SteadyOptions): Promise<Steady> {
  const log = join(directory, "h2load.tsv");
  const data = join(directory, "h2load.body");
  rmSync(log, { force: true });
  writeFileSync(data, exchange.body);
  const requests = rate * (seconds + ignoredSeconds);
  const connections = (rate * everyMs) / 1000;
  const heads = Object.entries(exchange.headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const pace = ["-c", String(connections), "-r", "1", "--rate-period=1ms", `--rps=${1000 / everyMs}`];
  const args = ["--h1", "-t", "1", "-n", String(requests), ...pace, "-d", data, ...heads, `--log-file=${log}`];
  await output({ name: "h2load", core: cores.load, command: [program, ...args, exchange.url] });
  return summary(readFileSync(log, "utf8"), requests);
}

async function byAutocannon({ exchange, rate, seconds }: SteadyOptions): Promise<Steady> {
  const pace = ["-c", String((rate * everyMs) / 1000), "-R", String(rate), "-d", String(seconds + ignoredSeconds)];
  const { latency, non2xx, errors } = await cannon(exchange, pace);
  return { p50: latency.p50, p99: latency.p99, failed: non2xx + errors };
}
