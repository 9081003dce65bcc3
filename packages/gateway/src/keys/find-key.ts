import { AuthError } from "@onbehalf/shared-auth";
import { LRUCache } from "lru-cache";
import type { KeyStore } from "./key-store.ts";
import type { HashKey, VirtualKey } from "./virtual-key.ts";

/** @throws AuthError `token_inactive` for an unknown, blocked or expired key, `keys_unavailable` while nobody knows */
export type FindKey = (token: string) => Promise<VirtualKey>;

export interface FindKeyOptions {
  readonly store: Pick<KeyStore, "byHash">;
  readonly hash: () => Promise<HashKey>;
  /** Keys known before go on working while the database is away, for `graceMs`. */
  readonly keepWithoutDatabase: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number;
  /** Milliseconds since the epoch: keys expire by the calendar. */
  readonly wallMs?: () => number;
}

/**
 * How long a replica trusts what it knows of a key. It bounds how long a blocked key still works anywhere: this, plus
 * the one question that was on its way.
 */
export const trustMs = 1_000;
const graceMs = 600_000;
const maxKnown = 10_000;

interface Known {
  readonly key: VirtualKey | undefined;
  readonly askedAt: number;
}

/** Keys by their hash, remembered for a second; the same key asked for many times at once is looked up once. */
export function createFindKey({
  store,
  hash,
  keepWithoutDatabase,
  now = () => performance.now(),
  wallMs = Date.now,
}: FindKeyOptions): FindKey {
  const known = new LRUCache<string, Known>({ max: maxKnown });
  const asked = new Map<string, Promise<Known>>();

  const ask = async (keyHash: string, askedAt: number): Promise<Known> => {
    try {
      const found = { key: await store.byHash(keyHash), askedAt };
      known.set(keyHash, found);
      return found;
    } finally {
      asked.delete(keyHash);
    }
  };
  const lookUp = async (keyHash: string): Promise<VirtualKey | undefined> => {
    const before = known.get(keyHash);
    if (before !== undefined && now() - before.askedAt < trustMs) return before.key;
    const flight = asked.get(keyHash) ?? ask(keyHash, now());
    asked.set(keyHash, flight);
    try {
      return (await flight).key;
    } catch (error) {
      const inGrace = before?.key !== undefined && now() - before.askedAt < graceMs;
      if (keepWithoutDatabase && inGrace) return before.key;
      throw away(error);
    }
  };
  return async (token) => {
    const toHash = await hash().catch((error: unknown) => {
      throw away(error);
    });
    return usable(await lookUp(toHash(token)), wallMs());
  };
}

function usable(key: VirtualKey | undefined, nowMs: number): VirtualKey {
  if (key === undefined)
    throw new AuthError("token_inactive", "This key is not known here: it may be mistyped or deleted.");
  if (key.blocked) throw new AuthError("token_inactive", "This key is blocked; an administrator can unblock it.");
  if (key.expiresAt !== undefined && Date.parse(key.expiresAt) <= nowMs) {
    throw new AuthError("token_inactive", `This key expired at ${key.expiresAt}; ask for a new one.`);
  }
  return key;
}

function away(cause: unknown): AuthError {
  return new AuthError("keys_unavailable", "Keys cannot be checked right now; JWTs still work. Try again shortly.", {
    cause,
  });
}
