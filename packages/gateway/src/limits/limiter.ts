import { randomUUID } from "node:crypto";
import { type BudgetStartOptions, createBudgetStart, microUsd } from "./budget-start.ts";
import type { BucketState, Correction, Counters, SumBucket, Verdict } from "./counters.ts";
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

export interface LimiterOptions extends Omit<BudgetStartOptions, "counters" | "now"> {
  readonly counters: Counters;
  /** Milliseconds since the epoch: budgets follow the calendar. */
  readonly wallMs?: () => number;
  readonly now?: () => number;
}

const unlimited: Granted = { allowed: true, states: [], settle: async () => {} };

interface Charged {
  readonly draws: readonly Draw[];
  readonly verdict: Exclude<Verdict, { kind: "unseeded" }>;
}

/** Reserve, then settle. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { counters, wallMs = Date.now, now = () => performance.now() } = options;
  const startBudgets = createBudgetStart({ ...options, now });
  const newLease = createLeaseNames();

  const charge = async (lease: string, draws: readonly Draw[]): Promise<Charged> => {
    const verdict = await counters.charge({ lease, buckets: draws.map(({ bucket }) => bucket) });
    if (verdict.kind !== "unseeded") return { draws, verdict };
    const unknown = await startBudgets(draws.filter((_, index) => verdict.indices.includes(index)));
    const checked = draws.filter((draw) => !unknown.has(draw));
    const again = await counters.charge({ lease, buckets: checked.map(({ bucket }) => bucket) });
    if (again.kind === "unseeded") throw new TypeError("a sum is still unknown after it was seeded");
    return { draws: checked, verdict: again };
  };

  return {
    async reserve(limits, estimate) {
      const wanted = bucketsFor(limits, estimate, wallMs());
      if (wanted.length === 0) return unlimited;
      const lease = newLease();
      const { draws, verdict } = await charge(lease, wanted);
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

/** Unlike those of any other replica, and of this one's other calls. */
function createLeaseNames(): () => string {
  const replica = randomUUID();
  let calls = 0;
  return () => {
    calls += 1;
    return `${replica}:${calls}`;
  };
}

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
