import type { Algorithm } from "./algorithms.ts";
import type { Clock } from "./clock.ts";
import { UNVERIFIED } from "./compact.ts";
import { AuthError } from "./errors.ts";
import type { AuthEvent } from "./events.ts";
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
   * The keys that may have signed a token. Loads the set when there is none, or when it is older than its time.
   * @throws AuthError `key_unknown`, `keys_unavailable`, `issuer_misconfigured`
   */
  readonly find: (algorithm: Algorithm, kid: string | undefined) => Promise<Candidates>;
  /** The same after a bad signature, from a newer set: the key under this kid may have been replaced. */
  readonly replaced: (tried: Candidates, algorithm: Algorithm, kid: string | undefined) => Promise<Candidates>;
  /** True while the set is fresh and holds this key: what the verified-token cache asks on each hit. */
  readonly holds: (key: VerificationKey) => boolean;
  /** Loads the set now, unless it is there. */
  readonly ready: () => Promise<void>;
}

export interface KeyTimes {
  /** How long a set is used without asking again. */
  readonly ttlSeconds: number;
  /** How long after that it still serves while the provider is down. */
  readonly staleGraceSeconds: number;
  /** After a load that did not find a token's key, no other for such a reason within this time. */
  readonly unknownKidCooldownSeconds: number;
  /** How long a kid that a fresh set did not hold is refused without asking again. */
  readonly unknownKidTtlSeconds: number;
  /** Pause after a failed load; until then every caller gets the same failure at once. */
  readonly retryCooldownSeconds: number;
}

export const defaultKeyTimes: KeyTimes = {
  ttlSeconds: 3600,
  staleGraceSeconds: 14_400,
  unknownKidCooldownSeconds: 15,
  unknownKidTtlSeconds: 60,
  retryCooldownSeconds: 3,
};

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** One load over the network; bounded by the loader. */
  readonly load: () => Promise<KeySet>;
  readonly times: KeyTimes;
  readonly clock: Clock;
  readonly onEvent: (event: AuthEvent) => void;
}

/** A set is renewed in the background from this part of its time on, so that nobody waits for it. */
const REFRESH_AHEAD = 0.8;
/** A token without a kid, or a set with one kid twice: so many keys are tried and no more. */
const MAX_TRIES = 4;
const MAX_UNKNOWN_KIDS = 1000;

interface Loaded {
  readonly set: KeySet;
  readonly atMs: number;
}

/**
 * Keys of one issuer: one load at a time for all callers, at most one extra load per cooldown for unknown kids, failures
 * remembered for a moment, and a bounded grace on the old set while the provider is down.
 */
