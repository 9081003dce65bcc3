import { randomUUID } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { type AccessLine, accessFields, type Ending, routeOf, statusWithoutAnswer } from "./access-line.ts";
import { keepAnswerHeader } from "./answer-headers.ts";
import {
  type AbortRequest,
  ClientGone,
  type Connection,
  connectionOf,
  isComplete,
  ShuttingDown,
} from "./connection.ts";
import { type Interruption, type InterruptionSignal, RequestInterruption } from "./interruption.ts";
import { type Log, type Logger, plainLines } from "./log.ts";
import { mask } from "./mask.ts";
import type { RequestObserver } from "./telemetry/telemetry.ts";
import { createTracer, type Trace } from "./trace.ts";

/** Adds fields to the one line that is logged for the request; the last value of a name wins. */
export type Note = (fields: Readonly<Record<string, unknown>>) => void;

/** Hono variables of every request. */
export interface RequestVariables {
  readonly requestId: string;
  readonly trace: Trace;
  /** A log whose lines carry the request's ids. */
  readonly log: Log;
  /** Fires when the client is gone or the shutdown deadline has come; the reason says which. */
  readonly signal: AbortSignal;
  readonly note: Note;
}

/** The same of a pipeline that is not Hono's own. */
export interface StepVariables extends Omit<RequestVariables, "signal"> {
  readonly signal: InterruptionSignal;
}

/** What goes into each request's one line, and who else is told of it. */
export interface RequestContextOptions {
  /** Named in the line, also where several services share one log. */
  readonly service: string;
  readonly log: Logger;
  /** Paths whose successes are logged at level `debug` only: probes call them every few seconds. */
  readonly quietPaths?: readonly string[] | undefined;
  /** Told of each request's begin and end: `createTelemetry().requests`. */
  readonly observer?: RequestObserver | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now?: (() => number) | undefined;
}

const none = {};
const probes = ["/system/health", "/system/ready", "/health/liveliness", "/health/readiness"];

/** How long a line waits for the handler of a client that has left, so that it still learns what was used. */
const settleMs = 5_000;
const shutdownSettleMs = 250;

/** To be called when the handler of a request is done. */
export type Handled = () => void;

/**
 * Gives each request its ids, trace, log and signal, and logs one line when its answer has ended: sent, refused or
 * left by the client. Works alike for answers that Hono sends and for those written to Node's outgoing directly, whose
 * heads begin with `answerHeaders(outgoing)`.
 */
export function requestContext(options: RequestContextOptions): MiddlewareHandler<{ Variables: RequestVariables }> {
  const begin = beginner(options, () => new AbortController());
  return async (c, next) => {
    const handled = begin(c);
    try {
      await next();
    } finally {
      handled();
    }
  };
}

/** The same as a step of a pipeline that is not Hono's own, with a signal that costs less. */
export function beginRequest(options: RequestContextOptions): (c: Context) => Handled {
  return beginner(options, () => new RequestInterruption());
}

