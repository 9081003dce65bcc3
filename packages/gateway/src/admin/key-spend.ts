import type { VirtualKey } from "../keys/virtual-key.ts";
import { periodAt } from "../limits/period.ts";
import type { RecordQueries } from "../record/queries.ts";
import { keyView } from "./key-view.ts";

/**
 * The views of these keys, each with what it and those before it have spent: in the running period of its budget, and
 * without a budget since the first was made. One question for each period there is, however many keys.
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
    const ids = new Set(together.flatMap(allOf));
    const found = await queries.spentByKeys([...ids], since);
    for (const key of together)
      spent.set(
        key.id,
        allOf(key).reduce((sum, id) => sum + (found.get(id) ?? 0), 0),
      );
  }
  return keys.map((key) => keyView(key, spent.get(key.id) ?? 0, nowMs));
}

function allOf({ id, former }: VirtualKey): readonly string[] {
  return [...former, id];
}
