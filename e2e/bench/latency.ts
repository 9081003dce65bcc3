import type { Contestant } from "./contestants.ts";
import { median } from "./median.ts";
import type { Options } from "./options.ts";
import { steady } from "./steady.ts";
import type { Steady } from "./steady-log.ts";

/** What a server adds, in milliseconds. */
export interface Added {
  readonly p50: number;
  readonly p99: number;
}

export interface LatencyOptions extends Options {
  readonly contestants: readonly Contestant[];
  /** The provider, asked without anything between. */
  readonly direct: Contestant;
  readonly print: (line: string) => void;
}

export const rate = 1000;

export interface Latency {
  readonly direct: Added;
  readonly added: ReadonlyMap<string, Added>;
}

/**
 * JSON at a steady rate: each server's percentile less that of the provider asked directly in the same round, medians.
 * @throws Error when any request failed
 */
export async function latency(options: LatencyOptions): Promise<Latency> {
  const { contestants, direct, rounds, print } = options;
  const alone: Steady[] = [];
  const added = new Map<string, Added[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    const floor = await once(direct, options);
    alone.push(floor);
    print(`latency ${round}/${rounds}: direct ${show(floor)}`);
    for (const one of contestants) {
      const { p50, p99 } = await once(one, options);
      const more = { p50: p50 - floor.p50, p99: p99 - floor.p99 };
      added.get(one.name)?.push(more);
      print(`latency ${round}/${rounds}: ${one.name} adds ${show(more)}`);
    }
  }
  return { direct: medians(alone), added: new Map([...added].map(([name, all]) => [name, medians(all)])) };
}

async function once({ name, ask }: Contestant, { seconds }: LatencyOptions): Promise<Steady> {
  const result = await steady({ exchange: ask("json"), rate, seconds });
  if (result.failed > 0) throw new Error(`${name}, ${rate} requests/s: ${result.failed} requests failed`);
  return result;
}

function medians(all: readonly Added[]): Added {
  return { p50: median(all.map((one) => one.p50)), p99: median(all.map((one) => one.p99)) };
}

function show({ p50, p99 }: Added): string {
  return `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`;
}
