import { ShuttingDown } from "@onbehalf/service-kit";
import type { Dispatcher } from "undici";
import type { ForwardContext } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { type Exchange, newProgress, type Progress, type UpstreamHeaders } from "../upstreams/exchange.ts";
import { type Clock, type RelayLimits, streamClock, wholeClock } from "./clock.ts";
import { bodyCollector, connectionError, encodingProblem } from "./reception.ts";
import { createSending, type Sending } from "./sending.ts";

export interface RelayRequest {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly exchange: Exchange;
  readonly errorOf: (status: number, headers: UpstreamHeaders, body: Buffer) => GatewayError;
  readonly limits: RelayLimits;
  /** Milliseconds that an abandoned answer may still be read; undefined ends it at once. */
  readonly drainMs: number | undefined;
}

/** What became of one attempt. `failed`: nothing was sent to the client, so another attempt may still be made. */
export type RelayResult =
  | { readonly kind: "failed"; readonly error: GatewayError }
  | {
      readonly kind: "sent";
      readonly outcome: "ok" | "error" | "aborted";
      readonly error: GatewayError | undefined;
      readonly progress: Progress;
      /** `performance.now()` when the first byte went to the client. */
      readonly firstByteAt: number | undefined;
    };

/** One attempt while it runs. */
interface Attempt {
  readonly request: RelayRequest;
  readonly context: ForwardContext;
  readonly stream: ReturnType<NonNullable<Exchange["stream"]>> | undefined;
  readonly progress: Progress;
  readonly sending: Sending;
  readonly clock: Clock;
  readonly resolve: (result: RelayResult) => void;
  readonly onAbort: () => void;
  readonly onClose: () => void;
  controller: Dispatcher.DispatchController | undefined;
  /** Gathers an answer or an error that is passed on whole. */
  collect: ReturnType<typeof bodyCollector> | undefined;
  /** Of the upstream's answer; 0 before there is one. */
  status: number;
  headers: UpstreamHeaders;
  dispatched: boolean;
  /** The client has left; what still comes is read for its usage only. */
  gone: boolean;
  settled: boolean;
  drainTimer: NodeJS.Timeout | undefined;
}

/**
 * Sends one request upstream and its answer to the client, in one pass: each read is translated and written at once,
 * a slow client pauses the upstream, a gone client ends or drains it, and the clock cuts what takes too long.
 */
export function relay(request: RelayRequest, context: ForwardContext): Promise<RelayResult> {
  return new Promise((resolve) => {
    const attempt = createAttempt(request, context, resolve);
    if (context.signal.aborted) {
      attempt.onAbort();
      return;
    }
    context.signal.addEventListener("abort", attempt.onAbort, { once: true });
    context.outgoing.once("close", attempt.onClose);
    attempt.dispatched = true;
    const { method, body } = request.exchange;
    const options = { method, path: request.path, headers: request.headers, body: body.length === 0 ? null : body };
    request.dispatcher.dispatch(options, handlerOf(attempt));
  });
}

function createAttempt(
  request: RelayRequest,
  context: ForwardContext,
  resolve: (result: RelayResult) => void,
): Attempt {
  const stream = request.exchange.stream?.();
  const sending = createSending(context, {
    pause() {
      attempt.controller?.pause();
      attempt.clock.pause();
    },
    resume() {
      attempt.clock.resume();
      attempt.controller?.resume();
    },
  });
  const expired = (error: GatewayError): void => stop(attempt, error);
  const clock =
    stream === undefined
      ? wholeClock(request.limits, expired)
      : streamClock(request.limits, { expired, idle: () => keepAlive(attempt) });
  const attempt: Attempt = {
    request,
    context,
    stream,
    progress: stream?.progress ?? newProgress(),
    sending,
    clock,
    resolve,
    onAbort: () => (context.signal.reason instanceof ShuttingDown ? stop(attempt, shuttingDown()) : leave(attempt)),
    onClose: () => leave(attempt),
    controller: undefined,
    collect: undefined,
    status: 0,
    headers: {},
    dispatched: false,
    gone: false,
    settled: false,
    drainTimer: undefined,
  };
  return attempt;
}

function handlerOf(attempt: Attempt): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      attempt.controller = controller;
      if (attempt.settled) controller.abort(new Error("the call is over"));
    },
    onResponseStart(_, status, headers) {
      attempt.status = status;
      attempt.headers = headers;
      const problem = encodingProblem(headers);
      if (problem !== undefined) stop(attempt, problem);
      else if (attempt.stream === undefined || status >= 300) attempt.collect = bodyCollector(status >= 300);
    },
    onResponseData: (_, chunk) => receive(attempt, chunk),
    onResponseEnd: () => finish(attempt),
    onResponseError: (_, cause) => stop(attempt, connectionError(cause)),
  };
}

