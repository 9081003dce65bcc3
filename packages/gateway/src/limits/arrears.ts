import { type BucketState, type Charged, type Counters, notHeld, type SumBucket } from "./counters.ts";

/** What a store that was away has to be told when it is back. */
interface Arrears {
  /** A charge of the shared store that could not be settled there. */
  unsettled(charged: Charged): void;
  /** A charge that the local store granted in its place. */
  grantedHere(charged: Charged): void;
  /** Such a charge was settled where it was granted; the sums that have begun anew in the shared store since are charged with it. */
  settledHere(charged: Charged, deltas: readonly number[]): Promise<void>;
  readonly any: boolean;
  /** Tells it, once at a time; what it does not take stays. */
  settle(): Promise<void>;
}

interface ArrearsOptions {
  readonly shared: Pick<Counters, "settle" | "forget">;
  /** Around every question to the shared store. @throws while it is away */
  readonly ask: (question: () => Promise<void>) => Promise<void>;
}

/** Beyond these nothing is noted: leases end by themselves, sums with their period. */
const maxNoted = 10_000;

/**
 * Leases are given back late rather than never, or one hiccup would keep a caller's only place for a quarter of an hour.
 * Sums that either store knows a part of only begin anew with what the record says. Windows are over before it matters.
 */
export function createArrears({ shared, ask }: ArrearsOptions): Arrears {
  let leases: BucketState[] = [];
  let sums = new Map<string, SumBucket>();
  let running = false;

  const note = ({ bucket }: BucketState): void => {
    if (bucket.kind === "sum" && sums.size < maxNoted) sums.set(bucket.key, bucket);
  };
  const tell = async (): Promise<void> => {
    const states = leases;
    leases = [];
    try {
      if (states.length > 0) await ask(async () => shared.settle({ kind: "granted", states }, []));
    } catch (error) {
      leases.push(...states);
      throw error;
    }
    for (const [key, bucket] of sums) {
      await ask(async () => shared.forget(bucket));
      sums.delete(key);
    }
    // A table that was once large stays large.
    if (sums.size === 0) sums = new Map();
  };
  return {
    unsettled({ states }) {
      for (const state of states) {
        note(state);
        if (state.bucket.kind === "gauge" && leases.length < maxNoted) leases.push(state);
      }
    },
    grantedHere({ states }) {
      for (const state of states) note(state);
    },
    async settledHere({ states }, deltas) {
      // A sum that is still to be forgotten begins with a record that has this call.
      const missing = states
        .map((state, index) => ({ state: { ...state, hold: notHeld }, delta: deltas[index] ?? 0 }))
        .filter(({ state: { bucket } }) => bucket.kind === "sum" && !sums.has(bucket.key));
      if (missing.length === 0) return;
      const charged = { kind: "granted", states: missing.map(({ state }) => state) } as const;
      const differences = missing.map(({ delta }) => delta);
      await ask(async () => shared.settle(charged, differences)).catch(() => charged.states.forEach(note));
    },
    get any() {
      return leases.length > 0 || sums.size > 0;
    },
    async settle() {
      if (running) return;
      running = true;
      try {
        await tell();
      } finally {
        running = false;
      }
    },
  };
}
