import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Identity } from "./identity.ts";
import type { VerificationKey } from "./key-set.ts";
import { requireEntries } from "./requirements.ts";

/** What a verification found, and under which key it stays true. */
export interface Verified {
  readonly identity: Identity;
  readonly key: VerificationKey;
}

/** Verified tokens by digest. */
interface VerifiedCache {
  readonly get: (token: string) => Verified | undefined;
  readonly set: (token: string, verified: Verified) => void;
  readonly delete: (token: string) => void;
}

/** Its bound is its only option. */
export interface VerifiedCacheOptions {
  /** The least recently used token goes first. 5000 unless given. */
  readonly maxEntries: number;
}

/**
 * Verified tokens by digest: no token is kept, and looking one up costs one SHA-256, about a fortieth of an RS256 check.
 * It only remembers; whether an entry still holds (expiry, key) is for the verifier to ask.
 */
export function createVerifiedCache({ maxEntries }: VerifiedCacheOptions): VerifiedCache {
  const entries = new LRUCache<string, Verified>({ max: requireEntries(maxEntries, "tokenCache.maxEntries") });
  const digest = (token: string) => hash("sha256", token, "base64");
  return {
    get: (token) => entries.get(digest(token)),
    set: (token, verified) => {
      entries.set(digest(token), verified);
    },
    delete: (token) => {
      entries.delete(digest(token));
    },
  };
}
