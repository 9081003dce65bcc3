import { within } from "@onbehalf/service-kit";
import type { Counters } from "./counters.ts";
import type { SumDraw } from "./draws.ts";
import type { Limit } from "./limits.ts";

/** Budgets are counted in millionths of a dollar, as whole numbers. */
export const microUsd = 1_000_000;

/** Where a budget's sum so far is found, and where it goes. */
export interface BudgetStartOptions {
  readonly counters: Pick<Counters, "seed">;
  /** What was spent against a budget so far, from the record. Rejects when the record cannot be asked. */
  readonly spentUsd: (limit: Limit, sinceMs: number) => Promise<number>;
  /** Told when a budget goes unchecked because the record is away. */
  readonly onUnchecked: (limit: Limit, error: unknown) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** After a failure the record is left alone for so long: a request must not wait for a database that is away. */
const restMs = 2_000;
/** Nor for one that is locked or stands still; what it says later is taken up then. */
const patienceMs = 2_000;

/**
 * Lets sums begin with what the record says was spent. Many requests at once ask once. While the record is away a
 * budget nobody knows yet is not checked, and that is said: a lost database must not turn users away.
 * @returns the draws whose start stays unknown
 */
export function createBudgetStart({ counters, spentUsd, onUnchecked, now }: BudgetStartOptions) {
  const asked = new Map<string, Promise<void>>();
  let restUntil = Number.NEGATIVE_INFINITY;

  const start = async (draw: SumDraw): Promise<void> => {
    const spent = await spentUsd(draw.limit, draw.period.start);
    await counters.seed(draw, Math.round(spent * microUsd));
  };
  const oneFlight = (draw: SumDraw): Promise<void> => {
    const { key } = draw;
    const flight = asked.get(key) ?? start(draw).finally(() => asked.delete(key));
    asked.set(key, flight);
    return flight;
  };
  return async (draws: readonly SumDraw[]): Promise<ReadonlySet<unknown>> => {
    const unknown = new Set<unknown>();
    await Promise.all(
      draws.map(async (draw) => {
        try {
          if (now() < restUntil) throw new Error("the record was away a moment ago");
          await inTime(oneFlight(draw));
        } catch (error) {
          if (now() >= restUntil) restUntil = now() + restMs;
          unknown.add(draw);
          onUnchecked(draw.limit, error);
        }
      }),
    );
    return unknown;
  };
}

function inTime(answer: Promise<void>): Promise<void> {
  const late = () => Promise.reject(new Error(`the record gave no answer within ${patienceMs} ms`));
  return within(answer, patienceMs, late);
}
