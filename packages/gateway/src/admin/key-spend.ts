import type { VirtualKey } from "../keys/virtual-key.ts";
import { periodAt } from "../limits/period.ts";
import type { RecordQueries } from "../record/queries.ts";
import { keyView } from "./key-view.ts";

/**
 * The views of these keys, each with what it has spent: in the running period of its budget, and without a budget
 * since it was made. One question for each period there is, however many keys.
 */
export async function viewsWithSpend(
  keys: readonly VirtualKey[],
  queries: Pick<RecordQueries, "spentByKeys">,
  nowMs: number,
): Promise<readonly Record<string, unknown>[]> {
  const sinceOf = ({ limits: { budget } }: VirtualKey) =>
    budget === undefined ? 0 : periodAt(budget.period, nowMs).start;
  const spent = new Map<string, number>();
  for (const [since, together] of Map.groupBy(keys, sinceOf)) {
    const ids = together.map(({ id }) => id);
    for (const [id, usd] of await queries.spentByKeys(ids, since)) spent.set(id, usd);
  }
  return keys.map((key) => keyView(key, spent.get(key.id) ?? 0, nowMs));
}
