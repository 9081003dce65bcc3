import { randomUUID } from "node:crypto";
import { ClientGone } from "@onbehalf/service-kit";
import type { Stage, StageContext } from "../stages.ts";
import { createRowOf, type Draft } from "./draft.ts";
import type { Recorder } from "./recorder.ts";
import type { RequestRow } from "./row.ts";

export interface RecordOptions {
  readonly recorder: Pick<Recorder, "record">;
  /** Told of every row: metrics. */
  readonly meter: (row: RequestRow) => void;
  /** Milliseconds since the epoch, and of a monotonic clock. */
  readonly wallMs?: () => number;
  readonly now?: () => number;
}

/** nginx's code for a client that left before there was an answer. */
const clientGoneStatus = 499;

/** One row for every request, however it ends. Around all other stages. */
export function recordEach({
  recorder,
  meter,
  wallMs = Date.now,
  now = () => performance.now(),
}: RecordOptions): Stage {
  const rowOf = createRowOf();
  return async (c, next) => {
    const startedAt = now();
    const draft = draftOf(c, wallMs());
    c.set("draft", draft);
    await next();
    if (c.get("route")?.kind === "public") return;
    const aborted = isAborted(c);
    const status = aborted && draft.settlement === undefined ? clientGoneStatus : statusOf(c, draft);
    const row = rowOf(draft, { status, aborted, durationMs: now() - startedAt });
    recorder.record(row);
    meter(row);
    c.get("note")({
      ...noted(draft),
      outcome: row.outcome,
      ...(row.error_code === null ? {} : { error_code: row.error_code }),
    });
  };
}

function draftOf(c: StageContext, wallMs: number): Draft {
  return {
    id: randomUUID(),
    requestTime: new Date(wallMs).toISOString(),
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

/** For the one log line: who, with what, how much. */
function noted({ caller, call, settlement, costUsd, rule, route }: Draft): Record<string, unknown> {
  return {
    route,
    ...(caller === undefined
      ? {}
      : { issuer: caller.issuer, subject: caller.subject, user_id: caller.userId, credential: caller.credential }),
    ...(caller?.clientId === undefined ? {} : { client_id: caller.clientId }),
    ...(caller?.key === undefined ? {} : { key_id: caller.key.id }),
    ...(call === undefined ? {} : { model: call.model, stream: call.stream }),
    ...(settlement?.usage === undefined
      ? {}
      : { input_tokens: settlement.usage.inputTokens, output_tokens: settlement.usage.outputTokens }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
    ...(rule === undefined ? {} : { rule }),
  };
}
