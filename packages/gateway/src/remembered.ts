/**
 * A pure function of one text that keeps its last results; when there are too many it starts anew. May stand in a module:
 * it is bounded, and whoever shares it gets what he would get by himself.
 */
export function remembered<Result>(maxEntries: number, compute: (key: string) => Result): (key: string) => Result {
  const kept = new Map<string, Result>();
  return (key) => {
    const known = kept.get(key);
    if (known !== undefined) return known;
    const result = compute(key);
    if (kept.size >= maxEntries) kept.clear();
    kept.set(key, result);
    return result;
  };
}
