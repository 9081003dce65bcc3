import type { Clock } from "./clock.ts";
import { AuthError } from "./errors.ts";
import type { OnEvent } from "./events.ts";
import type { KeySet } from "./key-set.ts";

/** All in seconds of a clock that never goes back. */
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

/** An hour between loads, four of grace, and little patience with unknown keys. */
export const defaultKeyTimes: KeyTimes = {
  ttlSeconds: 3600,
  staleGraceSeconds: 14_400,
  unknownKidCooldownSeconds: 15,
  unknownKidTtlSeconds: 60,
  retryCooldownSeconds: 3,
};

/** One issuer's loader and how often it may run. */
export interface KeyRefreshOptions {
  readonly issuer: string;
  /** One load over the network; bounded by the loader. */
  readonly load: () => Promise<KeySet>;
  readonly times: KeyTimes;
  readonly clock: Clock;
  readonly onEvent: OnEvent;
}

/** An issuer's key set, as fresh as it has to be. */
interface KeyRefresh {
  /** The set at hand, however old. */
  readonly held: () => KeySet | undefined;
  /** The set, when it is within its time; renews it in the background near the end of that. */
  readonly fresh: () => KeySet | undefined;
  /** The same, waiting for a load where needed; within its grace an old set, while the provider is down. */
  readonly current: () => Promise<KeySet>;
  /** A set newer than this one; the same again when the last such load was in vain a moment ago. */
  readonly newerThan: (set: KeySet) => Promise<KeySet>;
  /** Tells that the newer set did not help: only such loads count against the next one. */
  readonly wasInVain: () => void;
}

/** A set is renewed in the background from this part of its time on, so that nobody waits for it. */
const REFRESH_AHEAD = 0.8;

/** One load at a time for all callers; a failed one is remembered for a moment, so that an outage is not a flood. */
export function createKeyRefresh({ issuer, load, times, clock, onEvent }: KeyRefreshOptions): KeyRefresh {
  let loaded: { readonly set: KeySet; readonly atMs: number } | undefined;
  let flight: Promise<KeySet> | undefined;
  let failure: { readonly error: unknown; readonly untilMs: number } | undefined;
  let vainAtMs = Number.NEGATIVE_INFINITY;

  const ageSeconds = () => (loaded === undefined ? Number.POSITIVE_INFINITY : (clock.steadyMs() - loaded.atMs) / 1000);
  const inGrace = () => ageSeconds() < times.ttlSeconds + times.staleGraceSeconds;
  const failing = () => failure !== undefined && clock.steadyMs() < failure.untilMs;

  function refresh(): Promise<KeySet> {
    flight ??= loadOnce().finally(() => {
      flight = undefined;
    });
    return flight;
  }

  async function loadOnce(): Promise<KeySet> {
    // Aged from before the request: what the provider changes while it answers is not in the answer.
    const atMs = clock.steadyMs();
    try {
      loaded = { set: await load(), atMs };
      failure = undefined;
      onEvent({ type: "keys_loaded", issuer, keys: loaded.set.size, refused: loaded.set.refused });
      return loaded.set;
    } catch (error) {
      failure = { error, untilMs: clock.steadyMs() + times.retryCooldownSeconds * 1000 };
      onEvent({ type: "keys_failed", issuer, error, serving: inGrace() ? "stale" : "nothing" });
      throw unavailable(error);
    }
  }

  function refreshInBackground(): void {
    // `loadOnce` remembers a failure and tells of it.
    if (!failing() && flight === undefined) refresh().catch(() => undefined);
  }

  function unavailable(cause: unknown): AuthError {
    if (cause instanceof AuthError) return cause;
    const message = "The keys that verify access tokens cannot be loaded now; try again soon.";
    return new AuthError("keys_unavailable", message, { cause, retryAfterSeconds: times.retryCooldownSeconds });
  }

  function fresh(): KeySet | undefined {
    const age = ageSeconds();
    if (loaded === undefined || age >= times.ttlSeconds) return undefined;
    if (age >= times.ttlSeconds * REFRESH_AHEAD) refreshInBackground();
    return loaded.set;
  }

  return {
    held: () => loaded?.set,
    fresh,
    async current() {
      const set = fresh();
      if (set !== undefined) return set;
      const old = inGrace() ? loaded?.set : undefined;
      if (old !== undefined && failure !== undefined) {
        // The provider is known to be down: nobody waits for it.
        refreshInBackground();
        return old;
      }
      if (failing()) throw unavailable(failure?.error);
      return old === undefined ? refresh() : refresh().catch(() => old);
    },
    async newerThan(set) {
      if (loaded !== undefined && loaded.set !== set) return loaded.set;
      if (flight !== undefined) return flight;
      if (failing()) throw unavailable(failure?.error);
      const cooling = clock.steadyMs() - vainAtMs < times.unknownKidCooldownSeconds * 1000;
      return cooling ? set : refresh();
    },
    wasInVain() {
      vainAtMs = clock.steadyMs();
    },
  };
}
