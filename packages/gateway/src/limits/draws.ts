import { microUsd } from "./budget-start.ts";
import type { Bucket } from "./counters.ts";
import type { Estimate } from "./limiter.ts";
import type { Limit } from "./limits.ts";
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
  return limits.flatMap((limit) => [...windows(limit, estimate), ...gauge(limit), ...sum(limit, estimate, nowMs)]);
}

function windows(limit: Limit, { tokens }: Estimate): readonly Draw[] {
  const draw = (dimension: "requests" | "tokens", max: number | undefined, amount: number): readonly Draw[] => {
    if (max === undefined) return [];
    const bucket: Bucket = {
      kind: "window",
      key: `${dimension}:${limit.id}`,
      max,
      amount: Math.min(amount, max),
      windowMs: minuteMs,
    };
    return [{ limit, dimension, bucket, period: undefined }];
  };
  return [...draw("requests", limit.rpm, 1), ...draw("tokens", limit.tpm, tokens)];
}

function gauge(limit: Limit): readonly Draw[] {
  if (limit.maxParallel === undefined) return [];
  const bucket: Bucket = { kind: "gauge", key: `parallel:${limit.id}`, max: limit.maxParallel, leaseMs };
  return [{ limit, dimension: "parallel", bucket, period: undefined }];
}

function sum(limit: Limit, { costUsd }: Estimate, nowMs: number): readonly Draw[] {
  if (limit.budget === undefined) return [];
  const period = periodAt(limit.budget.period, nowMs);
  const max = Math.round(limit.budget.usd * microUsd);
  const amount = Math.min(Math.max(1, Math.round((costUsd ?? 0) * microUsd)), max);
  const remainingMs = period.end - nowMs + periodSlackMs;
  const key = `budget:${period.id}:${limit.id}`;
  return [{ limit, dimension: "budget", bucket: { kind: "sum", key, max, amount, remainingMs }, period }];
}
