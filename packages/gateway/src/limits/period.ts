/** By the calendar in UTC; weeks begin on Monday. */
export type Period = "day" | "week" | "month";

/** One day, week or month. */
export interface PeriodSpan {
  /** Names the span, for example `2026-11-22`, `2026-W47`, `2026-11`. */
  readonly id: string;
  /** Milliseconds since the epoch, UTC; `end` is the first moment that no longer belongs to it. */
  readonly start: number;
  readonly end: number;
}

const dayMs = 86_400_000;

/** The calendar span that a moment lies in. UTC; weeks begin on Monday (ISO 8601). */
export function periodAt(period: Period, nowMs: number): PeriodSpan {
  const now = new Date(nowMs);
  const [year, month, date] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  if (period === "month") {
    const start = Date.UTC(year, month, 1);
    return { id: new Date(start).toISOString().slice(0, 7), start, end: Date.UTC(year, month + 1, 1) };
  }
  const today = Date.UTC(year, month, date);
  if (period === "day") return { id: new Date(today).toISOString().slice(0, 10), start: today, end: today + dayMs };
  const monday = today - ((now.getUTCDay() + 6) % 7) * dayMs;
  return { id: isoWeek(monday), start: monday, end: monday + 7 * dayMs };
}

/** A week belongs to the year its Thursday is in. */
function isoWeek(monday: number): string {
  const thursday = new Date(monday + 3 * dayMs);
  const first = Date.UTC(thursday.getUTCFullYear(), 0, 1);
  const week = Math.floor((thursday.getTime() - first) / (7 * dayMs)) + 1;
  return `${thursday.getUTCFullYear()}-W${String(week).padStart(2, "0")}`;
}
