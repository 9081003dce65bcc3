import type { Identity } from "@onbehalf/shared-auth";
import type { Context } from "hono";
import { matchedRoutes } from "hono/route";
import type { Trace } from "./trace.ts";

/**
 * How a request ended, in one word: `denied` is 401 or 403, `limited` 429, `aborted` a client that left before the
 * answer was whole.
 */
export type Outcome = "ok" | "denied" | "limited" | "error" | "aborted";

/** How an answer ended. */
export interface Ending {
  readonly status: number;
  /** The connection closed before the answer was complete. */
  readonly aborted: boolean;
}

/** The one line of a request: who, what, outcome, milliseconds, trace. */
export interface AccessLine {
  readonly request_id: string;
  readonly trace_id: string;
  readonly span_id: string;
  /** Method and route pattern, for example `GET /api/trail/:trace_id`; never the values in it. */
  readonly route: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly ms: number;
  readonly [field: string]: unknown;
}

/** nginx's code for a client that left before there was an answer. */
export const statusWithoutAnswer = 499;

/** The part of the line that is the same for every service. */
type DerivedFields = {
  readonly [Name in keyof AccessLine as string extends Name ? never : Name]: AccessLine[Name] | undefined;
} & {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly client_id: string | undefined;
};

/** What is known of a request when it has ended. */
interface AccessFacts extends Ending {
  readonly requestId: string;
  readonly trace: Trace;
  readonly route: string;
  /** From the request's arrival to the end of its answer, in milliseconds. */
  readonly ms: number;
  /** What `authenticate` left; anything that is no identity counts as nobody. */
  readonly identity: unknown;
  /** What the stages added; it wins over what is derived here. */
  readonly noted: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Pure: what is derived of every request, without what was noted under the same name: that wins. Names without a value
 * are no part of the line, as JSON has it.
 */
export function accessFields({
  requestId,
  trace,
  route,
  status,
  aborted,
  ms,
  identity,
  noted = nothing,
}: AccessFacts): DerivedFields {
  const who = isIdentity(identity) ? identity : undefined;
  return {
    request_id: unless(noted, "request_id", requestId),
    trace_id: unless(noted, "trace_id", trace.traceId),
    span_id: unless(noted, "span_id", trace.spanId),
    route: unless(noted, "route", route),
    status: unless(noted, "status", status),
    outcome: unless(noted, "outcome", aborted ? "aborted" : outcomeOf(status)),
    ms: unless(noted, "ms", Math.round(ms * 100) / 100),
    // Issuer and subject are the identity; the client is who acts for it.
    issuer: unless(noted, "issuer", who?.issuer),
    subject: unless(noted, "subject", who?.subject),
    client_id: unless(noted, "client_id", who?.clientId),
  };
}

const nothing: Readonly<Record<string, unknown>> = {};

function unless<Value>(noted: Readonly<Record<string, unknown>>, name: string, value: Value): Value | undefined {
  return Object.hasOwn(noted, name) ? undefined : value;
}

/** By the status alone; whoever knows that the connection closed early says `aborted` instead. */
export function outcomeOf(status: number): Outcome {
  if (status < 400) return "ok";
  if (status === 401 || status === 403) return "denied";
  if (status === 429) return "limited";
  return status === statusWithoutAnswer ? "aborted" : "error";
}

function isIdentity(value: unknown): value is Pick<Identity, "issuer" | "subject" | "clientId"> {
  return typeof value === "object" && value !== null && "issuer" in value && "subject" in value;
}

/** The most telling of the routes that were run: the last one that is a handler's pattern, not a middleware's wildcard. */
export function routeOf(c: Context): string {
  const run = matchedRoutes(c).slice(0, c.req.routeIndex + 1);
  const pattern = run.findLast(({ path }) => !path.endsWith("*"))?.path;
  return `${c.req.method} ${pattern ?? "unmatched"}`;
}
