import { LRUCache } from "lru-cache";
import { requireEntries } from "../requirements.ts";

/** Remembers which proofs were used. */
export interface ReplayStore {
  /** Notes a key for so many seconds; false when it was noted before. Must be one indivisible step. */
  readonly add: (key: string, ttlSeconds: number) => Promise<boolean>;
}

/**
 * For one process. Bounded: past `maxEntries` proofs within the window the oldest is forgotten, so a service with more
 * traffic than that, or with several replicas, gives a shared store.
 */
export function memoryReplayStore({ maxEntries = 100_000 }: { readonly maxEntries?: number } = {}): ReplayStore {
  const used = new LRUCache<string, true>({ max: requireEntries(maxEntries, "maxEntries") });
  return {
    async add(key, ttlSeconds) {
      if (used.has(key)) return false;
      used.set(key, true, { ttl: ttlSeconds * 1000 });
      return true;
    },
  };
}
