import type { Clock } from "./clock.ts";
import { isRecord } from "./compact.ts";
import type { OnEvent } from "./events.ts";
import type { ScopedToken } from "./exchange/exchange.ts";
import type { Lifetime } from "./token-lifetime.ts";
import type { TokenStore } from "./token-store.ts";

/** A kept token, with when it was asked for and how long it serves. Seconds since the epoch. */
export interface Entry extends Lifetime {
  readonly token: ScopedToken;
  readonly askedAt: number;
}

/** Where one subject's one token stands. */
export interface Place {
  readonly key: string;
  /** Marks the subject as purged; shared by all its places. */
  readonly purgeKey: string;
}

/** A store, with what its entries mean. */
interface Shelf {
  /** Undefined when there is nothing usable: absent, past its time, purged, unreadable, or the store is down. */
  readonly get: (place: Place) => Promise<Entry | undefined>;
  readonly put: (place: Place, entry: Entry) => Promise<void>;
  readonly drop: (place: Place) => Promise<void>;
  /** @throws the store's own error */
  readonly purge: (purgeKey: string) => Promise<void>;
}

/**
 * Entries in a store. A purge leaves a mark that outlives every entry and outdates those asked for before it, so that it
 * holds for all replicas, and for exchanges that were under way.
 */
export function createShelf(store: TokenStore, clock: Clock, longestSeconds: number, onEvent: OnEvent): Shelf {
  const now = () => clock.wallMs() / 1000;
  const failed = (operation: "get" | "set" | "delete") => (error: unknown) => {
    onEvent({ type: "store_failed", operation, error });
    return undefined;
  };
  return {
    async get({ key, purgeKey }) {
      const found = await Promise.all([store.get(key), store.get(purgeKey)]).catch(failed("get"));
      const entry = parse(found?.[0]);
      if (entry === undefined || entry.usableUntil <= now()) return undefined;
      const purgedAt = found?.[1];
      return purgedAt !== undefined && !(entry.askedAt > Number(purgedAt)) ? undefined : entry;
    },
    async put({ key }, entry) {
      const seconds = Math.floor(entry.usableUntil - now());
      if (seconds >= 1) await store.set(key, JSON.stringify(entry), seconds).catch(failed("set"));
    },
    async drop({ key }) {
      await store.delete(key).catch(failed("delete"));
    },
    async purge(purgeKey) {
      await store.set(purgeKey, String(now()), Math.ceil(longestSeconds) + 1);
    },
  };
}

function parse(text: string | undefined): Entry | undefined {
  if (text === undefined) return undefined;
  try {
    const entry: unknown = JSON.parse(text);
    const { usableUntil, askedAt, token } = isRecord(entry) ? entry : {};
    const whole = typeof usableUntil === "number" && typeof askedAt === "number" && isRecord(token);
    return whole && typeof token.accessToken === "string" ? (entry as unknown as Entry) : undefined;
  } catch {
    // What somebody else wrote there is no token of ours.
    return undefined;
  }
}
