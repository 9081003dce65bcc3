import type { DialectName } from "../call.ts";
import type { Dimension } from "./draws.ts";
import type { LimitState } from "./limiter.ts";

/** Whose client reads them: Anthropic's SDKs know other names. */
export type HeaderReader = "openai" | "anthropic";

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
  addKind(headers, strictest(states, "requests"), requestNames, nowMs, reader);
  addKind(headers, strictest(states, "tokens"), tokenNames, nowMs, reader);
  const warned = budgetWarnings(states);
  if (warned.length > 0) headers["x-onbehalf-budget-warning"] = warned.map(warning).join("; ");
  return headers;
}

const requestNames = namesOf("requests");
const tokenNames = namesOf("tokens");

function namesOf(kind: Dimension) {
  return {
    limit: `x-ratelimit-limit-${kind}`,
    remaining: `x-ratelimit-remaining-${kind}`,
    reset: `x-ratelimit-reset-${kind}`,
    anthropicLimit: `anthropic-ratelimit-${kind}-limit`,
    anthropicRemaining: `anthropic-ratelimit-${kind}-remaining`,
    anthropicReset: `anthropic-ratelimit-${kind}-reset`,
  };
}

function addKind(
  headers: Record<string, string>,
  state: LimitState | undefined,
  names: ReturnType<typeof namesOf>,
  nowMs: number,
  reader: HeaderReader,
): void {
  if (state === undefined) return;
  const remaining = String(Math.max(0, state.max - state.used));
  const resetMs = Math.max(0, state.resetMs);
  headers[names.limit] = String(state.max);
  headers[names.remaining] = remaining;
  headers[names.reset] = duration(resetMs);
  if (reader !== "anthropic") return;
  headers[names.anthropicLimit] = String(state.max);
  headers[names.anthropicRemaining] = remaining;
  headers[names.anthropicReset] = new Date(nowMs + resetMs).toISOString();
}

/** The budgets of which less is left than their warning share. */
export function budgetWarnings(states: readonly LimitState[]): readonly LimitState[] {
  if (!states.some(({ dimension }) => dimension === "budget")) return none;
  return states.filter(
    ({ dimension, limit, used, max }) => dimension === "budget" && used >= max * (limit.budget?.warnAt ?? 1),
  );
}

const none: readonly LimitState[] = [];

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
