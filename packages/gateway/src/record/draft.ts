import type { LlmCall, Settlement, Usage } from "../call.ts";
import type { Caller } from "../caller.ts";
import { type Outcome, type RequestRow, rowColumns } from "./row.ts";

/** What the stages find out about a request on its way; becomes its row when it has ended. */
export interface Draft {
  readonly id: string;
  readonly requestTime: string;
  readonly traceId: string;
  readonly requestId: string;
  /** Method and canonical path; `unmatched` where there is none. */
  route: string;
  caller?: Caller;
  call?: Pick<LlmCall, "model" | "stream">;
  settlement?: Settlement;
  costUsd?: number | null;
  errorCode?: string;
  rule?: string;
  /** What the client says about itself: recorded, never trusted. */
  app?: string;
  readonly detail: Record<string, unknown>;
}

export interface Ending {
  readonly status: number;
  /** The client left before the answer was complete. */
  readonly aborted: boolean;
  readonly durationMs: number;
}

const noUsage: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

export type RowOf = (draft: Draft, ending: Ending) => RequestRow;

/** Makes rows of requests that have ended. A caller is the same object each time; his columns are written out once. */
export function createRowOf(): RowOf {
  const known = new WeakMap<Caller, Who>();
  return (draft, ending) => {
    const { caller } = draft;
    if (caller === undefined) return rowOf(draft, ending, nobody);
    const columns = known.get(caller) ?? who(caller);
    known.set(caller, columns);
    return rowOf(draft, ending, columns);
  };
}

function rowOf(draft: Draft, ending: Ending, columns: Who): RequestRow {
  const { settlement } = draft;
  const usage = settlement?.usage ?? noUsage;
  return storable({
    id: draft.id,
    request_time: draft.requestTime,
    ...columns,
    app: draft.app ?? draft.caller?.clientId ?? draft.caller?.key?.alias ?? null,
    route: draft.route,
    model: draft.call?.model.slice(0, maxName) ?? null,
    provider_model: settlement?.providerModel ?? null,
    status: ending.status,
    outcome: outcomeOf(draft, ending),
    error_code: draft.errorCode ?? settlement?.errorCode ?? null,
    rule: draft.rule ?? null,
    ...tokensOf(usage),
    cost_usd: Number.isFinite(draft.costUsd) ? (draft.costUsd ?? null) : null,
    duration_ms: round(ending.durationMs),
    first_token_ms: settlement?.firstTokenMs === undefined ? null : round(settlement.firstTokenMs),
    stream: draft.call?.stream ?? false,
    trace_id: draft.traceId,
    request_id: draft.requestId,
    detail: JSON.stringify(draft.detail),
  });
}

/**
 * Every text as both databases can hold it: a client may name a model with U+0000 or half a character, and one row that
 * cannot be written would hold up all that follow.
 */
function storable(row: RequestRow): RequestRow {
  let clean: Record<string, unknown> | undefined;
  for (const column of rowColumns) {
    const value = row[column];
    if (typeof value !== "string" || (value.isWellFormed() && !value.includes("\0"))) continue;
    clean ??= { ...row };
    clean[column] = value.toWellFormed().replaceAll("\0", "\ufffd");
  }
  return clean === undefined ? row : (clean as unknown as RequestRow);
}

/** A client chooses the model's name, also one that is refused. */
const maxName = 300;

type Who = ReturnType<typeof who>;

function who(caller: Caller | undefined) {
  return {
    user_id: caller?.userId ?? null,
    user_email: caller?.email ?? null,
    issuer: caller?.issuer ?? null,
    subject: caller?.subject ?? null,
    team_id: caller?.teamId ?? null,
    client_id: caller?.clientId ?? null,
    actors: JSON.stringify((caller?.actors ?? []).map(({ issuer, subject }) => ({ issuer: issuer ?? null, subject }))),
    groups: JSON.stringify(caller?.groups ?? []),
    audience: JSON.stringify(caller?.audience ?? []),
    scopes: JSON.stringify(caller?.scopes ?? []),
    credential: caller?.credential ?? null,
    role: caller?.role ?? null,
    key_id: caller?.key?.id ?? null,
    expires_at: caller?.expiresAt ?? null,
  };
}

/** `prompt_tokens` counts everything that was read, as OpenAI does; the cache's part is named beside it. */
function tokensOf(usage: Usage) {
  const [read, written] = [whole(usage.cacheReadTokens), whole(usage.cacheWriteTokens)];
  const prompt = whole(usage.inputTokens) + read + written;
  const completion = whole(usage.outputTokens);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    cache_read_tokens: read,
    cache_write_tokens: written,
    tokens: prompt + completion,
  };
}

/** More than any model reads; figures come from upstreams, and one that is no number must not spoil the record. */
const maxTokens = 1_000_000_000_000;

function whole(count: number): number {
  return Number.isFinite(count) ? Math.min(maxTokens, Math.max(0, Math.round(count))) : 0;
}

function outcomeOf({ settlement }: Draft, { status, aborted }: Ending): Outcome {
  if (settlement !== undefined) return settlement.outcome;
  if (aborted) return "aborted";
  if (status < 400) return "ok";
  if (status === 401 || status === 403) return "denied";
  return status === 429 ? "limited" : "error";
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}

const nobody: Who = who(undefined);
