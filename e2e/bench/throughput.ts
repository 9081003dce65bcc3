import { type Contestant, eventsPerStream } from "./contestants.ts";
import { refuseFailures } from "./failures.ts";
import { load } from "./load.ts";
import { median } from "./median.ts";
import type { Options } from "./options.ts";
import { probe } from "./probe.ts";
import { cpuMicroseconds, cpuMicrosecondsOfAll, cpuMicrosecondsOfEnded } from "./process-table.ts";
import type { Running } from "./processes.ts";

export interface Throughput {
  /** Requests or events a second. */
  readonly rate: number;
  /** Processor time of a request or stream in microseconds. */
  readonly cpu: number;
  /** Cores kept busy by the server, the provider and the load tool: whichever has no more to give is what was measured. */
  readonly busy: Busy;
}

export interface Busy {
  readonly server: number;
  readonly provider: number;
  readonly load: number;
  /** By everything else on the machine. */
  readonly others: number;
}

export interface ThroughputOptions extends Options {
  readonly contestants: readonly Contestant[];
  readonly provider: Running;
  readonly kind: "json" | "stream";
  readonly print: (line: string) => void;
}

/** nginx is compiled already; this opens its connections. */
const shortWarmUpSeconds = 1;

/** @throws Error when a server does not answer as the provider does, or any request failed */
export async function warmUp(options: ThroughputOptions): Promise<void> {
  const { kind, warmUpSeconds, print } = options;
  for (const one of answering(options)) {
    const seconds = one.warmsUp ? warmUpSeconds : shortWarmUpSeconds;
    print(`${kind}: ${one.name} warms up for ${seconds} s`);
    await once(one, options, seconds, await probe(one, kind));
  }
}

/**
 * Every contestant in turn, round by round, so that what the machine does meanwhile falls on all of them.
 * @returns medians by contestant, in the order given
 * @throws Error when any request failed or any answer was not whole
 */
export async function throughput(options: ThroughputOptions): Promise<ReadonlyMap<string, Throughput>> {
  const { kind, rounds, print } = options;
  const measured = new Map<string, Throughput[]>();
  for (let round = 1; round <= rounds; round += 1) {
    for (const one of answering(options)) {
      const result = await once(one, options, options.seconds, await probe(one, kind));
      measured.set(one.name, [...(measured.get(one.name) ?? []), result]);
      print(`${kind} ${round}/${rounds}: ${one.name} ${result.rate.toFixed(0)}/s, ${result.cpu.toFixed(0)} µs`);
    }
  }
  return new Map([...measured].map(([name, all]) => [name, medians(all)]));
}

function answering({ contestants, kind }: ThroughputOptions): readonly Contestant[] {
  return contestants.filter(({ without }) => without !== kind);
}

async function once(
  { name, server, ask }: Contestant,
  { provider, connections, kind }: ThroughputOptions,
  seconds: number,
  bytesOfOne: number,
): Promise<Throughput> {
  const counters = (): number[] => [
    cpuMicroseconds(server.pid),
    cpuMicroseconds(provider.pid),
    cpuMicrosecondsOfEnded(),
    cpuMicrosecondsOfAll(),
  ];
  const before = counters();
  const result = await load({ exchange: ask(kind), seconds, connections });
  const spent = counters().map((value, index) => value - (before[index] ?? 0));
  refuseFailures(`${name}, ${kind}`, result, bytesOfOne);
  const [ofServer = 0, ofProvider = 0, ofLoad = 0, ofAll = 0] = spent;
  const cores = (microseconds: number): number => microseconds / 1e6 / result.seconds;
  return {
    rate: (result.requests / result.seconds) * (kind === "json" ? 1 : eventsPerStream),
    cpu: ofServer / result.requests,
    busy: {
      server: cores(ofServer),
      provider: cores(ofProvider),
      load: cores(ofLoad),
      others: Math.max(0, cores(ofAll - ofServer - ofProvider - ofLoad)),
    },
  };
}

function medians(all: readonly Throughput[]): Throughput {
  const of = (pick: (one: Throughput) => number): number => median(all.map(pick));
  return {
    rate: of((one) => one.rate),
    cpu: of((one) => one.cpu),
    busy: {
      server: of((one) => one.busy.server),
      provider: of((one) => one.busy.provider),
      load: of((one) => one.busy.load),
      others: of((one) => one.busy.others),
    },
  };
}
