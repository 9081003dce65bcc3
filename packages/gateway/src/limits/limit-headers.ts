import type { Dimension } from "./draws.ts";
import type { LimitState } from "./limiter.ts";

/**
 * The rate-limit headers of both dialects' SDKs, about the strictest limit of each kind. Pure.
 * @param nowMs milliseconds since the epoch
 */
export function limitHeaders(states: readonly LimitState[], nowMs: number): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const kind of ["requests", "tokens"] as const) {
    const state = strictest(states, kind);
    if (state === undefined) continue;
    const remaining = String(Math.max(0, state.max - state.used));
    const resetMs = Math.max(0, state.resetMs);
    headers[`x-ratelimit-limit-${kind}`] = String(state.max);
    headers[`x-ratelimit-remaining-${kind}`] = remaining;
    headers[`x-ratelimit-reset-${kind}`] = duration(resetMs);
    headers[`anthropic-ratelimit-${kind}-limit`] = String(state.max);
    headers[`anthropic-ratelimit-${kind}-remaining`] = remaining;
    headers[`anthropic-ratelimit-${kind}-reset`] = new Date(nowMs + resetMs).toISOString();
  }
  const warned = budgetWarnings(states);
  if (warned.length > 0) headers["x-onbehalf-budget-warning"] = warned.map(warning).join("; ");
  return headers;
}

/** The budgets of which less is left than their warning share. */
export function budgetWarnings(states: readonly LimitState[]): readonly LimitState[] {
  return states.filter(
    ({ dimension, limit, used, max }) => dimension === "budget" && used >= max * (limit.budget?.warnAt ?? 1),
  );
}

function warning({ limit, used, max }: LimitState): string {
  const share = Math.floor((used / max) * 100);
  // A header is ASCII: a name that is not is shown escaped.
  return `${encodeURIComponent(limit.name.toWellFormed()).replaceAll("%20", " ").replaceAll("%40", "@")} has used ${share} % of its ${limit.budget?.period} budget`;
}

function strictest(states: readonly LimitState[], kind: Dimension): LimitState | undefined {
  let found: LimitState | undefined;
  for (const state of states) {
    if (state.dimension === kind && (found === undefined || share(state) < share(found))) found = state;
  }
  return found;
}

function share({ max, used }: LimitState): number {
  return (max - used) / max;
}

/** As OpenAI writes it: `1s`, `6m0s`, `120ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
