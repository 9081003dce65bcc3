import { randomUUID } from "node:crypto";
import type { BucketState, Charge, Correction, Counters, SumBucket, Verdict } from "./counters.ts";
import { bucketsFor, type Dimension, type Draw } from "./draws.ts";
import type { Limit } from "./limits.ts";

/** What a call will draw on its limits, before it is made. */
export interface Estimate {
  readonly tokens: number;
  /** Null: the model's price is not known, so budgets count nothing. */
  readonly costUsd: number | null;
}

/** The state of one limit after the decision, for headers. */
export interface LimitState {
  readonly limit: Limit;
  readonly dimension: Dimension;
  readonly max: number;
  readonly used: number;
  readonly resetMs: number;
}

export interface Granted {
  readonly allowed: true;
  readonly states: readonly LimitState[];
  /** Replaces the estimate by what was used; without figures everything but the request itself is given back. Once. */
  settle(used: Estimate | undefined): Promise<void>;
}

export interface Refused {
  readonly allowed: false;
  readonly states: readonly LimitState[];
  /** The limit that makes the caller wait longest. */
  readonly strictest: LimitState;
  readonly retryAfterSeconds: number;
}

export interface Limiter {
  /** @throws CountersUnavailable */
  reserve(limits: readonly Limit[], estimate: Estimate): Promise<Granted | Refused>;
}

export interface LimiterOptions {
  readonly counters: Counters;
  /** What was spent against a budget so far, from the record. Rejects when the record cannot be asked. */
  readonly spentUsd: (limit: Limit, sinceMs: number) => Promise<number>;
  /** Milliseconds since the epoch: budgets follow the calendar. */
  readonly wallMs?: () => number;
}

const unlimited: Granted = { allowed: true, states: [], settle: async () => {} };

/** Reserve, then settle. */
export function createLimiter({ counters, spentUsd, wallMs = Date.now }: LimiterOptions): Limiter {
  const seed = async (draws: readonly Draw[], indices: readonly number[]): Promise<void> => {
    await Promise.all(
      indices.map(async (index) => {
        const draw = draws[index];
        if (draw?.period === undefined || draw.bucket.kind !== "sum") return;
        const spent = await spentUsd(draw.limit, draw.period.start);
        await counters.seed(draw.bucket, Math.round(spent * microUsd));
      }),
    );
  };
  const charge = async (draws: readonly Draw[], asked: Charge): Promise<Exclude<Verdict, { kind: "unseeded" }>> => {
    const verdict = await counters.charge(asked);
    if (verdict.kind !== "unseeded") return verdict;
    await seed(draws, verdict.indices);
    const again = await counters.charge(asked);
    if (again.kind !== "unseeded") return again;
    throw new TypeError("a sum is still unknown after it was seeded");
  };

  return {
    async reserve(limits, estimate) {
      const draws = bucketsFor(limits, estimate, wallMs());
      if (draws.length === 0) return unlimited;
      const lease = randomUUID();
      const verdict = await charge(draws, { lease, buckets: draws.map(({ bucket }) => bucket) });
      const states = draws.map((draw, index) => stateOf(draw, verdict.states[index]));
      if (verdict.kind === "refused") return refusal(states, verdict.states);
      return {
        allowed: true,
        states,
        settle: once((used) => counters.settle({ lease, corrections: correct(draws, verdict.states, used) })),
      };
    },
  };
}

/** Budgets are counted in millionths of a dollar, as whole numbers. */
export const microUsd = 1_000_000;

function stateOf({ limit, dimension, bucket }: Draw, state: BucketState | undefined): LimitState {
  return { limit, dimension, max: bucket.max, used: state?.used ?? 0, resetMs: state?.resetMs ?? 0 };
}

function refusal(states: readonly LimitState[], verdicts: readonly BucketState[]): Refused {
  const full = states.filter((_, index) => verdicts[index]?.room === false);
  const [first, ...rest] = full;
  if (first === undefined) throw new TypeError("a refusal without a full limit");
  const strictest = rest.reduce((worst, state) => (state.resetMs > worst.resetMs ? state : worst), first);
  return { allowed: false, states, strictest, retryAfterSeconds: Math.max(1, Math.ceil(strictest.resetMs / 1000)) };
}

/** The difference between what was reserved and what was used; the request itself is never given back. */
function correct(
  draws: readonly Draw[],
  states: readonly BucketState[],
  used: Estimate | undefined,
): readonly Correction[] {
  return draws.flatMap(({ bucket, dimension }, index): Correction[] => {
    const window = states[index]?.window ?? "";
    if (bucket.kind === "gauge") return [{ bucket, window, delta: 0 }];
    if (dimension === "requests") return [];
    const real = realAmount(bucket, used);
    return real === bucket.amount ? [] : [{ bucket, window, delta: real - bucket.amount }];
  });
}

function realAmount(bucket: { readonly kind: "window" } | SumBucket, used: Estimate | undefined): number {
  if (used === undefined) return 0;
  return bucket.kind === "sum" ? Math.round((used.costUsd ?? 0) * microUsd) : used.tokens;
}

function once(settle: (used: Estimate | undefined) => Promise<void>): (used: Estimate | undefined) => Promise<void> {
  let settled: Promise<void> | undefined;
  return (used) => {
    settled ??= settle(used);
    return settled;
  };
}
