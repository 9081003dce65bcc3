/** Microseconds per call of each work, in its quiet rounds. */
export type Measured = Readonly<Record<string, number>>;

/**
 * Measures several pieces of work in turns, in small portions, so that whatever else the machine does meets all of them
 * alike. Only ratios of one run are worth believing.
 */
export async function inTurns(
  works: Readonly<Record<string, () => Promise<unknown>>>,
  calls: number,
  rounds = 21,
): Promise<Measured> {
  const samples = new Map<string, number[]>(Object.keys(works).map((name) => [name, []]));
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round += 1) {
    for (const [name, work] of Object.entries(works)) {
      const started = performance.now();
      for (let call = 0; call < calls; call += 1) await work();
      if (round >= 0) samples.get(name)?.push(((performance.now() - started) * 1000) / calls);
    }
  }
  return Object.fromEntries([...samples].map(([name, list]) => [name, quiet(list)]));
}

/** The tenth percentile: whatever else runs on the machine only ever adds. */
function quiet(samples: readonly number[]): number {
  const sorted = samples.toSorted((one, two) => one - two);
  return sorted[Math.floor(sorted.length / 10)] ?? Number.NaN;
}

/** Megabytes in use after everything that can go has gone. */
export function heapMegabytes(collect: () => void): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed / 1024 / 1024;
}
