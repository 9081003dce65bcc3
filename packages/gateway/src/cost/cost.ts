import type { Usage } from "../call.ts";
import type { Price, Rates } from "./prices.ts";

/** USD of a call. `price` unknown: null, never 0, so that a missing price is seen and not summed up as free. */
export function costOf(usage: Usage, price: Price | undefined): number | null {
  if (price === undefined) return null;
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, cacheWriteHourTokens = 0 } = usage;
  const { above } = price;
  const promptTokens = inputTokens + cacheReadTokens + cacheWriteTokens;
  const rates: Rates = above !== undefined && promptTokens > above.promptTokens ? above.price : price;
  const hour = Math.min(cacheWriteHourTokens, cacheWriteTokens);
  const micro =
    inputTokens * rates.input +
    outputTokens * rates.output +
    cacheReadTokens * rates.cacheRead +
    (cacheWriteTokens - hour) * rates.cacheWrite +
    hour * rates.cacheWriteHour;
  return roundUsd(micro / 1_000_000);
}

/** Nine decimals: a thousandth of the smallest price of one token, and free of binary dust. */
function roundUsd(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}
