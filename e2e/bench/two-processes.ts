import { type Contestant, place } from "./contestants.ts";
import { refuseFailures } from "./failures.ts";
import { type Load, load } from "./load.ts";
import { cores } from "./machine.ts";
import { median } from "./median.ts";
import type { Options } from "./options.ts";
import { probe } from "./probe.ts";
import { cpuMicroseconds, cpuMicrosecondsOfEnded } from "./process-table.ts";
import type { Running } from "./processes.ts";

export interface TwoProcesses {
  readonly one: number;
  readonly two: number;
  /** Cores kept busy by the provider and the load tools while both gateways worked. */
  readonly busy: { readonly provider: number; readonly load: number };
}

export interface TwoProcessesOptions extends Options {
  readonly first: Contestant;
  readonly second: Contestant;
  readonly provider: Running;
  readonly print: (line: string) => void;
}

/**
 * JSON requests a second of one gateway on one core, and of two on two with half of the same connections each, in turn.
 * Both processes of the provider share one core meanwhile, in both cases.
 */
export async function twoProcesses(options: TwoProcessesOptions): Promise<TwoProcesses> {
  const { first, second, provider, connections, seconds, warmUpSeconds, rounds, print } = options;
  const bytesOfOne = await probe(second, "json");
  place(provider, cores.providerBesideTwo);
  try {
    print(`two processes: the second warms up for ${warmUpSeconds} s`);
    await run([second], connections, warmUpSeconds, bytesOfOne);
    const results: TwoProcesses[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const one = await run([first], connections, seconds, bytesOfOne);
      const before = [cpuMicroseconds(provider.pid), cpuMicrosecondsOfEnded()];
      const two = await run([first, second], connections, seconds, bytesOfOne);
      const busy = [cpuMicroseconds(provider.pid), cpuMicrosecondsOfEnded()].map(
        (value, index) => (value - (before[index] ?? 0)) / 1e6 / seconds,
      );
      results.push({ one, two, busy: { provider: busy[0] ?? 0, load: busy[1] ?? 0 } });
      print(`two processes ${round}/${rounds}: one ${one.toFixed(0)}/s, two ${two.toFixed(0)}/s`);
    }
    const of = (pick: (one: TwoProcesses) => number): number => median(results.map(pick));
    return {
      one: of(({ one }) => one),
      two: of(({ two }) => two),
      busy: { provider: of(({ busy }) => busy.provider), load: of(({ busy }) => busy.load) },
    };
  } finally {
    place(provider, cores.provider);
  }
}

async function run(
  contestants: readonly Contestant[],
  connections: number,
  seconds: number,
  bytesOfOne: number,
): Promise<number> {
  const shared = Math.max(1, Math.floor(connections / contestants.length));
  const loads: readonly Load[] = await Promise.all(
    contestants.map(({ ask }) => load({ exchange: ask("json"), seconds, connections: shared })),
  );
  for (const one of loads) refuseFailures("two processes", one, bytesOfOne);
  return loads.reduce((sum, one) => sum + one.requests / one.seconds, 0);
}
