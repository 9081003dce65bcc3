import { z } from "zod";
import type { RecordQueries, RowFilter, SpendLine } from "../record/queries.ts";
import type { ChainedRow } from "../record/row.ts";
import type { StageContext } from "../stages.ts";
import { readableBy } from "./readable.ts";
import { type FlushRecorder, untilRecorded } from "./recorded.ts";
import { moment, text } from "./text.ts";

interface SpendOptions {
  readonly queries: RecordQueries;
  readonly recorder: FlushRecorder;
}

type Handler = (c: StageContext) => Promise<Response>;

const dayMs = 86_400_000;
const maxLines = 10_000;

const when = moment().optional();
const name = text(300).optional();
const logsQuery = z.object({
  start_date: when,
  end_date: when,
  request_id: name,
  user_id: name,
  api_key: name,
  summarize: z.enum(["true", "false"]).default("true"),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
});
const groups = ["day", "model", "user", "team", "key", "app"] as const;
const reportQuery = z.object({
  group_by: z
    .string()
    .default("day,model")
    .transform((text) => [...new Set(text.split(","))])
    .pipe(z.array(z.enum(groups)).max(groups.length)),
  start_date: when,
  end_date: when,
  from: when,
  until: when,
  user_id: name,
  team_id: name,
  model: name,
});

/** What was spent: row by row or by day in LiteLLM's fields, and as sums by day, model, user, team, key, app. */
export function spendRoutes({ queries, recorder }: SpendOptions): Readonly<Record<string, Handler>> {
  return {
    "GET /spend/logs": async (c) => {
      const asked = logsQuery.parse(c.req.query());
      await untilRecorded(recorder);
      const filter: RowFilter = {
        readable: readableBy(c.env.caller),
        requestId: asked.request_id,
        userId: asked.user_id,
        keyId: asked.api_key,
        ...spanOf(asked),
      };
      if (asked.start_date === undefined || asked.summarize === "false") {
        return c.json((await queries.rows(filter, asked)).map(logView));
      }
      return c.json(byDay(await queries.spend(filter, ["day", "model", "user"], maxLines)));
    },
    "GET /spend/report": async (c) => {
      const asked = reportQuery.parse(c.req.query());
      await untilRecorded(recorder);
      const filter: RowFilter = {
        readable: readableBy(c.env.caller),
        userId: asked.user_id,
        teamId: asked.team_id,
        model: asked.model,
        ...spanOf({ start_date: asked.start_date ?? asked.from, end_date: asked.end_date ?? asked.until }),
      };
      return c.json({ group_by: asked.group_by, rows: await queries.spend(filter, asked.group_by, maxLines) });
    },
  };
}

/** A day as the end of a span belongs to it. */
function spanOf({
  start_date: start,
  end_date: end,
}: {
  start_date?: string | undefined;
  end_date?: string | undefined;
}) {
  return {
    from: start === undefined ? undefined : new Date(start).toISOString(),
    until: end === undefined ? undefined : new Date(Date.parse(end) + (end.length === 10 ? dayMs : 0)).toISOString(),
  };
}

/** One request as LiteLLM logs it. */
function logView(row: ChainedRow): Record<string, unknown> {
  return {
    request_id: row.request_id,
    call_type: row.route,
    api_key: row.key_id,
    spend: row.cost_usd,
    total_tokens: row.tokens,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    startTime: row.request_time,
    endTime: new Date(Date.parse(row.request_time) + row.duration_ms).toISOString(),
    model: row.provider_model,
    model_group: row.model,
    user: row.user_id,
    team_id: row.team_id,
    status: row.outcome,
    metadata: { trace_id: row.trace_id, http_status: row.status, error_code: row.error_code },
  };
}

interface Day {
  spend: number;
  readonly users: Sums;
  readonly models: Sums;
}

/** Anybody may be called as a property of every object is. */
type Sums = Map<string, number>;

/** LiteLLM's summary: per day the sum, and the shares of users and models. */
function byDay(lines: readonly SpendLine[]): readonly Record<string, unknown>[] {
  const days = new Map<string, Day>();
  for (const { group, cost_usd: cost } of lines) {
    const name = group.day ?? "";
    const day = days.get(name) ?? { spend: 0, users: new Map(), models: new Map() };
    day.spend += cost;
    addTo(day.users, group.user, cost);
    addTo(day.models, group.model, cost);
    days.set(name, day);
  }
  return [...days]
    .sort(([one], [other]) => one.localeCompare(other))
    .map(([startTime, { spend, users, models }]) => ({
      startTime,
      spend,
      users: Object.fromEntries(users),
      models: Object.fromEntries(models),
    }));
}

function addTo(sums: Sums, name: string | null | undefined, cost: number): void {
  if (name !== null && name !== undefined) sums.set(name, (sums.get(name) ?? 0) + cost);
}
