/**
 * What limits are counted in. A charge names every bucket one call draws on; either all of them have room and all are
 * charged, or none is. One implementation in memory, one in Redis; both pass the same tests.
 */
export interface Counters {
  /**
   * At once where nothing has to be waited for: every promise costs a turn of the loop.
   * @throws CountersUnavailable when the store cannot be asked in time
   */
  charge<B extends Bucket>(buckets: readonly B[]): Verdict<B> | Promise<Verdict<B>>;
  /**
   * Corrects a charge to what was really used, and ends its leases. A sum that began anew since then is charged with it.
   * @param deltas by bucket: added to what was charged, negative gives back; for a gauge meaningless
   */
  settle(charged: Charged, deltas: readonly number[]): void | Promise<void>;
  /** What a sum starts from, when it was not known yet. */
  seed(bucket: SumBucket, used: number): Promise<void>;
  /** A sum that is no longer right: it is unknown again. */
  forget(bucket: SumBucket): void | Promise<void>;
  /** Rejects while the store cannot be reached: for readiness. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

/** So many per window; the window begins with the first charge, on a clock nobody can step. */
export interface WindowBucket {
  readonly kind: "window";
  readonly key: string;
  readonly max: number;
  readonly amount: number;
  readonly windowMs: number;
}

/** So many at once. A lease that nobody ended, because its process died, ends by itself. */
export interface GaugeBucket {
  readonly kind: "gauge";
  readonly key: string;
  readonly max: number;
  readonly leaseMs: number;
}

/** A running sum until a moment of the calendar. */
export interface SumBucket {
  readonly kind: "sum";
  readonly key: string;
  readonly max: number;
  readonly amount: number;
  /** Milliseconds until the sum is over. */
  readonly remainingMs: number;
  /** After so long what was charged is given back, where nobody settled it because his process died. */
  readonly leaseMs: number;
}

/** What is counted: in a window of time, at the same moment, or in all of a period. */
export type Bucket = WindowBucket | GaugeBucket | SumBucket;

/** The hold of a bucket that the store did not charge: to a sum that it knows by now, all that was used is added. */
export const notHeld = "";

/** A bucket after it was charged, or was not. */
export interface BucketState<B extends Bucket = Bucket> {
  readonly bucket: B;
  /** Used so far, this charge included when it was granted. */
  readonly used: number;
  /** Milliseconds until there is certainly room again; for a gauge 0. */
  readonly resetMs: number;
  readonly room: boolean;
  /**
   * Which window, lease or reservation was charged, as only its store knows it: a settlement finds by it what it corrects,
   * touches no later window and no other lease, and gives nothing back to a sum that was not charged.
   */
  readonly hold: unknown;
}

/** What was granted, to be settled by the store that granted it. */
export interface Charged<B extends Bucket = Bucket> {
  readonly kind: "granted";
  /** By bucket, in the order they were named. */
  readonly states: readonly BucketState<B>[];
}

/** All buckets were charged, or none. */
export type Verdict<B extends Bucket = Bucket> =
  | Charged<B>
  | { readonly kind: "refused"; readonly states: readonly BucketState<B>[] }
  /** These sums are not known here yet: find out what was used, `seed` them, and charge again. */
  | { readonly kind: "unseeded"; readonly indices: readonly number[] };

/** The counters are out of reach, so nobody knows whether there is room. */
export class CountersUnavailable extends Error {
  override readonly name = "CountersUnavailable";
}
