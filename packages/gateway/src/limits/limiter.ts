import { type BudgetStartOptions, createBudgetStart, microUsd } from "./budget-start.ts";
import {
  type BucketState,
  type Charged,
  type Counters,
  CountersUnavailable,
  notHeld,
  type Verdict,
} from "./counters.ts";
import { createDraws, type Draw, type SumDraw } from "./draws.ts";
import type { Limit } from "./limits.ts";

/** What a call will draw on its limits, before it is made. */
export interface Estimate {
  readonly tokens: number;
  /** Null: the model's price is not known, so budgets count nothing. */
  readonly costUsd: number | null;
}

/** The state of one limit after the decision, for headers. */
export type LimitState = BucketState<Draw>;

/** Room for one call, taken until it is settled. */
export interface Granted {
  readonly allowed: true;
  readonly states: readonly LimitState[];
  /** Replaces the estimate by what was used; without figures everything but the request itself is given back. Once. */
  settle(used: Estimate | undefined): void | Promise<void>;
}

/** No room; nothing was taken. */
export interface Refused {
  readonly allowed: false;
  readonly states: readonly LimitState[];
  /** The limit that makes the caller wait longest. */
  readonly strictest: LimitState;
  readonly retryAfterSeconds: number;
}

/** Takes room for a call at all of its limits, or at none. */
export interface Limiter {
  /** At once where the counters answer at once. @throws CountersUnavailable */
  reserve(limits: readonly Limit[], estimate: Estimate): Granted | Refused | Promise<Granted | Refused>;
}

/** What room is taken from, and whom to ask about budgets. */
export interface LimiterOptions extends Omit<BudgetStartOptions, "counters" | "now"> {
  readonly counters: Counters;
  /** Milliseconds since the epoch: budgets follow the calendar. */
  readonly wallMs?: () => number;
  readonly now?: () => number;
  /** The longest that one attempt of a call may last under the rules in force, in milliseconds. */
  readonly longestMs: () => number;
}

/** A store that loses its sums may do so between a sum's start and its charge; one that goes on doing so is none. */
const maxStarts = 3;

const unlimited: Granted = { allowed: true, states: [], settle: () => {} };

/** Reserve, then settle. */
export function createLimiter(options: LimiterOptions): Limiter {
  const { counters, wallMs = Date.now, now = () => performance.now(), longestMs } = options;
  const drawsOn = createDraws({ wallMs, longestMs });
  const startBudgets = createBudgetStart({ ...options, now });

  const begin = async (draws: readonly Draw[], unseeded: readonly number[]): Promise<Granted | Refused> => {
    const unchecked: LimitState[] = [];
    let [known, indices] = [draws, unseeded];
    for (let start = 1; start <= maxStarts; start += 1) {
      const sums = known.filter((draw, index): draw is SumDraw => draw.kind === "sum" && indices.includes(index));
      const unknown = await startBudgets(sums);
      unchecked.push(...sums.filter((draw) => unknown.has(draw)).map(uncharged));
      known = known.filter((draw) => !unknown.has(draw));
      const verdict = await counters.charge(known);
      if (verdict.kind === "granted") return grant(verdict, unchecked);
      if (verdict.kind === "refused") return refusal(verdict.states);
      indices = verdict.indices;
    }
    throw new CountersUnavailable("the budgets were lost each time that they had begun");
  };
  /** @param unchecked of budgets that were not known yet, and may be by the end of the call */
  const grant = (charged: Charged<Draw>, unchecked: readonly LimitState[] = []): Granted => {
    let isSettled = false;
    return {
      allowed: true,
      states: charged.states,
      settle(used) {
        if (isSettled) return undefined;
        isSettled = true;
        const done = counters.settle(charged, differences(charged.states, used));
        if (unchecked.length === 0) return done;
        const also = counters.settle({ kind: "granted", states: unchecked }, differences(unchecked, used));
        return Promise.all([done, also]).then(() => {});
      },
    };
  };
  const decide = (draws: readonly Draw[], verdict: Verdict<Draw>): Granted | Refused | Promise<Granted | Refused> => {
    switch (verdict.kind) {
      case "granted":
        return grant(verdict);
      case "refused":
        return refusal(verdict.states);
      case "unseeded":
        return begin(draws, verdict.indices);
    }
  };

  return {
    reserve(limits, estimate) {
      const draws = drawsOn(limits, estimate);
      if (draws.length === 0) return unlimited;
      const verdict = counters.charge(draws);
      return verdict instanceof Promise ? verdict.then((one) => decide(draws, one)) : decide(draws, verdict);
    },
  };
}

function refusal(states: readonly LimitState[]): Refused {
  const [first, ...rest] = states.filter(({ room }) => !room);
  if (first === undefined) throw new TypeError("a refusal without a full limit");
  const strictest = rest.reduce((worst, state) => (state.resetMs > worst.resetMs ? state : worst), first);
  return { allowed: false, states, strictest, retryAfterSeconds: Math.max(1, Math.ceil(strictest.resetMs / 1000)) };
}

function uncharged(draw: SumDraw): LimitState {
  return { bucket: { ...draw, amount: 0 }, used: 0, resetMs: 0, room: true, hold: notHeld };
}

function differences(states: readonly LimitState[], used: Estimate | undefined): number[] {
  return states.map((state) => difference(state, used));
}

/** Between what was reserved and what was used; the request itself is never given back. */
function difference({ bucket }: LimitState, used: Estimate | undefined): number {
  if (bucket.kind === "gauge" || bucket.dimension === "requests") return 0;
  if (used === undefined) return -bucket.amount;
  return (bucket.kind === "sum" ? Math.round((used.costUsd ?? 0) * microUsd) : used.tokens) - bucket.amount;
}