function beginner(options: RequestContextOptions, interruptionOf: () => Interruption): (c: Context) => Handled {
  const { service, log, observer, now = () => performance.now() } = options;
  const ownName = log.bindings().service === service ? none : { service };
  const quiet = new Set(options.quietPaths ?? probes);
  const beginTrace = createTracer();
  const writeLine = plainLines(log);
  const levelOf = (status: number, path: string): "error" | "debug" | "info" =>
    status >= 500 ? "error" : quiet.has(path) && status < 400 ? "debug" : "info";

  return (c) => {
    const startedAt = now();
    const begunAt = observer === undefined ? 0 : Date.now();
    observer?.begin();
    const connection = connectionOf(c.env);
    const said = headersOf(c, connection);
    const trace = beginTrace(said("traceparent"), said("tracestate"));
    const requestId = acceptedId(said("x-request-id")) ?? randomUUID();
    const interruption = interruptionOf();
    let noted: Readonly<Record<string, unknown>> | undefined;
    const note: Note = (fields) => {
      noted = noted === undefined ? fields : { ...noted, ...fields };
    };
    c.set("requestId", requestId);
    c.set("trace", trace);
    c.set("log", new RequestLog(log, requestId, trace.traceId));
    c.set("signal", interruption.signal);
    c.set("note", note);
    answerHeader(c, "x-request-id", requestId);
    answerHeader(c, "traceparent", trace.traceparent);

    const finish = (ending: Ending): void => {
      const identity: unknown = c.get("identity");
      const route = typeof noted?.route === "string" ? noted.route : routeOf(c);
      const { status, aborted } = ending;
      const line = accessFields({ requestId, trace, route, identity, noted, ms: now() - startedAt, status, aborted });
      writeLine(levelOf(status, c.req.path), [ownName, line, noted ?? none], "request");
      observer?.end({ ...line, ...noted } as AccessLine, trace, begunAt);
    };
    if (connection !== undefined) return whenEnded(connection, interruption, finish);
    return () => {
      for (const [name, value] of [
        ["x-request-id", requestId],
        ["traceparent", trace.traceparent],
      ] as const) {
        if (!c.res.headers.has(name)) c.header(name, value);
      }
      finish({ status: c.res.status, aborted: false });
    };
  };
}

/**
 * Follows an answer to its end. The returned function says that the handler is done; the line is written when both
 * are over, since a handler may write the answer itself and note its figures afterwards.
 */
function whenEnded({ outgoing, running }: Connection, interruption: Interruption, finish: (ending: Ending) => void) {
  const abort: AbortRequest = (reason) => interruption.abort(reason);
  let handlerDone = false;
  let ending: Ending | undefined;
  let timer: NodeJS.Timeout | undefined;
  const settle = (): void => {
    if (ending === undefined) return;
    clearTimeout(timer);
    finish(ending);
    ending = undefined;
    running.remove(place);
  };
  const place = running.add(abort);
  outgoing.on("close", () => {
    const aborted = !isComplete(outgoing);
    ending = { aborted, status: outgoing.headersSent ? outgoing.statusCode : statusWithoutAnswer };
    if (aborted) abort(new ClientGone());
    const waitMs = interruption.signal.reason instanceof ShuttingDown ? shutdownSettleMs : settleMs;
    if (handlerDone) settle();
    else timer = setTimeout(settle, waitMs).unref();
  });
  return (): void => {
    handlerDone = true;
    settle();
  };
}

/** From Node's own table where there is one: Fetch's looks at every name and value again. */
function headersOf(c: Context, connection: Connection | undefined): (name: string) => string | undefined {
  if (connection === undefined) return (name) => c.req.header(name);
  const { headers } = connection.incoming;
  return (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
}

/** Kept beside Node's own answer, so that it is also there when Hono does not send the answer. */
export function answerHeader(c: Context, name: string, value: string): void {
  const connection = connectionOf(c.env);
  if (connection === undefined) c.header(name, value);
  else keepAnswerHeader(connection.outgoing, name, value);
}

/** A caller's id is kept when it is short, a word, a path or base64, and no secret in disguise. */
function acceptedId(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\w.:/=+@-]{1,128}$/.test(header)) return undefined;
  return mask(header) === header ? header : undefined;
}

/** Not a child logger, whose making costs more than the line it writes; most requests write no other line. */
class RequestLog implements Log {
  readonly #log: Logger;
  readonly #ids: { readonly request_id: string; readonly trace_id: string };
  constructor(log: Logger, requestId: string, traceId: string) {
    this.#log = log;
    this.#ids = { request_id: requestId, trace_id: traceId };
  }
  debug(fields: object, message: string): void {
    this.#log.debug({ ...this.#ids, ...fields }, message);
  }
  info(fields: object, message: string): void {
    this.#log.info({ ...this.#ids, ...fields }, message);
  }
  warn(fields: object, message: string): void {
    this.#log.warn({ ...this.#ids, ...fields }, message);
  }
  error(fields: object, message: string): void {
    this.#log.error({ ...this.#ids, ...fields }, message);
  }
}
