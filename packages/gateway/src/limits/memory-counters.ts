import { LRUCache } from "lru-cache";
import type { Bucket, BucketState, Charge, Counters, Verdict } from "./counters.ts";

export interface MemoryCountersOptions {
  /** Buckets held; the longest unused one makes room. */
  readonly maxBuckets?: number;
  /** Milliseconds of a monotonic clock: a step of the wall clock must open no window. */
  readonly now?: () => number;
}

interface Count {
  used: number;
  readonly window: string;
  readonly endsAt: number;
}

/** For one process. Charging is synchronous inside, so no two calls can see the same room. */
export function memoryCounters({
  maxBuckets = 200_000,
  now = () => performance.now(),
}: MemoryCountersOptions = {}): Counters {
  const counts = new LRUCache<string, Count>({ max: maxBuckets });
  const leases = new LRUCache<string, Map<string, number>>({ max: maxBuckets });
  let windows = 0;
  const newWindow = (): string => {
    windows += 1;
    return String(windows);
  };

  const countOf = (key: string): Count | undefined => {
    const count = counts.get(key);
    return count !== undefined && count.endsAt > now() ? count : undefined;
  };
  const running = (key: string): Map<string, number> => {
    const held = leases.get(key) ?? new Map<string, number>();
    const at = now();
    // All leases last equally long, so the oldest end first: the first that runs ends the search.
    for (const [lease, endsAt] of held) {
      if (endsAt > at) break;
      held.delete(lease);
    }
    return held;
  };
  const look = (bucket: Bucket): BucketState => {
    if (bucket.kind === "gauge") {
      const used = running(bucket.key).size;
      return { used, resetMs: 0, room: used < bucket.max, window: "" };
    }
    const count = countOf(bucket.key);
    const used = count?.used ?? 0;
    const resetMs = count === undefined ? lifeOf(bucket) : Math.max(0, count.endsAt - now());
    return { used, resetMs, room: used + bucket.amount <= bucket.max, window: count?.window ?? "" };
  };
  const apply = (bucket: Bucket, lease: string): BucketState => {
    if (bucket.kind === "gauge") {
      const held = running(bucket.key).set(lease, now() + bucket.leaseMs);
      leases.set(bucket.key, held);
      return { used: held.size, resetMs: 0, room: true, window: "" };
    }
    const count = countOf(bucket.key) ?? { used: 0, window: newWindow(), endsAt: now() + lifeOf(bucket) };
    count.used += bucket.amount;
    counts.set(bucket.key, count);
    return { used: count.used, resetMs: count.endsAt - now(), room: true, window: count.window };
  };

  const charge = ({ lease, buckets }: Charge): Verdict => {
    const indices = buckets.flatMap((bucket, index) =>
      bucket.kind === "sum" && countOf(bucket.key) === undefined ? [index] : [],
    );
    if (indices.length > 0) return { kind: "unseeded", indices };
    const seen = buckets.map(look);
    if (seen.some(({ room }) => !room)) return { kind: "refused", states: seen };
    return { kind: "granted", states: buckets.map((bucket) => apply(bucket, lease)) };
  };

  return {
    charge: async (asked) => charge(asked),
    async settle({ lease, corrections }) {
      for (const { bucket, window, delta } of corrections) {
        if (bucket.kind === "gauge") running(bucket.key).delete(lease);
        const count = bucket.kind === "gauge" ? undefined : countOf(bucket.key);
        if (count !== undefined && count.window === window) count.used = Math.max(0, count.used + delta);
      }
    },
    async seed(bucket, used) {
      if (countOf(bucket.key) !== undefined) return;
      counts.set(bucket.key, { used, window: newWindow(), endsAt: now() + bucket.remainingMs });
    },
    ready: async () => {},
    close: async () => {
      counts.clear();
      leases.clear();
    },
  };
}

function lifeOf(bucket: Exclude<Bucket, { kind: "gauge" }>): number {
  return bucket.kind === "window" ? bucket.windowMs : bucket.remainingMs;
}
