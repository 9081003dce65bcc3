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

/** A count, or the leases of a gauge by their end. */
type Found = Count | Map<string, number> | undefined;

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

  const countOf = (key: string, at: number): Count | undefined => {
    const count = counts.get(key);
    return count !== undefined && count.endsAt > at ? count : undefined;
  };
  const running = (key: string, at: number): Map<string, number> => {
    const held = leases.get(key);
    if (held === undefined) {
      const first = new Map<string, number>();
      leases.set(key, first);
      return first;
    }
    // All leases last equally long, so the oldest end first: the first that runs ends the search.
    for (const [lease, endsAt] of held) {
      if (endsAt > at) break;
      held.delete(lease);
    }
    return held;
  };
  /** What a bucket is counted in now; undefined where nothing is counted yet. */
  const find = (bucket: Bucket, at: number): Found =>
    bucket.kind === "gauge" ? running(bucket.key, at) : countOf(bucket.key, at);
  const look = (bucket: Bucket, found: Found, at: number): BucketState => {
    if (bucket.kind === "gauge") {
      const used = sizeOf(found);
      return { used, resetMs: 0, room: used < bucket.max, window: "" };
    }
    const count = found as Count | undefined;
    const used = count?.used ?? 0;
    const resetMs = count === undefined ? lifeOf(bucket) : Math.max(0, count.endsAt - at);
    return { used, resetMs, room: used + bucket.amount <= bucket.max, window: count?.window ?? "" };
  };
  const apply = (bucket: Bucket, found: Found, lease: string, at: number): BucketState => {
    if (bucket.kind === "gauge") {
      const held = (found as Map<string, number>).set(lease, at + bucket.leaseMs);
      return { used: held.size, resetMs: 0, room: true, window: "" };
    }
    // Looked for again: the same bucket may stand twice in one charge.
    let count = (found as Count | undefined) ?? countOf(bucket.key, at);
    if (count === undefined) {
      count = { used: 0, window: newWindow(), endsAt: at + lifeOf(bucket) };
      counts.set(bucket.key, count);
    }
    count.used += bucket.amount;
    return { used: count.used, resetMs: count.endsAt - at, room: true, window: count.window };
  };

  const charge = ({ lease, buckets }: Charge): Verdict => {
    const at = now();
    const found = buckets.map((bucket) => find(bucket, at));
    const isUnknown = (bucket: Bucket, index: number): boolean => bucket.kind === "sum" && found[index] === undefined;
    if (buckets.some(isUnknown)) {
      return {
        kind: "unseeded",
        indices: buckets.flatMap((bucket, index) => (isUnknown(bucket, index) ? [index] : [])),
      };
    }
    if (!buckets.every((bucket, index) => hasRoom(bucket, found[index]))) {
      return { kind: "refused", states: buckets.map((bucket, index) => look(bucket, found[index], at)) };
    }
    return { kind: "granted", states: buckets.map((bucket, index) => apply(bucket, found[index], lease, at)) };
  };

  return {
    charge,
    settle({ lease, corrections }) {
      const at = now();
      for (const { bucket, window, delta } of corrections) {
        if (bucket.kind === "gauge") {
          leases.get(bucket.key)?.delete(lease);
          continue;
        }
        const count = countOf(bucket.key, at);
        if (count !== undefined && count.window === window) count.used = Math.max(0, count.used + delta);
      }
    },
    async seed(bucket, used) {
      if (countOf(bucket.key, now()) !== undefined) return;
      counts.set(bucket.key, { used, window: newWindow(), endsAt: now() + bucket.remainingMs });
    },
    ready: async () => {},
    close: async () => {
      counts.clear();
      leases.clear();
    },
  };
}

function sizeOf(found: Found): number {
  return found instanceof Map ? found.size : 0;
}

function hasRoom(bucket: Bucket, found: Found): boolean {
  if (bucket.kind === "gauge") return sizeOf(found) < bucket.max;
  return ((found as Count | undefined)?.used ?? 0) + bucket.amount <= bucket.max;
}

function lifeOf(bucket: Exclude<Bucket, { kind: "gauge" }>): number {
  return bucket.kind === "window" ? bucket.windowMs : bucket.remainingMs;
}
