import type { Usage } from "../call.ts";
import type { Price } from "./prices.ts";

/** USD of a call. `price` unknown: null, never 0, so that a missing price is seen and not summed up as free. */
export function costOf(usage: Usage, price: Price | undefined): number | null {
  if (price === undefined) return null;
  const micro =
    usage.inputTokens * price.input +
    usage.outputTokens * price.output +
    usage.cacheReadTokens * price.cacheRead +
    usage.cacheWriteTokens * price.cacheWrite;
  return roundUsd(micro / 1_000_000);
}

/** Nine decimals: a thousandth of the smallest price of one token, and free of binary dust. */
export function roundUsd(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
