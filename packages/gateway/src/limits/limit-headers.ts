import type { DialectName } from "../call.ts";
import type { Dimension } from "./draws.ts";
import type { LimitState } from "./limiter.ts";

/** Whose client reads them: Anthropic's SDKs know other names. */
export type HeaderReader = "openai" | "anthropic";

/** Which provider's names a client reads its limits by; all but Anthropic's read OpenAI's. */
export function headerReader(dialect: DialectName): HeaderReader {
  return dialect === "anthropic" ? "anthropic" : "openai";
}

/**
 * The rate-limit headers about the strictest limit of each kind: `x-ratelimit-*` for everybody, and what Anthropic's
 * clients look for only for them, because each header costs every answer. Pure.
 * @param nowMs milliseconds since the epoch
 */
export function limitHeaders(
  states: readonly LimitState[],
  nowMs: number,
  reader: HeaderReader,
): Record<string, string> {
  const headers: Record<string, string> = {};
  addRequests(headers, strictest(states, "requests"), nowMs, reader);
  addTokens(headers, strictest(states, "tokens"), nowMs, reader);
  const warned = budgetWarnings(states);
  if (warned.length > 0) headers["x-onbehalf-budget-warning"] = warned.map(warning).join("; ");
  return headers;
}

// The names are written out, twice: V8 finds a property by a name it knows, and looks for one it has to be told.
function addRequests(
  headers: Record<string, string>,
  state: LimitState | undefined,
  nowMs: number,
  reader: HeaderReader,
): void {
  if (state === undefined) return;
  const remaining = remainingOf(state);
  headers["x-ratelimit-limit-requests"] = String(state.bucket.max);
  headers["x-ratelimit-remaining-requests"] = remaining;
  headers["x-ratelimit-reset-requests"] = duration(state.resetMs);
  if (reader !== "anthropic") return;
  headers["anthropic-ratelimit-requests-limit"] = String(state.bucket.max);
  headers["anthropic-ratelimit-requests-remaining"] = remaining;
  headers["anthropic-ratelimit-requests-reset"] = momentOf(nowMs, state);
}

function addTokens(
  headers: Record<string, string>,
  state: LimitState | undefined,
  nowMs: number,
  reader: HeaderReader,
): void {
  if (state === undefined) return;
  const remaining = remainingOf(state);
  headers["x-ratelimit-limit-tokens"] = String(state.bucket.max);
  headers["x-ratelimit-remaining-tokens"] = remaining;
  headers["x-ratelimit-reset-tokens"] = duration(state.resetMs);
  if (reader !== "anthropic") return;
  headers["anthropic-ratelimit-tokens-limit"] = String(state.bucket.max);
  headers["anthropic-ratelimit-tokens-remaining"] = remaining;
  headers["anthropic-ratelimit-tokens-reset"] = momentOf(nowMs, state);
}

function remainingOf({ bucket, used }: LimitState): string {
  return String(Math.max(0, bucket.max - used));
}

function momentOf(nowMs: number, { resetMs }: LimitState): string {
  return new Date(nowMs + Math.max(0, resetMs)).toISOString();
}

/** The budgets of which less is left than their warning share. */
export function budgetWarnings(states: readonly LimitState[]): readonly LimitState[] {
  return states.some(isBudget) ? states.filter(isNearlyUsedUp) : none;
}

function isBudget({ bucket }: LimitState): boolean {
  return bucket.dimension === "budget";
}

function isNearlyUsedUp({ bucket, used }: LimitState): boolean {
  return bucket.dimension === "budget" && used >= bucket.max * bucket.budget.warnAt;
}

const none: readonly LimitState[] = [];

function warning({ bucket: { limit, max }, used }: LimitState): string {
  const share = Math.floor((used / max) * 100);
  // A header is ASCII: a name that is not is shown escaped.
  return `${encodeURIComponent(limit.name.toWellFormed()).replaceAll("%20", " ").replaceAll("%40", "@")} has used ${share} % of its ${limit.budget?.period} budget`;
}

function strictest(states: readonly LimitState[], kind: Dimension): LimitState | undefined {
  let found: LimitState | undefined;
  for (const state of states) {
    if (state.bucket.dimension === kind && (found === undefined || share(state) < share(found))) found = state;
  }
  return found;
}

function share({ bucket: { max }, used }: LimitState): number {
  return (max - used) / max;
}

/** As OpenAI writes it: `1s`, `6m0s`, `120ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(Math.max(0, ms))}ms`;
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
