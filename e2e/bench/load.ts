import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Exchange } from "./contestants.ts";
import { cores, find, versionOf } from "./machine.ts";
import { directory, output } from "./processes.ts";

/** What came of as many requests as a server answers (closed loop). */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Of whole and begun answers, heads included. */
  readonly bytes: number;
  /** Refused, cut, timed out or not answered with 2xx. */
  readonly failed: number;
}

export interface LoadOptions {
  readonly exchange: Exchange;
  readonly seconds: number;
  readonly connections: number;
}

const wrk = find("wrk");
const autocannon = join(import.meta.dirname, "../node_modules/autocannon/autocannon.js");

/** The tool, for the report: every server of a run is loaded by the same one. */
export const loadTool =
  wrk === undefined
    ? "autocannon (wrk is not installed; it takes less of the machine: apt-get install wrk)"
    : `wrk ${versionOf(wrk, "-v")}`;

export const load: (options: LoadOptions) => Promise<Load> =
  wrk === undefined ? byAutocannon : (options) => byWrk(wrk, options);

let scripts = 0;

async function byWrk(program: string, { exchange, seconds, connections }: LoadOptions): Promise<Load> {
  scripts += 1;
  const script = join(directory, `wrk-${scripts}.lua`);
  writeFileSync(script, luaOf(exchange));
  const args = ["-t", "1", "-c", String(connections), "-d", String(seconds), "-s", script, exchange.url];
  const text = await output({ name: "wrk", core: cores.load, command: [program, ...args] });
  const figures = /^bench (\d+) (\d+) (\d+) (\d+)$/m.exec(text);
  if (figures === null) throw new Error(`wrk did not understand its script ${script}`);
  const [, requests = 0, microseconds = 0, bytes = 0, failed = 0] = figures.map(Number);
  return { requests, seconds: microseconds / 1e6, bytes, failed };
}

function luaOf({ headers, body }: Exchange): string {
  const quoted = (text: string): string => `[==[${text}]==]`;
  return `wrk.method = "POST"
wrk.body = ${quoted(body)}
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[ ${quoted(name)} ] = ${quoted(value)}`)
  .join("\n")}
done = function(all)
  local e = all.errors
  io.write(string.format("bench %d %d %d %d\\n", all.requests, all.duration, all.bytes,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}

async function byAutocannon({ exchange, seconds, connections }: LoadOptions): Promise<Load> {
  const found = await cannon(exchange, ["-c", String(connections), "-d", String(seconds)]);
  return {
    requests: found.requests.total,
    seconds: found.duration,
    bytes: found.throughput.total,
    failed: found.non2xx + found.errors,
  };
}

export interface Cannon {
  readonly requests: { readonly total: number };
  /** In seconds. */
  readonly duration: number;
  readonly throughput: { readonly total: number };
  /** In whole milliseconds. */
  readonly latency: { readonly p50: number; readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}

export async function cannon({ url, headers, body }: Exchange, options: readonly string[]): Promise<Cannon> {
  const heads = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}=${value}`]);
  const command = [process.execPath, autocannon, "-j", "-n", "-m", "POST", "-b", body, ...heads, ...options, url];
  return JSON.parse(await output({ name: "autocannon", core: cores.load, command })) as Cannon;
}
