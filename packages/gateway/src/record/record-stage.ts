import { randomUUIDv7 } from "node:crypto";
import { ClientGone } from "@onbehalf/service-kit";
import type { Step } from "../pipeline.ts";
import type { StageContext } from "../stages.ts";
import { createRowOf, type Draft } from "./draft.ts";
import type { Recorder } from "./recorder.ts";
import type { EndedRow } from "./row.ts";

interface RecordOptions {
  readonly recorder: Pick<Recorder, "record">;
  /** Told of every row: metrics. */
  readonly meter: (row: EndedRow) => void;
  /** Milliseconds since the epoch, and of a monotonic clock. */
  readonly wallMs?: () => number;
  readonly now?: () => number;
}

/** nginx's code for a client that left before there was an answer. */
const clientGoneStatus = 499;

/** One row for every request, however it ends. Around all other stages. */
export function recordEach({ recorder, meter, wallMs = Date.now, now = () => performance.now() }: RecordOptions): Step {
  const rowOf = createRowOf();
  const timeOf = createTimes();
  return (c) => {
    const startedAt = now();
    const draft = draftOf(c, timeOf(wallMs()));
    c.env.draft = draft;
    return () => {
      if (c.env.route?.kind === "public") return;
      const aborted = isAborted(c);
      const status = aborted && draft.settlement === undefined ? clientGoneStatus : statusOf(c, draft);
      const row = rowOf(draft, { status, aborted, durationMs: now() - startedAt });
      recorder.record(row);
      meter(row);
      c.get("note")(noted(draft, row));
    };
  };
}

/** Ids in the order of time: the table's first index grows at its end. */
function draftOf(c: StageContext, requestTime: string): Draft {
  return {
    id: randomUUIDv7(),
    requestTime,
    traceId: c.get("trace").traceId,
    requestId: c.get("requestId"),
    route: `${c.req.method} unmatched`,
    detail: {},
  };
}

function isAborted(c: StageContext): boolean {
  const signal = c.get("signal");
  const { incoming } = c.env;
  // A body that broke off is seen here before the connection's end is.
  const brokenOff = incoming.destroyed && !incoming.complete;
  return brokenOff || (signal.aborted && signal.reason instanceof ClientGone);
}

function statusOf(c: StageContext, { settlement }: Draft): number {
  return settlement?.status ?? (c.env.outgoing.headersSent ? c.env.outgoing.statusCode : c.res.status);
}

/** ISO 8601, made anew only when a millisecond has passed. */
function createTimes(): (wallMs: number) => string {
  let at = Number.NaN;
  let text = "";
  return (wallMs) => {
    if (wallMs !== at) {
      at = wallMs;
      text = new Date(wallMs).toISOString();
    }
    return text;
  };
}

/** For the one log line: who, with what, how much. What is not known has no value, and is not in it. */
function noted({ caller, call, settlement, costUsd, rule, route }: Draft, row: EndedRow): Record<string, unknown> {
  const fields: Record<string, unknown> = {
    route,
    issuer: caller?.issuer,
    subject: caller?.subject,
    user_id: caller?.userId,
    credential: caller?.credential,
    client_id: caller?.clientId,
    key_id: caller?.key?.id,
    model: call?.model,
    stream: call?.stream,
    input_tokens: settlement?.usage?.inputTokens,
    output_tokens: settlement?.usage?.outputTokens,
    cost_usd: costUsd,
    rule,
    outcome: row.outcome,
  };
  // A path that does not exist has noted its own.
  if (row.error_code !== null) fields.error_code = row.error_code;
  return fields;
}
