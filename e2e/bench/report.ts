import type { Added, Latency } from "./latency.ts";
import type { Memory } from "./memory.ts";
import type { Throughput } from "./throughput.ts";
import type { TwoProcesses } from "./two-processes.ts";

export interface Results {
  readonly json?: ReadonlyMap<string, Throughput> | undefined;
  readonly stream?: ReadonlyMap<string, Throughput> | undefined;
  readonly latency?: Latency | undefined;
  /** Whether the tool could tell fractions of a millisecond. */
  readonly exactLatency: boolean;
  readonly memory?: ReadonlyMap<string, Memory> | undefined;
  readonly processes?: TwoProcesses | undefined;
  readonly streams: number;
  readonly rate: number;
}

const floor = "bare Node";
export const gateway = "gateway → Bedrock";
const toOpenAi = "gateway → OpenAI";
const megabyte = 1_048_576;

/** The tables as they go into docs/performance.md. */
export function report(results: Results): string {
  const { json, stream, latency, memory } = results;
  const names = [...new Set([json, stream, latency?.added, memory].flatMap((all) => [...(all?.keys() ?? [])]))];
  const measured = [
    ...ofThroughput(names, json, "JSON", "requests/s", "request"),
    ...ofThroughput(names, stream, "stream of 100", "events/s", "stream"),
    ...ofLatency(names, latency, results.rate),
    ...ofMemory(names, memory, results.streams),
  ];
  return [
    ...table(["", ...names], measured),
    "",
    "In brackets: how many times as good as bare Node in the same run.",
    ...(latency === undefined
      ? []
      : [`The provider asked directly: p50 ${ms(latency.direct.p50)}, p99 ${ms(latency.direct.p99)}.`]),
    ...notes(results),
    "",
    ...table(["target", "asked", "measured", ""], targets(results)),
  ].join("\n");
}

/** Below this a server waited for something else: for the provider, the load, or the machine's other work. */
const workingPart = 0.9;

/** What a reader needs to know before believing the figures. */
function notes({ json, stream, processes }: Results): string[] {
  const all = [...(json?.entries() ?? []), ...(stream?.entries() ?? [])];
  const waiting = (what: string, measured: All<Throughput>): string[] =>
    [...(measured ?? [])].filter(([, { busy }]) => busy.server < workingPart).map(([name]) => `${what}, ${name}`);
  const held = [...waiting("JSON", json), ...waiting("stream", stream)];
  const others = Math.max(...all.map(([, { busy }]) => busy.others));
  return [
    ...(Number.isFinite(others) ? [`Other work on the machine took up to ${others.toFixed(2)} cores.`] : []),
    ...(held.length === 0 ? [] : [`Not limited by the server, so too low: ${held.join("; ")}.`]),
    ...(processes === undefined ? [] : [twoProcesses(processes)]),
  ];
}

function twoProcesses({ one, two, busy: { provider, load } }: TwoProcesses): string {
  const cores = `provider ${provider.toFixed(2)} and load ${load.toFixed(2)} of a core`;
  return `One gateway ${whole(one)} requests/s on one core, two ${whole(two)} on two, then ${cores}.`;
}

type All<T> = ReadonlyMap<string, T> | undefined;

function ofThroughput(
  names: readonly string[],
  all: All<Throughput>,
  what: string,
  unit: string,
  one: string,
): string[][] {
  if (all === undefined) return [];
  const busy = ({ busy: { server, provider, load } }: Throughput): string =>
    [server, provider, load].map((value) => value.toFixed(2)).join(" / ");
  return [
    [`${what}, ${unit}`, ...cells(names, all, ({ rate }) => rate, whole, "more")],
    [`${what}, processor time a ${one}, µs`, ...cells(names, all, ({ cpu }) => cpu, whole, "less")],
    [`${what}, cores busy: server / provider / load`, ...names.map((name) => show(all.get(name), busy))],
  ];
}

