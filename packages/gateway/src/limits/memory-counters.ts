import { LRUCache } from "lru-cache";
import { type Bucket, type Counters, notHeld } from "./counters.ts";
import { createGauge, endLease, endOverdue, type Gauge, type Lease, takeLease } from "./gauge.ts";

interface MemoryCountersOptions {
  /** Buckets held; the longest unused one makes room. */
  readonly maxBuckets?: number;
  /** Milliseconds of a monotonic clock: a step of the wall clock must open no window. */
  readonly now?: () => number;
}

/** One window, or one sum until its end. The next one is another object, so a late settlement knows it is not its own. */
interface Count {
  used: number;
  readonly endsAt: number;
}

type Countable = Exclude<Bucket, { kind: "gauge" }>;

/** A bucket's state while the charge is being decided: filled in rather than made anew by each step. */
interface Draft<B extends Bucket> {
  readonly bucket: B;
  used: number;
  readonly resetMs: number;
  readonly room: boolean;
  hold: Count | Gauge | Lease | undefined;
}

/** For one process. Charging is synchronous inside, so no two calls can see the same room. */
export function memoryCounters({
  maxBuckets = 200_000,
  now = () => performance.now(),
}: MemoryCountersOptions = {}): Counters {
  const counts = new LRUCache<string, Count>({ max: maxBuckets });
  const gauges = new LRUCache<string, Gauge>({ max: maxBuckets });
  /** In whole milliseconds: V8 makes an object of every fraction it keeps. */
  const clock = (): number => Math.trunc(now());

  const countOf = (key: string, at: number): Count | undefined => {
    const count = counts.get(key);
    return count !== undefined && count.endsAt > at ? count : undefined;
  };
  const gaugeOf = (key: string): Gauge => {
    const known = gauges.get(key);
    if (known !== undefined) return known;
    const gauge = createGauge();
    gauges.set(key, gauge);
    return gauge;
  };
  const begin = (bucket: Countable, used: number, at: number): Count => {
    const count = { used, endsAt: at + lifeOf(bucket) };
    counts.set(bucket.key, count);
    return count;
  };

  const look = <B extends Bucket>(bucket: B, at: number): Draft<B> => {
    if (bucket.kind === "gauge") {
      const gauge = gaugeOf(bucket.key);
      endOverdue(gauge, at);
      return { bucket, used: gauge.held, resetMs: 0, room: gauge.held < bucket.max, hold: gauge };
    }
    const count = countOf(bucket.key, at);
    const used = count === undefined ? 0 : count.used;
    const resetMs = count === undefined ? lifeOf(bucket) : count.endsAt - at;
    return { bucket, used, resetMs, room: used + bucket.amount <= bucket.max, hold: count };
  };
  const apply = (state: Draft<Bucket>, at: number): void => {
    const { bucket, hold } = state;
    if (bucket.kind === "gauge") {
      const gauge = hold as Gauge;
      state.hold = takeLease(gauge, at + bucket.leaseMs);
      state.used = gauge.held;
      return;
    }
    // Looked for again: the same bucket may stand twice in one charge.
    const count = (hold as Count | undefined) ?? countOf(bucket.key, at) ?? begin(bucket, 0, at);
    count.used += bucket.amount;
    state.hold = count;
    state.used = count.used;
  };

  const settleCount = (bucket: Countable, held: Count | undefined, delta: number): void => {
    const current = bucket.kind === "sum" ? counts.peek(bucket.key) : held;
    // A sum that began anew meanwhile, with what the record said, knows nothing of this call yet.
    if (current !== undefined) correct(current, current === held ? delta : bucket.amount + delta);
  };

  return {
    charge(buckets) {
      const at = clock();
      const states = buckets.map((bucket) => look(bucket, at));
      if (states.some(isUnknown)) {
        return { kind: "unseeded", indices: states.flatMap((state, index) => (isUnknown(state) ? [index] : [])) };
      }
      if (!states.every(hasRoom)) return { kind: "refused", states };
      for (const state of states) apply(state, at);
      return { kind: "granted", states };
    },
    settle({ states }, deltas) {
      states.forEach(({ bucket, hold }, index) => {
        if (bucket.kind === "gauge") endLease(hold as Lease);
        else settleCount(bucket, hold === notHeld ? undefined : (hold as Count), deltas[index] ?? 0);
      });
    },
    async seed(bucket, used) {
      const at = clock();
      if (countOf(bucket.key, at) === undefined) begin(bucket, used, at);
    },
    forget: ({ key }) => void counts.delete(key),
    ready: async () => {},
    close: async () => {
      counts.clear();
      gauges.clear();
    },
  };
}

function isUnknown({ bucket, hold }: Draft<Bucket>): boolean {
  return bucket.kind === "sum" && hold === undefined;
}

function hasRoom({ room }: Draft<Bucket>): boolean {
  return room;
}

function correct(count: Count, delta: number): void {
  count.used = Math.max(0, count.used + delta);
}

function lifeOf(bucket: Countable): number {
  return bucket.kind === "window" ? bucket.windowMs : bucket.remainingMs;
}
