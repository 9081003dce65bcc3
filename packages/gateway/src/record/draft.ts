import { mask } from "@onbehalf/service-kit";
import { type LlmCall, noUsage, type Settlement } from "../call.ts";
import type { Caller } from "../caller.ts";
import { remembered } from "../remembered.ts";
import type { EndedRow, Outcome } from "./row.ts";
import { type CallerText, callerText, detailText, figure, orNull, quoted } from "./row-text.ts";

/** What the stages find out about a request on its way; becomes its row when it has ended. */
export interface Draft {
  /** A UUID; this, the time and the trace hold nothing that JSON would have to escape. */
  readonly id: string;
  /** ISO 8601. */
  readonly requestTime: string;
  /** Hexadecimal. */
  readonly traceId: string;
  /** The client's own, if it sent one. */
  readonly requestId: string;
  /** Method and canonical path; `unmatched` where there is none. */
  route: string;
  caller?: Caller;
  call?: Pick<LlmCall, "model" | "stream">;
  /** The deployment that was asked last, also when it gave no answer; named as in the settlement. */
  providerModel?: string;
  settlement?: Settlement;
  costUsd?: number | null;
  errorCode?: string;
  rule?: string;
  /** What the client says about itself: recorded, never trusted. */
  app?: string;
  readonly detail: Record<string, unknown>;
}

/** How a request ended, for its row. */
export interface Ending {
  readonly status: number;
  /** The client left before the answer was complete. */
  readonly aborted: boolean;
  /** From its arrival to its end. */
  readonly durationMs: number;
}

type RowOf = (draft: Draft, ending: Ending) => EndedRow;

/** Makes rows of requests that have ended. A caller is the same object each time; his columns are written out once. */
export function createRowOf(): RowOf {
  const known = new WeakMap<Caller, CallerText>();
  return (draft, ending) => {
    const { caller } = draft;
    if (caller === undefined) return rowOf(draft, ending, nobody);
    let text = known.get(caller);
    if (text === undefined) {
      text = callerText(caller);
      known.set(caller, text);
    }
    return rowOf(draft, ending, text);
  };
}

/** `prompt_tokens` counts everything that was read, as OpenAI does; the cache's part is named beside it. */
function rowOf(draft: Draft, ending: Ending, by: CallerText): EndedRow {
  const { settlement, call } = draft;
  const usage = settlement?.usage ?? noUsage;
  const read = whole(usage.cacheReadTokens);
  const written = whole(usage.cacheWriteTokens);
  const prompt = whole(usage.inputTokens) + read + written;
  const completion = whole(usage.outputTokens);
  const tokens = prompt + completion;
  const cost = draft.costUsd !== undefined && Number.isFinite(draft.costUsd) ? draft.costUsd : null;
  const first = settlement?.firstTokenMs === undefined ? null : round(settlement.firstTokenMs);
  const outcome = outcomeOf(draft, ending);
  const provider = settlement?.providerModel ?? draft.providerModel ?? null;
  const error = draft.errorCode ?? settlement?.errorCode ?? null;

  // In the order of `rowColumns`, part by part.
  const begin = `"${draft.id}","${draft.requestTime}"`;
  const app = draft.app === undefined ? by.app : said(draft.app);
  const model = call === undefined ? "null" : said(call.model.slice(0, maxName));
  const asked = `${often(draft.route)},${model},${provider === null ? "null" : often(provider)}`;
  const ended = `${whole(ending.status)},"${outcome}",${orNull(error)},${orNull(draft.rule)}`;
  const used = `${prompt},${completion},${read},${written},${tokens},${figure(cost)}`;
  const took = `${round(ending.durationMs)},${figure(first)},${call?.stream === true}`;
  const ids = `"${draft.traceId}",${quoted(draft.requestId)},${detailText(draft.detail)}`;
  return {
    fields: `[${begin},${by.person},${app},${by.grant},${asked},${ended},${used},${took},${ids}]`,
    provider_model: provider,
    outcome,
    error_code: error,
    prompt_tokens: prompt,
    completion_tokens: completion,
    tokens,
    cost_usd: cost,
    first_token_ms: first,
  };
}

/** The same few routes and models stand in all rows. */
const often = remembered(1_000, quoted);
/** A client's own words, into which somebody may have put a key by mistake. */
const said = remembered(1_000, (text) => quoted(mask(text)));

/** A client chooses the model's name, also one that is refused. */
const maxName = 300;

/** More than any model reads; figures come from upstreams, and one that is no number must not spoil the record. */
const maxCount = 1_000_000_000_000;

function whole(count: number): number {
  return Number.isFinite(count) ? Math.min(maxCount, Math.max(0, Math.round(count))) : 0;
}

function outcomeOf({ settlement }: Draft, { status, aborted }: Ending): Outcome {
  if (settlement !== undefined) return settlement.outcome;
  if (aborted) return "aborted";
  if (status < 400) return "ok";
  if (status === 401 || status === 403) return "denied";
  return status === 429 ? "limited" : "error";
}

function round(ms: number): number {
  const rounded = Math.round(ms * 100) / 100;
  return Number.isFinite(rounded) ? rounded : 0;
}

const nobody = callerText(undefined);
