import type { Log } from "@onbehalf/service-kit";
import {
  BrokenCircuitError,
  ConsecutiveBreaker,
  circuitBreaker,
  handleAll,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
  wrap,
} from "cockatiel";
import { createArrears } from "./arrears.ts";
import {
  type Bucket,
  type BucketState,
  type Charged,
  type Counters,
  CountersUnavailable,
  type Verdict,
} from "./counters.ts";

interface GuardOptions {
  /** `closed`: refuse while the shared store is away. `local`: each replica grants its share by itself. */
  readonly whenUnavailable: "closed" | "local";
  /** Above 0 up to 1: the part of every limit that one replica grants alone. */
  readonly localShare: number;
  readonly timeoutMs: number;
  readonly log: Pick<Log, "warn" | "info">;
}

const failuresToOpen = 5;
const openMs = 1_000;

/**
 * Shared counters with a time limit and a breaker: while the store is slow or gone, requests wait for it no longer,
 * and what happens instead is configured.
 * @throws CountersUnavailable while it is away and the policy is `closed`
 */
export function guardedCounters(shared: Counters, local: Counters, options: GuardOptions): Counters {
  const breaker = circuitBreaker(handleAll, { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failuresToOpen) });
  const guard = wrap(breaker, timeout(options.timeoutMs, TimeoutStrategy.Aggressive));
  breaker.onBreak(() => options.log.warn({ policy: options.whenUnavailable }, "limits: the shared store is away"));
  breaker.onReset(() => options.log.info({}, "limits: the shared store is back"));
  /** What was granted here, to be settled here. */
  const grantedHere = new WeakSet<Charged>();

  const guarded = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await guard.execute(ask);
    } catch (error) {
      throw isAway(error) ? new CountersUnavailable("the shared limits cannot be asked", { cause: error }) : error;
    }
  };
  /** What the shared store counts on from now, the local one must ask the record about when its turn comes. */
  const forgetHere = (states: readonly BucketState[]): void => {
    for (const { bucket } of states) if (bucket.kind === "sum") void local.forget(bucket);
  };
  const arrears = createArrears({ shared, ask: guarded });
  /** An answer nobody waited for any more may have charged all the same. */
  const giveBack = async (verdict: Verdict<Bucket>): Promise<void> => {
    if (verdict.kind !== "granted") return;
    const nothingUsed = verdict.states.map(({ bucket }) => (bucket.kind === "gauge" ? 0 : -bucket.amount));
    await Promise.resolve(shared.settle(verdict, nothingUsed)).catch(() => arrears.unsettled(verdict));
  };
  return {
    async charge(buckets) {
      let abandoned = false;
      try {
        const verdict = await guarded(async () => {
          const answer = await shared.charge(buckets);
          if (abandoned) void giveBack(answer);
          return answer;
        });
        // The store is there now; what it does not take all the same is told it the next time.
        if (arrears.any) void arrears.settle().catch(() => {});
        if (verdict.kind !== "unseeded") forgetHere(verdict.states);
        return verdict;
      } catch (error) {
        abandoned = true;
        if (options.whenUnavailable === "closed" || !(error instanceof CountersUnavailable)) throw error;
        const verdict = await local.charge(buckets.map((bucket) => shareOf(bucket, options.localShare)));
        if (verdict.kind === "granted") {
          grantedHere.add(verdict);
          arrears.grantedHere(verdict);
        }
        return verdict;
      }
    },
    async settle(charged, deltas) {
      if (grantedHere.has(charged)) {
        await local.settle(charged, deltas);
        return arrears.settledHere(charged, deltas);
      }
      try {
        await guarded(async () => shared.settle(charged, deltas));
      } catch (error) {
        if (error instanceof CountersUnavailable) arrears.unsettled(charged);
        throw error;
      }
    },
    async seed(bucket, used) {
      // Both, since nobody knows which of them will be asked next.
      await local.seed(bucket, used);
      await guarded(() => shared.seed(bucket, used)).catch((error: unknown) => {
        if (options.whenUnavailable === "closed") throw error;
      });
    },
    async forget(bucket) {
      await local.forget(bucket);
      await guarded(async () => shared.forget(bucket));
    },
    ready: () => shared.ready(),
    async close() {
      await Promise.all([shared.close(), local.close()]);
    },
  };
}

function isAway(error: unknown): boolean {
  return (
    error instanceof BrokenCircuitError || error instanceof TaskCancelledError || error instanceof CountersUnavailable
  );
}

/** At least one, or a small limit would let nobody through. Sums are money and are not divided. */
function shareOf<B extends Bucket>(bucket: B, share: number): B {
  if (bucket.kind === "sum") return bucket;
  const max = Math.max(1, Math.floor(bucket.max * share));
  return bucket.kind === "window" ? { ...bucket, max, amount: Math.min(bucket.amount, max) } : { ...bucket, max };
}
