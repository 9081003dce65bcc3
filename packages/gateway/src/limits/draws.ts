import { microUsd } from "./budget-start.ts";
import type { Bucket } from "./counters.ts";
import type { Estimate } from "./limiter.ts";
import type { Budget, Limit } from "./limits.ts";
import { type PeriodSpan, periodAt } from "./period.ts";

export type Dimension = "requests" | "tokens" | "parallel" | "budget";

/** One limit's demand of one kind, as a bucket to charge. */
export interface Draw {
  readonly limit: Limit;
  readonly dimension: Dimension;
  readonly bucket: Bucket;
  readonly period: PeriodSpan | undefined;
}

const minuteMs = 60_000;
/** Longer than any call may last; only a call whose process died is freed by it. */
const leaseMs = 15 * minuteMs;
/** Kept past its end, so that the last calls of a period are settled where they were reserved. */
const periodSlackMs = 5 * minuteMs;

/**
 * Everything a call draws on. Pure. A reservation is at most the whole limit: a call that asks for more than a minute's
 * tokens is let through when nothing else was used, and so overshoots by itself alone.
 */
export function bucketsFor(limits: readonly Limit[], estimate: Estimate, nowMs: number): readonly Draw[] {
  const draws: Draw[] = [];
  for (const limit of limits) {
    const { requests, tokens, parallel } = fixedOf(limit);
    if (requests !== undefined) draws.push(requests);
    if (tokens !== undefined) draws.push(windowed(limit, "tokens", tokens.key, tokens.max, estimate.tokens));
    if (parallel !== undefined) draws.push(parallel);
    if (limit.budget !== undefined) draws.push(sum(limit, limit.budget, estimate, nowMs));
  }
  return draws;
}

/** What a limit asks of every call alike. */
interface Fixed {
  readonly requests: Draw | undefined;
  readonly tokens: { readonly key: string; readonly max: number } | undefined;
  readonly parallel: Draw | undefined;
}

/** A caller's limits are the same objects for each of his calls: what does not change is put together once. */
const known = new WeakMap<Limit, Fixed>();

function fixedOf(limit: Limit): Fixed {
  const before = known.get(limit);
  if (before !== undefined) return before;
  const { id, rpm, tpm, maxParallel } = limit;
  const fixed = {
    requests: rpm === undefined ? undefined : windowed(limit, "requests", `requests:${id}`, rpm, 1),
    tokens: tpm === undefined ? undefined : { key: `tokens:${id}`, max: tpm },
    parallel: maxParallel === undefined ? undefined : gauge(limit, `parallel:${id}`, maxParallel),
  };
  known.set(limit, fixed);
  return fixed;
}

function windowed(limit: Limit, dimension: "requests" | "tokens", key: string, max: number, amount: number): Draw {
  const bucket: Bucket = { kind: "window", key, max, amount: Math.min(amount, max), windowMs: minuteMs };
  return { limit, dimension, bucket, period: undefined };
}

function gauge(limit: Limit, key: string, max: number): Draw {
  return { limit, dimension: "parallel", bucket: { kind: "gauge", key, max, leaseMs }, period: undefined };
}

function sum(limit: Limit, { usd, period: name }: Budget, { costUsd }: Estimate, nowMs: number): Draw {
  const period = periodAt(name, nowMs);
  const max = Math.round(usd * microUsd);
  const amount = Math.min(Math.max(1, Math.round((costUsd ?? 0) * microUsd)), max);
  const remainingMs = period.end - nowMs + periodSlackMs;
  const key = `budget:${period.id}:${limit.id}`;
  return { limit, dimension: "budget", bucket: { kind: "sum", key, max, amount, remainingMs }, period };
}