export function createIssuerKeys({ issuer, load, times, clock, onEvent }: IssuerKeysOptions): IssuerKeys {
  const unknownKids = new Map<string, number>();
  let loaded: Loaded | undefined;
  let flight: Promise<Loaded> | undefined;
  let failure: { readonly error: unknown; readonly untilMs: number } | undefined;
  let vainLoadAtMs = Number.NEGATIVE_INFINITY;

  const ageSeconds = (): number =>
    loaded === undefined ? Number.POSITIVE_INFINITY : (clock.steadyMs() - loaded.atMs) / 1000;
  const failing = (): boolean => failure !== undefined && clock.steadyMs() < failure.untilMs;

  function refresh(): Promise<Loaded> {
    flight ??= loadOnce().finally(() => {
      flight = undefined;
    });
    return flight;
  }

  async function loadOnce(): Promise<Loaded> {
    const startMs = clock.steadyMs();
    try {
      const set = await load();
      // Aged from before the request: what the provider changed while it answered is not newer than that.
      loaded = { set, atMs: startMs };
      failure = undefined;
      onEvent({ type: "keys_loaded", issuer, keys: set.size, refused: set.refused });
      return loaded;
    } catch (error) {
      failure = { error, untilMs: clock.steadyMs() + times.retryCooldownSeconds * 1000 };
      onEvent({ type: "keys_failed", issuer, error, serving: usable() ? "stale" : "nothing" });
      throw error;
    }
  }

  function usable(): boolean {
    return ageSeconds() < times.ttlSeconds + times.staleGraceSeconds;
  }

  function refreshInBackground(): void {
    // Its failure is remembered and told by `loadOnce`.
    if (!failing() && flight === undefined) refresh().catch(() => undefined);
  }

  function fresh(): KeySet | undefined {
    const age = ageSeconds();
    if (loaded === undefined || age >= times.ttlSeconds) return undefined;
    if (age >= times.ttlSeconds * REFRESH_AHEAD) refreshInBackground();
    return loaded.set;
  }

  async function current(): Promise<KeySet> {
    const set = fresh();
    if (set !== undefined) return set;
    if (loaded !== undefined && usable() && failure !== undefined) {
      // The provider is known to be down: nobody waits for it.
      refreshInBackground();
      return loaded.set;
    }
    if (failing()) throw unavailable(failure?.error);
    try {
      return (await refresh()).set;
    } catch (error) {
      if (loaded !== undefined && usable()) return loaded.set;
      throw unavailable(error);
    }
  }

  function unavailable(cause: unknown): AuthError {
    if (cause instanceof AuthError) return cause;
    return new AuthError(
      "keys_unavailable",
      "The keys that verify access tokens cannot be loaded now; try again soon.",
      {
        cause,
        retryAfterSeconds: times.retryCooldownSeconds,
      },
    );
  }

  /** Loads anew because of one token, unless that was in vain a moment ago: then gives back the same set. */
  async function reload(since: KeySet): Promise<KeySet> {
    if (loaded !== undefined && loaded.set !== since) return loaded.set;
    if (flight === undefined) {
      if (failing()) throw unavailable(failure?.error);
      if (clock.steadyMs() - vainLoadAtMs < times.unknownKidCooldownSeconds * 1000) return since;
    }
    try {
      return (await refresh()).set;
    } catch (error) {
      throw unavailable(error);
    }
  }

  function isKnownUnknown(kid: string): boolean {
    const untilMs = unknownKids.get(kid);
    return untilMs !== undefined && clock.steadyMs() < untilMs;
  }

  /** Only a load that did not help counts against the next one: a real rotation is never made to wait. */
  function loadedInVain(kid: string | undefined): void {
    vainLoadAtMs = clock.steadyMs();
    if (kid !== undefined) rememberUnknown(kid);
  }

  function rememberUnknown(kid: string): void {
    unknownKids.delete(kid);
    unknownKids.set(kid, clock.steadyMs() + times.unknownKidTtlSeconds * 1000);
    const [oldest] = unknownKids.keys();
    if (unknownKids.size > MAX_UNKNOWN_KIDS && oldest !== undefined) unknownKids.delete(oldest);
  }

  async function find(algorithm: Algorithm, kid: string | undefined): Promise<Candidates> {
    const before = loaded?.set;
    const set = await current();
    const found = candidates(set, algorithm, kid);
    if (found.keys.length > 0) return found;
    // A set that was loaded for this very token is not asked for again, nor is one that lacked this kid just now.
    if (set === before && (kid === undefined || !isKnownUnknown(kid))) {
      const renewed = candidates(await reload(set), algorithm, kid);
      if (renewed.keys.length > 0) return renewed;
      if (renewed.set !== set) loadedInVain(kid);
    }
    const cause = new Error(`${issuer} publishes no such key for ${algorithm}.`);
    throw new AuthError("key_unknown", UNVERIFIED, { cause });
  }

  return {
    find,
    async replaced(tried, algorithm, kid) {
      const set = await reload(tried.set);
      const old = new Set(tried.keys.map(({ print }) => print));
      const keys = candidates(set, algorithm, kid).keys.filter(({ print }) => !old.has(print));
      if (keys.length === 0 && set !== tried.set) loadedInVain(undefined);
      return { keys, set };
    },
    known(algorithm, kid) {
      const set = fresh();
      const found = set && candidates(set, algorithm, kid);
      return found !== undefined && found.keys.length > 0 ? found : undefined;
    },
    holds: (key) => fresh()?.holds(key) ?? false,
    async ready() {
      await current();
    },
  };
}

function candidates(set: KeySet, algorithm: Algorithm, kid: string | undefined): Candidates {
  return { set, keys: set.find(algorithm, kid).slice(0, MAX_TRIES) };
}
