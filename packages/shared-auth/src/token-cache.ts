import { unlessAborted } from "./abort.ts";
import { briefMemory } from "./brief-memory.ts";
import { type ClockOptions, clockFrom } from "./clock.ts";
import { AuthError } from "./errors.ts";
import { listener, type OnEvent } from "./events.ts";
import type { Exchange, ExchangeTarget, ScopedToken, Subject } from "./exchange/exchange.ts";
import { requireSeconds } from "./requirements.ts";
import { singleFlight } from "./single-flight.ts";
import { digestOf } from "./token-key.ts";
import { lifetime } from "./token-lifetime.ts";
import { createRejections } from "./token-rejections.ts";
import { createShelf, type Entry, type Place } from "./token-shelf.ts";
import { memoryTokenStore, type TokenStore } from "./token-store.ts";

/** How long tokens are kept, and where. */
export interface CacheOptions extends ClockOptions {
  /** A bounded store in memory unless given. */
  readonly store?: TokenStore | undefined;
  /** Longest time a token is kept, in seconds; 3600 unless given. */
  readonly ttlSeconds?: number | undefined;
  /** A token is not given out in this last part of its life, in seconds; 300 unless given. */
  readonly expiryBufferSeconds?: number | undefined;
  /** For the store in memory; 10000 unless given. */
  readonly maxEntries?: number | undefined;
  /** Seconds a refusal is repeated without asking again; 2 unless given, 0 for not at all. */
  readonly negativeTtlSeconds?: number | undefined;
  /** What is exchanged for what; an exchange of `createExchange` knows it itself. */
  readonly target?: ExchangeTarget | undefined;
  /** Told when the store fails; the exchange then goes on without it. */
  readonly onEvent?: OnEvent | undefined;
}

/** Counted since construction, in this process. */
export interface CacheStats {
  readonly hits: number;
  readonly misses: number;
  /** Exchanges started, renewals among them; several callers may have waited for one. */
  readonly flights: number;
  readonly renewals: number;
  /** Entries dropped because the next hop refused the token. */
  readonly evictions: number;
  /** Refusals repeated from memory. */
  readonly refusals: number;
}

/** The same type in and out, so that it can be left out. */
export interface CachedExchange extends Exchange {
  /**
   * Forgets every token of this subject, in all replicas that share the store (logout).
   * @throws the store's own error: a logout must not seem done when it is not
   */
  readonly purge: (who: { readonly issuer: string; readonly subject: string }) => Promise<void>;
  readonly stats: () => CacheStats;
}

/** Refusals are remembered for so many entries. */
const MAX_REFUSALS = 1000;

/**
 * Keeps exchanged tokens. An entry is found by a digest of the subject's token, issuer and subject, and of everything
 * that was asked for; one exchange runs per entry, whoever waits for it.
 * @throws TypeError when a shared store is given and nothing says what the exchange is for
 */