function receive(attempt: Attempt, chunk: Buffer): void {
  const { clock, collect, stream } = attempt;
  clock.touch();
  if (attempt.settled) return;
  if (collect !== undefined) {
    if (!collect.add(chunk))
      stop(attempt, new GatewayError("upstream_failed", "The model provider's answer is too large to pass on."));
  } else if (stream !== undefined) pass(attempt, stream.push(chunk));
}

/** Sends on what a stream gave; when the upstream said that it failed, only if the client has part of the answer already. */
function pass(attempt: Attempt, out: string | Buffer): void {
  const { progress, sending, stream } = attempt;
  if (!attempt.gone && (progress.failure === undefined || sending.firstByteAt() !== undefined))
    sending.send(out, stream?.headers ?? {});
  if (progress.failure !== undefined) stop(attempt, progress.failure);
}

function keepAlive(attempt: Attempt): void {
  const { stream, collect, status, gone, sending } = attempt;
  const quiet = collect !== undefined || status === 0 || gone || sending.isWaiting();
  if (stream?.keepAlive !== undefined && !quiet) sending.send(stream.keepAlive, stream.headers);
}

function finish(attempt: Attempt): void {
  const { request, collect, status, headers, stream, progress } = attempt;
  if (attempt.settled) return;
  if (collect !== undefined && status >= 300) stop(attempt, request.errorOf(status, headers, collect.bytes()));
  else if (collect !== undefined) finishWhole(attempt, collect.bytes());
  else if (stream !== undefined) {
    pass(attempt, stream.end());
    if (attempt.settled) return;
    if (!progress.complete)
      stop(attempt, new GatewayError("upstream_failed", "The model provider's answer ended early. Try again."));
    else {
      if (!attempt.gone) attempt.context.outgoing.end();
      sent(attempt, attempt.gone ? "aborted" : "ok");
    }
  }
}

function finishWhole(attempt: Attempt, body: Buffer): void {
  const { request, headers, progress, sending } = attempt;
  let whole: ReturnType<Exchange["answer"]>;
  try {
    whole = request.exchange.answer(body, headers);
  } catch (cause) {
    const unreadable = new GatewayError(
      "upstream_failed",
      "The model provider's answer could not be read. Try again.",
      { cause },
    );
    stop(attempt, cause instanceof GatewayError ? cause : unreadable);
    return;
  }
  progress.usage = whole.usage;
  progress.stopReason = whole.stopReason;
  if (!attempt.gone) sending.sendWhole(whole);
  sent(attempt, attempt.gone ? "aborted" : "ok");
}

/** Ends the attempt for a reason of ours or the upstream's; the client is told as far as it still can be. */
function stop(attempt: Attempt, error: GatewayError): void {
  const { context, sending, stream } = attempt;
  if (attempt.settled) return;
  if (attempt.gone) sent(attempt, "aborted");
  else if (sending.firstByteAt() === undefined) settle(attempt, { kind: "failed", error });
  else {
    if (stream !== undefined) context.outgoing.write(stream.fail(error));
    context.outgoing.end();
    sent(attempt, "error", error);
  }
  attempt.controller?.abort(error);
}

/** Nobody reads any more: end the upstream call, or read on for a while so that its usage is known. */
function leave(attempt: Attempt): void {
  const { request, sending } = attempt;
  if (attempt.gone || attempt.settled) return;
  attempt.gone = true;
  const give = (reason: string): void => {
    sent(attempt, "aborted");
    attempt.controller?.abort(new Error(reason));
  };
  if (request.drainMs === undefined || attempt.status >= 300 || !attempt.dispatched) {
    give("the client is gone");
    return;
  }
  attempt.drainTimer = setTimeout(() => give("the client is gone and its answer took too long"), request.drainMs);
  sending.abandon();
}

function sent(attempt: Attempt, outcome: "ok" | "error" | "aborted", error?: GatewayError): void {
  const { progress, sending } = attempt;
  settle(attempt, { kind: "sent", outcome, error, progress, firstByteAt: sending.firstByteAt() });
}

function settle(attempt: Attempt, result: RelayResult): void {
  const { clock, context, sending } = attempt;
  if (attempt.settled) return;
  attempt.settled = true;
  clock.stop();
  clearTimeout(attempt.drainTimer);
  context.signal.removeEventListener("abort", attempt.onAbort);
  context.outgoing.removeListener("close", attempt.onClose);
  sending.release();
  attempt.resolve(result);
}

function shuttingDown(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is shutting down. Send the request again.");
}
