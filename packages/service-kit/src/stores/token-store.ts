import type { TokenStore } from "@onbehalf/shared-auth";
import { type RedisStoreOptions, redisStore } from "./redis.ts";
import type { KeyValueStore } from "./store.ts";

/** A key-value store as the place where exchanged tokens wait. */
export function tokenStoreOver(store: KeyValueStore): TokenStore {
  return {
    get: (key) => store.get(key),
    set: (key, value, ttlSeconds) => store.set(key, value, { ttlSeconds }),
    delete: async (key) => void (await store.delete(key)),
  };
}

/** Exchanged tokens in Redis, encrypted, for all replicas of a service. */
export async function redisTokenStore(options: RedisStoreOptions): Promise<
  TokenStore & {
    /** Rejects while Redis cannot be reached: for readiness. */
    ready(): Promise<void>;
    close(): Promise<void>;
  }
> {
  const store = await redisStore({ what: "token store", ...options });
  return { ...tokenStoreOver(store), ready: store.ready, close: store.close };
}
