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
  settle(used: Estimate | undefined): void | Promise<void>;
}

export interface Refused {
  readonly allowed: false;
  readonly states: readonly LimitState[];
  /** The limit that makes the caller wait longest. */
  readonly strictest: LimitState;
  readonly retryAfterSeconds: number;
}

export interface Limiter {
  /** At once where the counters answer at once. @throws CountersUnavailable */
  reserve(limits: readonly Limit[], estimate: Estimate): Granted | Refused | Promise<Granted | Refused>;
}

export interface LimiterOptions extends Omit<BudgetStartOptions, "counters" | "now"> {
  readonly counters: Counters;
  /** Milliseconds since the epoch: budgets follow the calendar. */
  readonly wallMs?: () => number;
  readonly now?: () => number;
}

const unlimited: Granted = { allowed: true, states: [], settle: () => {} };

interface Charged {
  readonly draws: readonly Draw[];
  readonly verdict: Exclude<Verdict, { kind: "unseeded" }>;
}

/** Reserve, then settle. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { counters, wallMs = Date.now, now = () => performance.now() } = options;
  const startBudgets = createBudgetStart({ ...options, now });
  const newLease = createLeaseNames();

  const begin = async (lease: string, draws: readonly Draw[], indices: readonly number[]): Promise<Charged> => {
    const unknown = await startBudgets(draws.filter((_, index) => indices.includes(index)));
    const checked = draws.filter((draw) => !unknown.has(draw));
    const again = await counters.charge({ lease, buckets: checked.map(bucketOf) });
    if (again.kind === "unseeded") throw new TypeError("a sum is still unknown after it was seeded");
    return { draws: checked, verdict: again };
  };
  const outcome = (lease: string, { draws, verdict }: Charged): Granted | Refused => {
    const states = draws.map((draw, index) => stateOf(draw, verdict.states[index]));
    if (verdict.kind === "refused") return refusal(states, verdict.states);
    const settle = once((used) => counters.settle({ lease, corrections: correct(draws, verdict.states, used) }));
    return { allowed: true, states, settle };
  };
  const decide = (
    lease: string,
    draws: readonly Draw[],
    verdict: Verdict,
  ): Granted | Refused | Promise<Granted | Refused> =>
    verdict.kind === "unseeded"
      ? begin(lease, draws, verdict.indices).then((charged) => outcome(lease, charged))
      : outcome(lease, { draws, verdict });

  return {
    reserve(limits, estimate) {
      const wanted = bucketsFor(limits, estimate, wallMs());
      if (wanted.length === 0) return unlimited;
      const lease = newLease();
      const verdict = counters.charge({ lease, buckets: wanted.map(bucketOf) });
      return verdict instanceof Promise
        ? verdict.then((one) => decide(lease, wanted, one))
        : decide(lease, wanted, verdict);
    },
  };
}

function bucketOf({ bucket }: Draw): Draw["bucket"] {
  return bucket;
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
  const corrections: Correction[] = [];
  for (const [index, { bucket, dimension }] of draws.entries()) {
    if (dimension === "requests") continue;
    const window = states[index]?.window ?? "";
    const delta = bucket.kind === "gauge" ? 0 : realAmount(bucket, used) - bucket.amount;
    if (bucket.kind === "gauge" || delta !== 0) corrections.push({ bucket, window, delta });
  }
  return corrections;
}

function realAmount(bucket: { readonly kind: "window" } | SumBucket, used: Estimate | undefined): number {
  if (used === undefined) return 0;
  return bucket.kind === "sum" ? Math.round((used.costUsd ?? 0) * microUsd) : used.tokens;
}

function once(settle: Granted["settle"]): Granted["settle"] {
  let settled = false;
  return (used) => {
    if (settled) return;
    settled = true;
    return settle(used);
  };
}
