import type { Algorithm } from "./algorithms.ts";
import { briefMemory } from "./brief-memory.ts";
import { UNVERIFIED } from "./compact.ts";
import { AuthError } from "./errors.ts";
import { createKeyRefresh, type KeyRefreshOptions } from "./key-refresh.ts";
import type { KeySet, VerificationKey } from "./key-set.ts";

/** The keys that may have signed a token, and the set they are of. */
export interface Candidates {
  readonly keys: readonly VerificationKey[];
  readonly set: KeySet;
}

/** An issuer's keys, kept fresh. */
export interface IssuerKeys {
  /** The same as `find` when nothing has to be waited for: a fresh set that has such keys. */
  readonly known: (algorithm: Algorithm, kid: string | undefined) => Candidates | undefined;
  /**
   * The keys that may have signed a token. Loads the set when there is none, when it is older than its time, or when it
   * lacks the key.
   * @throws AuthError `key_unknown`, `keys_unavailable`, `issuer_misconfigured`
   */
  readonly find: (algorithm: Algorithm, kid: string | undefined) => Promise<Candidates>;
  /**
   * More of them after a bad signature: the key under this kid may have been replaced.
   * @throws AuthError `keys_unavailable`, `issuer_misconfigured`
   */
  readonly replaced: (tried: Candidates, algorithm: Algorithm, kid: string | undefined) => Promise<Candidates>;
  /** True while the set is fresh and holds this key: what the verified-token cache asks on each hit. */
  readonly holds: (key: VerificationKey) => boolean;
  /** Loads the set now, unless it is there. */
  readonly ready: () => Promise<void>;
}

/** A token without a kid, or a set with one kid twice: so many keys are tried and no more. */
const MAX_TRIES = 4;
const MAX_UNKNOWN_KIDS = 1000;

/**
 * Keys of one issuer, found by algorithm and kid in its own set only. A key that is not there is looked for in a newer
 * set; how often that happens does not depend on how many unknown kids are sent.
 */
export function createIssuerKeys(options: KeyRefreshOptions): IssuerKeys {
  const { issuer, times, clock } = options;
  const refresh = createKeyRefresh(options);
  const unknownKids = briefMemory<"unknown">(times.unknownKidTtlSeconds, MAX_UNKNOWN_KIDS, clock.steadyMs);

  async function find(algorithm: Algorithm, kid: string | undefined): Promise<Candidates> {
    const before = refresh.held();
    const set = await refresh.current();
    const found = candidates(set, algorithm, kid);
    if (found.keys.length > 0) return found;
    // A set that was loaded for this very token is not asked for again, nor is one that lacked this kid just now.
    const worthAsking = set === before && (kid === undefined || unknownKids.get(kid) === undefined);
    if (!worthAsking) throw unknown(algorithm);
    const newer = candidates(await refresh.newerThan(set), algorithm, kid);
    if (newer.keys.length > 0) return newer;
    if (newer.set !== set) {
      refresh.wasInVain();
      if (kid !== undefined) unknownKids.set(kid, "unknown");
    }
    throw unknown(algorithm);
  }

  function unknown(algorithm: Algorithm): AuthError {
    const cause = new Error(`${issuer} publishes no such key for ${algorithm}.`);
    return new AuthError("key_unknown", UNVERIFIED, { cause });
  }

  return {
    find,
    known(algorithm, kid) {
      const set = refresh.fresh();
      const found = set && candidates(set, algorithm, kid);
      return found !== undefined && found.keys.length > 0 ? found : undefined;
    },
    async replaced(tried, algorithm, kid) {
      const set = await refresh.newerThan(tried.set);
      const old = new Set(tried.keys.map(({ print }) => print));
      const keys = candidates(set, algorithm, kid).keys.filter(({ print }) => !old.has(print));
      if (keys.length === 0 && set !== tried.set) refresh.wasInVain();
      return { keys, set };
    },
    holds: (key) => refresh.fresh()?.holds(key) ?? false,
    ready: async () => {
      await refresh.current();
    },
  };
}

function candidates(set: KeySet, algorithm: Algorithm, kid: string | undefined): Candidates {
  return { set, keys: set.find(algorithm, kid).slice(0, MAX_TRIES) };
}
