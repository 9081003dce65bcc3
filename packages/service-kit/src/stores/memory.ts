import { LRUCache } from "lru-cache";
import { type KeyValueStore, type Lifetime, maxMembers } from "./store.ts";

/** The bound, which has no default, and the clock of tests. */
export interface MemoryStoreOptions {
  /** The least recently used entry makes room for a new one. */
  readonly maxEntries: number;
  /** Milliseconds of a monotonic clock: a step of the wall clock must not end or prolong anything. */
  readonly now?: (() => number) | undefined;
}

/** For one process alone; several replicas need `redisStore`. */
export function memoryStore({ maxEntries, now = () => performance.now() }: MemoryStoreOptions): KeyValueStore {
  const options = { max: maxEntries, perf: { now }, ttlResolution: 0 };
  const values = new LRUCache<string, string>(options);
  const leases = new LRUCache<string, symbol>(options);
  const sets = new LRUCache<string, Map<string, number>>(options);
  const store = (key: string, value: string, lifetime: Lifetime): void => {
    values.set(key, value, { ttl: milliseconds(lifetime) });
  };

  return {
    get: async (key) => values.get(key),
    set: async (key, value, lifetime) => store(key, value, lifetime),
    async add(key, value, lifetime) {
      if (values.has(key)) return false;
      store(key, value, lifetime);
      return true;
    },
    async replace(key, expected, value, lifetime) {
      if (values.get(key) !== expected) return false;
      store(key, value, lifetime);
      return true;
    },
    async take(key) {
      const value = values.get(key);
      values.delete(key);
      return value;
    },
    async delete(key) {
      const present = values.has(key);
      values.delete(key);
      return present;
    },
    async lease(name, lifetime) {
      if (leases.has(name)) return undefined;
      const holder = Symbol(name);
      leases.set(name, holder, { ttl: milliseconds(lifetime) });
      return {
        async release() {
          if (leases.peek(name) === holder) leases.delete(name);
        },
      };
    },
    async addMember(key, member, lifetime) {
      const members = alive(sets.get(key), now());
      const ttl = milliseconds(lifetime);
      members.set(member, now() + ttl);
      const kept = [...members].sort(([, a], [, b]) => a - b).slice(-maxMembers);
      sets.set(key, new Map(kept), { ttl: Math.max(...members.values()) - now() });
    },
    async removeMember(key, member) {
      sets.get(key)?.delete(member);
    },
    members: async (key) => [...alive(sets.get(key), now()).keys()],
    ready: async () => {},
    close: async () => {
      values.clear();
      leases.clear();
      sets.clear();
    },
  };
}

function alive(members: ReadonlyMap<string, number> | undefined, now: number): Map<string, number> {
  return new Map([...(members ?? [])].filter(([, until]) => until > now));
}

/** @throws TypeError for a lifetime that is none: 0 would mean “for ever” to a cache */
export function milliseconds({ ttlSeconds }: Lifetime): number {
  if (!(Number.isFinite(ttlSeconds) && ttlSeconds > 0)) {
    throw new TypeError(`ttlSeconds must be a positive number, got ${ttlSeconds}.`);
  }
  return Math.ceil(ttlSeconds * 1_000);
}
