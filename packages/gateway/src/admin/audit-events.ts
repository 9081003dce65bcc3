import { z } from "zod";
import type { RecordQueries } from "../record/queries.ts";
import type { StageContext } from "../stages.ts";
import { exportRows } from "./export.ts";
import { readableBy } from "./readable.ts";
import { type FlushRecorder, untilRecorded } from "./recorded.ts";
import { moment, text } from "./text.ts";

const when = moment().transform((value) => new Date(value).toISOString());
const name = text(300);

const rowQuery = z.object({
  trace: name.optional(),
  trace_id: name.optional(),
  request_id: name.optional(),
  user: name.optional(),
  user_id: name.optional(),
  team_id: name.optional(),
  key_id: name.optional(),
  model: name.optional(),
  outcome: z.enum(["ok", "denied", "limited", "error", "aborted"]).optional(),
  from: when.optional(),
  until: when.optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).default(0),
  format: z.enum(["json", "jsonl", "csv"]).default("json"),
});

interface AuditOptions {
  readonly queries: RecordQueries;
  readonly recorder: FlushRecorder;
}

/** `GET /audit/events`: the caller's own events; a team's to the team; everyone's to administrators. Newest first. */
export function auditEvents({ queries, recorder }: AuditOptions) {
  return async (c: StageContext): Promise<Response> => {
    const asked = rowQuery.parse(c.req.query());
    await untilRecorded(recorder);
    const filter = {
      readable: readableBy(c.env.caller),
      traceId: asked.trace ?? asked.trace_id,
      requestId: asked.request_id,
      userId: asked.user ?? asked.user_id,
      teamId: asked.team_id,
      keyId: asked.key_id,
      model: asked.model,
      outcome: asked.outcome,
      from: asked.from,
      until: asked.until,
    };
    if (asked.format !== "json") return exportRows(c, queries, filter, asked.format);
    const events = (await queries.rows(filter, asked)).map(eventOf);
    return c.json({ events, limit: asked.limit, offset: asked.offset });
  };
}

type StoredRow = Awaited<ReturnType<RecordQueries["rows"]>>[number];

/** The row with its lists as lists. */
function eventOf(row: StoredRow): Record<string, unknown> {
  return {
    ...row,
    actors: JSON.parse(row.actors),
    groups: JSON.parse(row.groups),
    audience: JSON.parse(row.audience),
    scopes: JSON.parse(row.scopes),
    detail: JSON.parse(row.detail),
  };
}
