import { z } from "zod";
import { text } from "../admin/text.ts";
import type { Budget } from "../limits/limits.ts";
import type { Period } from "../limits/period.ts";

const name = text(200);
const names = z.array(name).max(200);
const whole = z.number().int().positive().max(2_000_000_000);
const dollars = z
  .number("expected a number of US dollars")
  .positive("expected more than 0 US dollars. A key that may spend nothing is blocked: true.");

/** What can be said about a key, in LiteLLM's fields. What would restrict a key and is not known here is refused. */
const keyFields = {
  key_alias: name.nullish(),
  duration: z.string().max(20).nullish(),
  user_id: name.nullish(),
  team_id: name.nullish(),
  models: names.nullish(),
  allowed_routes: names.nullish(),
  key_type: z.enum(["default", "llm_api", "management", "read_only"]).nullish(),
  user_role: name.nullish(),
  max_budget: dollars.nullish(),
  soft_budget: dollars.nullish(),
  budget_duration: z.string().max(20).nullish(),
  rpm_limit: whole.nullish(),
  tpm_limit: whole.nullish(),
  max_parallel_requests: whole.nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  blocked: z.boolean().nullish(),
  /** Accepted for LiteLLM's clients, without effect. */
  tags: z.array(z.string()).nullish(),
  key_name: z.string().nullish(),
  send_invite_email: z.boolean().nullish(),
};

/** `POST /key/generate`, LiteLLM's fields. */
export const generateRequest = z.strictObject(keyFields);
/** `POST /key/update`: what is left out stays as it is. */
export const updateRequest = z.strictObject({ key: name, ...keyFields });
/** `POST /key/regenerate`. */
export const regenerateRequest = z.strictObject({
  key: name,
  /** How long the old key goes on working: `24h`; `0s` ends it at once. */
  grace_period: z.string().max(20).default("24h"),
});
/** `POST /key/block` and `/key/unblock`. */
export const keyRequest = z.strictObject({ key: name });
/** `POST /key/delete`, by key or by alias. */
export const deleteRequest = z
  .strictObject({ keys: names.default([]), key_aliases: names.default([]) })
  .refine(
    ({ keys, key_aliases: aliases }) => keys.length + aliases.length > 0,
    "name at least one key, in keys or key_aliases",
  );

export type KeyFields = z.output<typeof generateRequest>;

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  mo: 2_592_000_000,
};

/** `30s`, `30m`, `30h`, `30d`, `4w`, `1mo` in milliseconds; undefined for anything else. */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})(s|mo|m|h|d|w)$/.exec(text) ?? [];
  const ms = unit === undefined ? undefined : unitMs[unit];
  return ms === undefined ? undefined : Number(count) * ms;
}

const periods: Readonly<Record<string, Period>> = {
  "1d": "day",
  "24h": "day",
  day: "day",
  daily: "day",
  "7d": "week",
  "1w": "week",
  week: "week",
  weekly: "week",
  "30d": "month",
  "31d": "month",
  "1mo": "month",
  month: "month",
  monthly: "month",
};

/** LiteLLM's `budget_duration` as a calendar period; undefined for one the calendar has not. */
export function budgetPeriod(text: string | null | undefined): Period | undefined {
  return text === null || text === undefined ? "month" : Object.hasOwn(periods, text) ? periods[text] : undefined;
}

/** The words in which a period is given back. */
export const periodDuration: Readonly<Record<Period, string>> = { day: "1d", week: "7d", month: "30d" };

/** Undefined when the request names no budget. */
export function budgetOf({ max_budget: usd, soft_budget: soft }: KeyFields, period: Period): Budget | undefined {
  if (usd === null || usd === undefined) return undefined;
  return { usd, period, warnAt: soft === null || soft === undefined ? 0.8 : Math.min(1, soft / usd) };
}
