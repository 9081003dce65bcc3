import { ShuttingDown } from "@onbehalf/service-kit";
import type { Dispatcher } from "undici";
import type { ForwardContext } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { type Exchange, newProgress, type Progress, type ResponseStream } from "../upstreams/exchange.ts";
import { createClock, type RelayLimits } from "./clock.ts";
import { bodyCollector, connectionError, encodingProblem } from "./reception.ts";

export interface RelayRequest {
  readonly dispatcher: Dispatcher;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly exchange: Exchange;
  readonly errorOf: (
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    body: Buffer,
  ) => GatewayError;
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

/**
 * Sends one request upstream and its answer to the client, in one pass: each read is translated and written at once,
 * a slow client pauses the upstream, a gone client ends or drains it, and the clock cuts what takes too long.
 */
export function relay(request: RelayRequest, context: ForwardContext): Promise<RelayResult> {
  return new Promise((resolve) => {
    const { exchange, limits } = request;
    const { outgoing, signal } = context;
    const stream: ResponseStream | undefined = exchange.stream?.();
    const progress = stream?.progress ?? newProgress();
    let controller: Dispatcher.DispatchController | undefined;
    let collect: ReturnType<typeof bodyCollector> | undefined;
    let status = 0;
    let headers: Readonly<Record<string, string | string[] | undefined>> = {};
    let firstByteAt: number | undefined;
    let gone = false;
    let settled = false;
    let waiting = false;
    let dispatched = false;
    let drainTimer: NodeJS.Timeout | undefined;

    const clock = createClock(limits, stream !== undefined, {
      expired: (error) => stop(error),
      idle: () => {
        if (
          stream?.keepAlive !== undefined &&
          collect === undefined &&
          status !== 0 &&
          !gone &&
          !outgoing.writableNeedDrain
        )
          send(stream.keepAlive);
      },
    });

    const settle = (result: RelayResult): void => {
      if (settled) return;
      settled = true;
      clock.stop();
      clearTimeout(drainTimer);
      signal.removeEventListener("abort", onAbort);
      outgoing.removeListener("drain", resume);
      outgoing.removeListener("close", left);
      resolve(result);
    };
    const sent = (outcome: "ok" | "error" | "aborted", error?: GatewayError): void =>
      settle({ kind: "sent", outcome, error, progress, firstByteAt });

    /** Ends the attempt for a reason of ours or the upstream's; the client is told as far as it still can be. */
    const stop = (error: GatewayError): void => {
      if (settled) return;
      if (gone) sent("aborted");
      else if (firstByteAt === undefined) settle({ kind: "failed", error });
      else {
        if (stream !== undefined) outgoing.write(stream.fail(error));
        outgoing.end();
        sent("error", error);
      }
      controller?.abort(error);
    };

    const send = (bytes: string | Buffer): void => {
      if (bytes.length === 0 || gone || stream === undefined) return;
      if (firstByteAt === undefined) {
        firstByteAt = performance.now();
        outgoing.writeHead(200, { ...context.headers, ...stream.headers });
      }
      if (!outgoing.write(bytes) && !waiting) {
        waiting = true;
        controller?.pause();
        clock.pause();
        outgoing.once("drain", resume);
      }
    };
    const resume = (): void => {
      waiting = false;
      clock.resume();
      controller?.resume();
    };

    const onAbort = (): void => {
      if (signal.reason instanceof ShuttingDown) {
        stop(new GatewayError("shutting_down", "The gateway is shutting down. Send the request again."));
      } else left();
    };
    /** Nobody reads any more: nothing waits for a drain that will not come. */
    const left = (): void => {
      if (gone || settled) return;
      gone = true;
      outgoing.removeListener("drain", resume);
      if (request.drainMs === undefined || status >= 300 || !dispatched) {
        sent("aborted");
        controller?.abort(new Error("the client is gone"));
        return;
      }
      drainTimer = setTimeout(() => {
        sent("aborted");
        controller?.abort(new Error("the client is gone and its answer took too long"));
      }, request.drainMs);
      resume();
    };

    const handler: Dispatcher.DispatchHandler = {
      onRequestStart(started) {
        controller = started;
        if (settled) started.abort(new Error("the call is over"));
      },
      onResponseStart(_, code, received) {
        status = code;
        headers = received;
        const problem = encodingProblem(received);
        if (problem !== undefined) stop(problem);
        else if (stream === undefined || code >= 300) collect = bodyCollector(code >= 300);
      },
      onResponseData(_, chunk) {
        clock.touch();
        if (settled) return;
        if (collect !== undefined) {
          if (!collect.add(chunk))
            stop(new GatewayError("upstream_failed", "The model provider's answer is too large to pass on."));
          return;
        }
        if (stream === undefined) return;
        const out = stream.push(chunk);
        if (progress.failure !== undefined) {
          if (firstByteAt !== undefined) send(out);
          stop(progress.failure);
        } else send(out);
      },
      onResponseEnd() {
        if (settled) return;
        if (collect !== undefined && status >= 300) stop(request.errorOf(status, headers, collect.bytes()));
        else if (collect !== undefined) finishWhole(collect.bytes());
        else finishStream();
      },
      onResponseError(_, cause) {
        stop(connectionError(cause));
      },
    };

    const finishWhole = (body: Buffer): void => {
      let whole: ReturnType<Exchange["answer"]>;
      try {
        whole = exchange.answer(body, headers);
      } catch (cause) {
        stop(
          cause instanceof GatewayError
            ? cause
            : new GatewayError("upstream_failed", "The model provider's answer could not be read. Try again.", {
                cause,
              }),
        );
        return;
      }
      progress.usage = whole.usage;
      progress.stopReason = whole.stopReason;
      if (gone) {
        sent("aborted");
        return;
      }
      firstByteAt = performance.now();
      outgoing.writeHead(200, {
        ...context.headers,
        ...whole.headers,
        "content-type": whole.contentType ?? "application/json",
        "content-length": Buffer.byteLength(whole.body),
      });
      outgoing.end(whole.body);
      sent("ok");
    };

    const finishStream = (): void => {
      if (stream === undefined) return;
      const out = stream.end();
      if (progress.failure !== undefined || !progress.complete) {
        if (firstByteAt !== undefined) send(out);
        stop(
          progress.failure ??
            new GatewayError("upstream_failed", "The model provider's answer ended early. Try again."),
        );
        return;
      }
      send(out);
      if (!gone) outgoing.end();
      sent(gone ? "aborted" : "ok");
    };

    if (signal.aborted) {
      onAbort();
      return;
    }
    signal.addEventListener("abort", onAbort, { once: true });
    outgoing.once("close", left);
    const { method, body } = exchange;
    dispatched = true;
    request.dispatcher.dispatch(
      { method, path: request.path, headers: request.headers, body: body.length === 0 ? null : body },
      handler,
    );
  });
}
