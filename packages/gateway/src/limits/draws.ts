import { microUsd } from "./budget-start.ts";
import type { GaugeBucket, SumBucket, WindowBucket } from "./counters.ts";
import type { Estimate } from "./limiter.ts";
import type { Budget, Limit } from "./limits.ts";
import { type PeriodSpan, periodAt } from "./period.ts";

interface WindowDraw extends WindowBucket {
  readonly dimension: "requests" | "tokens";
  readonly limit: Limit;
}

interface GaugeDraw extends GaugeBucket {
  readonly dimension: "parallel";
  readonly limit: Limit;
}

/** A budget's, in millionths of a dollar. */
export interface SumDraw extends SumBucket {
  readonly dimension: "budget";
  readonly limit: Limit;
  readonly budget: Budget;
  readonly period: PeriodSpan;
}

/** One limit's demand of one kind, as the bucket to charge. */
export type Draw = WindowDraw | GaugeDraw | SumDraw;
export type Dimension = Draw["dimension"];

const minuteMs = 60_000;
/**
 * Beyond the longest that one attempt may last, for those before it: a place is to be freed by time only where a process
 * has died. A call that lasts longer still goes on, and another may begin beside it.
 */
const leaseSlackMs = 5 * minuteMs;
/** Kept past its end, so that the last calls of a period are settled where they were reserved. */
const periodSlackMs = 5 * minuteMs;

interface DrawTimes {
  /** Milliseconds since the epoch; read only where there is a budget. */
  readonly wallMs: () => number;
  /** The longest that one attempt may last, in milliseconds; read once for each list of limits. */
  readonly longestMs: () => number;
}

/** What a list of limits asks of every call alike, and the places in it where each call asks something of its own. */
interface Outline {
  /** A budget's is of the period that was asked about last. */
  readonly draws: Draw[];
  readonly changing: readonly number[];
}

/**
 * Everything a call draws on. A reservation is at most the whole limit: a call that asks for more than a minute's tokens
 * is let through when nothing else was used, and so overshoots by itself alone. A caller's limits are the same list for
 * each of his calls: what does not change is put together once.
 */
export function createDraws(times: DrawTimes): (limits: readonly Limit[], estimate: Estimate) => readonly Draw[] {
  const outlines = new WeakMap<readonly Limit[], Outline>();
  return (limits, estimate) => {
    let outline = outlines.get(limits);
    if (outline === undefined) {
      outline = outlineOf(limits, times.longestMs());
      outlines.set(limits, outline);
    }
    return outline.changing.length === 0 ? outline.draws : filledIn(outline, estimate, times);
  };
}

function outlineOf(limits: readonly Limit[], longestMs: number): Outline {
  const draws = limits.flatMap((limit) => outlined(limit, longestMs + leaseSlackMs));
  const changing = draws.flatMap(({ dimension }, index) =>
    dimension === "tokens" || dimension === "budget" ? [index] : [],
  );
  return { draws, changing };
}

/** The outline with what this call asks for in its places. */
function filledIn({ draws: outline, changing }: Outline, estimate: Estimate, { wallMs }: DrawTimes): readonly Draw[] {
  const draws = outline.slice();
  for (const index of changing) {
    const draw = outline[index];
    if (draw?.kind === "window") draws[index] = { ...draw, amount: Math.min(estimate.tokens, draw.max) };
    if (draw?.kind !== "sum") continue;
    const nowMs = wallMs();
    const current = isWithin(draw.period, nowMs) ? draw : sumOf(draw, nowMs);
    outline[index] = current;
    draws[index] = reserved(current, estimate, nowMs);
  }
  return draws;
}

function outlined(limit: Limit, leaseMs: number): Draw[] {
  const { id, rpm, tpm, maxParallel, budget } = limit;
  const draws: Draw[] = [];
  if (rpm !== undefined) draws.push(windowed(limit, "requests", id, rpm));
  if (tpm !== undefined) draws.push(windowed(limit, "tokens", id, tpm));
  if (maxParallel !== undefined) {
    draws.push({ kind: "gauge", key: `parallel:${id}`, max: maxParallel, leaseMs, dimension: "parallel", limit });
  }
  if (budget !== undefined) draws.push(sumOf({ limit, budget, leaseMs }, 0));
  return draws;
}

function windowed(limit: Limit, dimension: WindowDraw["dimension"], id: string, max: number): WindowDraw {
  const amount = Math.min(1, max);
  return { kind: "window", key: `${dimension}:${id}`, max, amount, windowMs: minuteMs, dimension, limit };
}

function sumOf({ limit, budget, leaseMs }: Pick<SumDraw, "limit" | "budget" | "leaseMs">, nowMs: number): SumDraw {
  const period = periodAt(budget.period, nowMs);
  const key = `budget:${period.id}:${limit.id}`;
  const max = Math.round(budget.usd * microUsd);
  const amounts = { max, amount: 0, remainingMs: 0, leaseMs };
  return { kind: "sum", key, ...amounts, dimension: "budget", limit, budget, period };
}

function isWithin({ start, end }: PeriodSpan, nowMs: number): boolean {
  return nowMs >= start && nowMs < end;
}

function reserved(draw: SumDraw, { costUsd }: Estimate, nowMs: number): SumDraw {
  const amount = Math.min(Math.max(1, Math.round((costUsd ?? 0) * microUsd)), draw.max);
  return { ...draw, amount, remainingMs: draw.period.end - nowMs + periodSlackMs };
}
