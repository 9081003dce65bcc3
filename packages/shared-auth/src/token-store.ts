import { LRUCache } from "lru-cache";
import { type ClockOptions, clockFrom } from "./clock.ts";
import { requireEntries } from "./requirements.ts";

/**
 * Where exchanged tokens wait. A store outside the process must encrypt the values. Keys are digests and give nothing
 * away. A store that rejects costs an exchange, and fails nothing but a purge.
 */
export interface TokenStore {
  readonly get: (key: string) => Promise<string | undefined>;
  /** `ttlSeconds` is a whole number above 0. */
  readonly set: (key: string, value: string, ttlSeconds: number) => Promise<void>;
  readonly delete: (key: string) => Promise<void>;
}

/** A bound, and a clock for tests. */
export interface MemoryStoreOptions extends Pick<ClockOptions, "steadyNow"> {
  /** 10000 unless given. */
  readonly maxEntries?: number | undefined;
}

/** A bounded store in memory; the least recently used entry goes first. Ages follow a steady clock. */
export function memoryTokenStore({ maxEntries = 10_000, ...clock }: MemoryStoreOptions = {}): TokenStore {
  const perf = { now: clockFrom(clock).steadyMs };
  const entries = new LRUCache<string, string>({
    max: requireEntries(maxEntries, "maxEntries"),
    ttlResolution: 0,
    perf,
  });
  return {
    get: async (key) => entries.get(key),
    set: async (key, value, ttlSeconds) => {
      entries.set(key, value, { ttl: ttlSeconds * 1000 });
    },
    delete: async (key) => {
      entries.delete(key);
    },
  };
}