function ofLatency(names: readonly string[], latency: Latency | undefined, rate: number): string[][] {
  if (latency === undefined) return [];
  const row = (what: string, pick: (one: Added) => number): string[] => [
    `added at ${whole(rate)} requests/s, ${what}, ms`,
    ...cells(names, latency.added, pick, (value) => value.toFixed(2), "less"),
  ];
  return [row("p50", ({ p50 }) => p50), row("p99", ({ p99 }) => p99)];
}

function ofMemory(names: readonly string[], all: All<Memory>, streams: number): string[][] {
  if (all === undefined) return [];
  return [
    [
      `${whole(streams)} open streams, MB above idle`,
      ...cells(names, all, ({ bytesAboveIdle }) => bytesAboveIdle / megabyte, whole, "less"),
    ],
    [`the same, events/s`, ...names.map((name) => show(all.get(name), (one) => whole(one.eventsPerSecond)))],
  ];
}

/** A figure of each column with its ratio to the floor: above 1 is better, whether more is better or less. */
function cells<T>(
  names: readonly string[],
  all: ReadonlyMap<string, T>,
  pick: (one: T) => number,
  format: (value: number) => string,
  better: "more" | "less",
): string[] {
  const base = all.get(floor);
  return names.map((name) =>
    show(all.get(name), (one) => {
      const value = pick(one);
      if (!Number.isFinite(value)) return "–";
      const asked = base === undefined ? Number.NaN : pick(base);
      // An added latency of nothing or less has no ratio: it is what the machine does by itself.
      if (!(asked > 0 && value > 0)) return format(value);
      return `${format(value)} (${(better === "more" ? value / asked : asked / value).toFixed(2)})`;
    }),
  );
}

function show<T>(one: T | undefined, format: (one: T) => string): string {
  return one === undefined ? "–" : format(one);
}

function targets({ json, stream, latency, exactLatency, memory, processes, streams, rate }: Results): string[][] {
  const rates = (all: All<Throughput>, over: string, of = gateway): number | undefined =>
    ratio(all?.get(of)?.rate, all?.get(over)?.rate);
  const added = exactLatency ? latency?.added.get(gateway) : undefined;
  const aboveIdle = memory?.get(gateway)?.bytesAboveIdle;
  return [
    least("JSON → Bedrock, of bare Node", 0.5, rates(json, floor)),
    least("JSON → Bedrock, of Portkey", 8, rates(json, "Portkey → Bedrock")),
    least("JSON → OpenAI, of Portkey", 8, rates(json, "Portkey → OpenAI", toOpenAi)),
    least("stream ← Bedrock, of bare Node", 0.75, rates(stream, floor)),
    most(`added at ${whole(rate)} requests/s, p50`, 0.3, added?.p50, ms),
    most(`added at ${whole(rate)} requests/s, p99`, 5, added?.p99, ms),
    least("two processes, of one", 1.8, ratio(processes?.two, processes?.one)),
    most(
      `${whole(streams)} open streams above idle`,
      150,
      aboveIdle === undefined ? undefined : aboveIdle / megabyte,
      (value) => `${whole(value)} MB`,
    ),
  ];
}

function least(what: string, asked: number, value: number | undefined): string[] {
  return [
    what,
    `≥ ${asked}`,
    ...judged(
      value,
      (found) => found.toFixed(2),
      (found) => found >= asked,
    ),
  ];
}

function most(what: string, asked: number, value: number | undefined, format: (value: number) => string): string[] {
  return [what, `< ${format(asked)}`, ...judged(value, format, (found) => found < asked)];
}

function judged(
  value: number | undefined,
  format: (value: number) => string,
  reached: (value: number) => boolean,
): string[] {
  if (value === undefined || !Number.isFinite(value)) return ["–", "not measured"];
  return [format(value), reached(value) ? "reached" : "**missed**"];
}

function ratio(value: number | undefined, base: number | undefined): number | undefined {
  return value === undefined || base === undefined ? undefined : value / base;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (values: readonly string[]): string => `| ${values.join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function ms(value: number): string {
  return `${value.toFixed(2)} ms`;
}
