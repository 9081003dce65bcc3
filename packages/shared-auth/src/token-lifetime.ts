/** When an exchanged token may be given out again. Seconds since the epoch. */
export interface Lifetime {
  readonly usableUntil: number;
  /** From here on a hit also starts a renewal; undefined when a new token would end no later. */
  readonly renewFrom: number | undefined;
}

/** All moments in seconds since the epoch. */
interface LifetimeRules {
  readonly now: number;
  readonly ttlSeconds: number;
  readonly expiryBufferSeconds: number;
  /** End of the exchanged token; undefined when nobody knows. */
  readonly tokenExpiresAt: number | undefined;
  /** End of the token that was exchanged: rights do not outlive it. */
  readonly subjectExpiresAt: number;
}

/** A token that lives shorter than the buffer is still worth keeping for this part of its life. */
const LEAST_USE = 0.2;
/** The last part of the usable time, in which it is renewed. */
const RENEWAL = 0.2;

/**
 * The least of the three ends, minus the buffer; undefined when it is not worth keeping. A token whose end is unknown is
 * never kept. Pure.
 */
export function lifetime(rules: LifetimeRules): Lifetime | undefined {
  const { now, ttlSeconds, expiryBufferSeconds, tokenExpiresAt, subjectExpiresAt } = rules;
  if (tokenExpiresAt === undefined) return undefined;
  const ownEnd = Math.min(tokenExpiresAt, now + ttlSeconds);
  const seconds = Math.min(ownEnd, subjectExpiresAt) - now;
  const usable = Math.max(seconds - expiryBufferSeconds, seconds * LEAST_USE);
  if (!(usable >= 1)) return undefined;
  const usableUntil = now + usable;
  return { usableUntil, renewFrom: ownEnd < subjectExpiresAt ? usableUntil - usable * RENEWAL : undefined };
}
