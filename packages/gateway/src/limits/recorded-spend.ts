import type { BudgetStartOptions } from "./budget-start.ts";

interface RecordedSpendOptions {
  /** How many rows of this process are not in the record yet. Where there are none, nothing is waited for. */
  readonly waiting: () => number;
  /** Until this process's rows are in the record. @returns whether they are */
  readonly flush: (timeoutMs: number) => Promise<boolean>;
  readonly spentUsd: BudgetStartOptions["spentUsd"];
}

/** As long as others who read the record wait for it. */
const flushMs = 3_000;

/**
 * What was spent, this process's own rows included, which come to the record late. A record that stood still answers a
 * question before it has taken the rows that waited: it is asked again then. One that takes none is believed.
 */
export function recordedSpend({ waiting, flush, spentUsd }: RecordedSpendOptions): BudgetStartOptions["spentUsd"] {
  return async (limit, sinceMs) => {
    const recorded = waiting() === 0 || (await flush(flushMs));
    const spent = await spentUsd(limit, sinceMs);
    return !recorded && (await flush(flushMs)) ? spentUsd(limit, sinceMs) : spent;
  };
}