export function cached(exchange: Exchange, options: CacheOptions = {}): CachedExchange {
  if (typeof exchange !== "function") throw new TypeError("cached needs the exchange whose tokens it keeps.");
  const ttlSeconds = requireSeconds(options.ttlSeconds ?? 3600, "ttlSeconds");
  const expiryBufferSeconds = requireSeconds(options.expiryBufferSeconds ?? 300, "expiryBufferSeconds");
  const negativeTtlSeconds = requireSeconds(options.negativeTtlSeconds ?? 2, "negativeTtlSeconds");
  const target = options.target ?? exchange.target;
  const clock = clockFrom(options);
  const shelf = createShelf(storeOf(options, target), clock, ttlSeconds, listener(options.onEvent));
  const placeOf = placement(target);
  const flights = singleFlight<ScopedToken>();
  const refusals = briefMemory<AuthError>(negativeTtlSeconds, MAX_REFUSALS, clock.steadyMs);
  const rejections = createRejections(clock.steadyMs);
  const count = { hits: 0, misses: 0, flights: 0, renewals: 0, evictions: 0, refusals: 0 };
  const seconds = () => clock.wallMs() / 1000;

  const exchangeCached: Exchange = async (subject, { signal, rejected } = {}) => {
    signal?.throwIfAborted();
    const place = placeOf(subject);
    const entry = await shelf.get(place);
    if (entry !== undefined && entry.token.accessToken === rejected) await evict(place, rejected);
    else if (entry !== undefined && seconds() < subject.identity.expiresAt) return hit(subject, place, entry);
    count.misses += 1;
    return unlessAborted(flight(subject, place), signal);
  };

  function hit(subject: Subject, place: Place, { token, renewFrom }: Entry): ScopedToken {
    count.hits += 1;
    if (renewFrom !== undefined && seconds() >= renewFrom) renew(subject, place);
    return Object.freeze({ ...token, source: "cached" });
  }

  /** Nobody waits for it, and its failure is nobody's: the entry serves to its end. */
  function renew(subject: Subject, place: Place): void {
    if (flights.has(place.key) || refusals.get(place.key) !== undefined) return;
    count.renewals += 1;
    flight(subject, place).catch(() => undefined);
  }

  async function evict(place: Place, rejected: string): Promise<void> {
    if (!rejections.note(place.key, rejected)) return;
    count.evictions += 1;
    await shelf.drop(place);
  }

  function flight(subject: Subject, place: Place): Promise<ScopedToken> {
    const refusal = refusals.get(place.key);
    if (refusal === undefined) return flights.run(place.key, () => fetchAndKeep(subject, place));
    count.refusals += 1;
    return Promise.reject(refusal);
  }

  async function fetchAndKeep(subject: Subject, place: Place): Promise<ScopedToken> {
    count.flights += 1;
    const askedAt = seconds();
    try {
      // Without any caller's signal: the one who started it may give up, the others still wait.
      const token = await exchange(subject);
      rejections.check(place.key, token.accessToken);
      const ends = { tokenExpiresAt: token.expiresAt, subjectExpiresAt: subject.identity.expiresAt };
      const life = lifetime({ now: seconds(), ttlSeconds, expiryBufferSeconds, ...ends });
      if (life !== undefined) await shelf.put(place, { token, askedAt, ...life });
      return token;
    } catch (error) {
      if (error instanceof AuthError) refusals.set(place.key, error);
      throw error;
    }
  }

  return Object.assign(exchangeCached, {
    ...(target === undefined ? {} : { target }),
    purge: (who: { readonly issuer: string; readonly subject: string }) => shelf.purge(purgeKeyOf(who)),
    stats: () => ({ ...count }),
  });
}

function storeOf({ store, maxEntries, steadyNow }: CacheOptions, target: ExchangeTarget | undefined): TokenStore {
  if (store !== undefined && target === undefined) {
    throw new TypeError("cached with a `store` needs `target`, or entries of different exchanges would mix.");
  }
  return store ?? memoryTokenStore({ maxEntries, steadyNow });
}

function placement(target: ExchangeTarget | undefined): (subject: Subject) => Place {
  const asked = target === undefined ? "" : digestOf("target", ...fieldsOf(target));
  return ({ token, identity }) => ({
    key: digestOf("token", asked, identity.issuer, identity.subject, token),
    purgeKey: purgeKeyOf(identity),
  });
}

function purgeKeyOf({ issuer, subject }: { readonly issuer: string; readonly subject: string }): string {
  return digestOf("purge", issuer, subject);
}

/** Lists are preceded by their length, so that an audience cannot pass as a scope. */
function fieldsOf({ profile, server, clientId, audience, resource, scopes, ...more }: ExchangeTarget): string[] {
  const lists = [audience, resource, scopes].flatMap((list) => [String(list.length), ...list]);
  return [profile, server, clientId, ...lists, more.subjectTokenType, String(more.withActor), more.boundTo ?? ""];
}
