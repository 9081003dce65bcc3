import { LRUCache } from "lru-cache";

/** Remembers a bounded number of things for a short time, by a clock that never goes back. */
interface BriefMemory<Value> {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
}

/** `seconds` 0 remembers nothing. */
export function briefMemory<Value extends object | string>(
  seconds: number,
  maxEntries: number,
  steadyMs: () => number,
): BriefMemory<Value> {
  if (!(seconds > 0)) return { get: () => undefined, set: () => undefined };
  // Without a resolution the clock is asked each time, not once a millisecond by a timer.
  const entries = new LRUCache<string, Value>({
    max: maxEntries,
    ttl: seconds * 1000,
    ttlResolution: 0,
    perf: { now: steadyMs },
  });
  return {
    get: (key) => entries.get(key),
    set: (key, value) => {
      entries.set(key, value);
    },
  };
}
