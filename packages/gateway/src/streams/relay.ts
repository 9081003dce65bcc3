import { ShuttingDown } from "@onbehalf/service-kit";
import type { Dispatcher } from "undici";
import type { ForwardContext } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { type Exchange, isWhole, newProgress, type Progress, type UpstreamHeaders } from "../upstreams/exchange.ts";
import { type Clock, type RelayLimits, streamClock, wholeClock } from "./clock.ts";
import type { Drains } from "./drains.ts";
import { bodyCollector, connectionError, encodingProblem } from "./reception.ts";
import { Sending } from "./sending.ts";

/** One call, addressed and in the upstream's words. */
export interface RelayRequest {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly exchange: Exchange;
  readonly errorOf: (status: number, headers: UpstreamHeaders, body: Buffer) => GatewayError;
  readonly limits: RelayLimits;
  /** Where an abandoned answer is read on; undefined ends it at once. */
  readonly drains: Drains | undefined;
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

/**
 * Sends one request upstream and its answer to the client, in one pass: each read is translated and written at once,
 * a slow client pauses the upstream, a gone client ends or drains it, and the clock cuts what takes too long.
 */
export function relay(request: RelayRequest, context: ForwardContext): Promise<RelayResult> {
  return new Promise((resolve) => {
    const attempt = new Attempt(request, context, resolve);
    if (context.signal.aborted) {
      attempt.onAbort();
      return;
    }
    context.signal.addEventListener("abort", attempt.onAbort, { once: true });
    attempt.dispatched = true;
    const { method, body } = request.exchange;
    const options = { method, path: request.path, headers: request.headers, body: body.length === 0 ? null : body };
    request.dispatcher.dispatch(options, attempt);
  });
}

/**
 * One attempt while it runs; undici tells it what comes from upstream. A class, because a dozen functions made for each
 * request would cost as much as a stage.
 */
class Attempt implements Dispatcher.DispatchHandler {
  readonly request: RelayRequest;
  readonly context: ForwardContext;
  readonly stream: ReturnType<NonNullable<Exchange["stream"]>> | undefined;
  readonly progress: Progress;
  readonly sending: Sending;
  readonly clock: Clock;
  readonly resolve: (result: RelayResult) => void;
  readonly onAbort = (): void =>
    this.context.signal.reason instanceof ShuttingDown ? stop(this, shuttingDown()) : leave(this);
  controller: Dispatcher.DispatchController | undefined = undefined;
  /** Gathers an answer or an error that is passed on whole. */
  collect: ReturnType<typeof bodyCollector> | undefined = undefined;
  /** Of the upstream's answer; 0 before there is one. */
  status = 0;
  headers: UpstreamHeaders = {};
  dispatched = false;
  /** The client has left; what still comes is read for its usage only. */
  gone = false;
  settled = false;
  endDrain: (() => void) | undefined = undefined;

  constructor(request: RelayRequest, context: ForwardContext, resolve: (result: RelayResult) => void) {
    this.request = request;
    this.context = context;
    this.resolve = resolve;
    this.stream = request.exchange.stream?.();
    this.progress = this.stream?.progress ?? newProgress();
    this.sending = new Sending(context, this, request.limits.idleMs);
    const expired = (error: GatewayError): void => expire(this, error);
    this.clock =
      this.stream === undefined
        ? wholeClock(request.limits, expired)
        : streamClock(request.limits, { expired, idle: () => keepAlive(this) });
  }

  /** The client takes nothing for the moment. */
  pause(): void {
    this.controller?.pause();
    this.clock.pause();
  }
  resume(): void {
    this.clock.resume();
    this.controller?.resume();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
    if (this.settled) controller.abort(new Error("the call is over"));
  }
  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    // Only an announcement (RFC 9110 section 15.2); the answer is still to come.
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    const problem = encodingProblem(headers);
    if (problem !== undefined) stop(this, problem);
    else if (this.stream === undefined || status >= 300) this.collect = bodyCollector(status >= 300);
  }
  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    receive(this, chunk);
  }
  onResponseEnd(): void {
    finish(this);
  }
  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    if (isWhole(this.progress)) finish(this);
    else stop(this, connectionError(cause));
  }
}

function receive(attempt: Attempt, chunk: Buffer): void {
  const { clock, collect, stream } = attempt;
  if (attempt.settled) return;
  if (collect !== undefined) {
    clock.touch(false);
    if (!collect.add(chunk))
      stop(attempt, new GatewayError("upstream_failed", "The model provider's answer is too large to pass on."));
  } else if (stream !== undefined) {
    const out = stream.push(chunk);
    clock.touch(out.length > 0);
    pass(attempt, out);
  }
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
      if (!attempt.gone) attempt.sending.end();
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
  progress.characters = whole.characters ?? 0;
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
    sending.end();
    sent(attempt, "error", error);
  }
  attempt.controller?.abort(error);
}

/** The time is over, and it is not always the upstream that took it. */
function expire(attempt: Attempt, error: GatewayError): void {
  const { context, sending, stream, progress } = attempt;
  if (isWhole(progress)) finish(attempt);
  else if (stream !== undefined && sending.isWaiting()) {
    const unread = new GatewayError(
      "request_timeout",
      "The answer was not read in time. Read faster, or ask for less.",
    );
    context.outgoing.write(stream.fail(unread));
    sending.end();
    sent(attempt, "aborted", unread);
  } else stop(attempt, error);
  attempt.controller?.abort(error);
}

/** Nobody reads any more: end the upstream call, or read on for a while so that its usage is known. */
function leave(attempt: Attempt): void {
  const { sending, progress } = attempt;
  const { drains } = attempt.request;
  if (attempt.gone || attempt.settled) return;
  // OpenAI's SDK goes at the last event and waits for no goodbye of the upstream. What is not written yet it has not read.
  const read = isWhole(progress) && !sending.isWaiting();
  attempt.gone = true;
  const give = (reason: string): void => {
    sent(attempt, read ? "ok" : "aborted");
    attempt.controller?.abort(new Error(reason));
  };
  if (read || drains === undefined || drains.isOver || attempt.status >= 300 || !attempt.dispatched) {
    give("the client is gone");
    return;
  }
  attempt.endDrain = drains.begin(() => give("the client is gone and its answer took too long"));
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
  attempt.endDrain?.();
  context.signal.removeEventListener("abort", attempt.onAbort);
  sending.release();
  attempt.resolve(result);
}

function shuttingDown(): GatewayError {
  return new GatewayError("shutting_down", "The gateway is shutting down. Send the request again.");
}
