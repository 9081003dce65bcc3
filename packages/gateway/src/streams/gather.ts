import { ShuttingDown } from "@onbehalf/service-kit";
import type { ForwardContext } from "../call.ts";
import { GatewayError } from "../errors.ts";
import { newProgress } from "../upstreams/exchange.ts";
import { bodyCollector, connectionError, encodingProblem } from "./reception.ts";
import type { RelayRequest, RelayResult } from "./relay.ts";

/** Calls of one exchange that run beside each other. */
const parallelCalls = 8;

/** Sends one of several calls of an exchange: its answer goes to `exchange.answer` and not yet to the client. */
export function gather(request: RelayRequest, context: ForwardContext): Promise<RelayResult> {
  return new Promise((resolve) => {
    const { exchange } = request;
    const gathered = {
      kind: "sent",
      outcome: "ok",
      error: undefined,
      progress: newProgress(),
      firstByteAt: undefined,
    } as const;
    let status = 0;
    let headers: Parameters<RelayRequest["errorOf"]>[1] = {};
    let collect = bodyCollector(false);
    let abort: ((reason: Error) => void) | undefined;
    let isOver = false;
    const done = (result: RelayResult): void => {
      isOver = true;
      clearTimeout(timer);
      context.signal.removeEventListener("abort", onAbort);
      resolve(result);
    };
    const fail = (error: GatewayError): void => {
      done({ kind: "failed", error });
      abort?.(error);
    };
    const onAbort = (): void => {
      if (context.signal.reason instanceof ShuttingDown) {
        fail(new GatewayError("shutting_down", "The gateway is shutting down. Send the request again."));
        return;
      }
      // Nobody waits for the whole any more: what follows sees that by itself.
      done({ ...gathered, outcome: "aborted" });
      abort?.(new Error("the client is gone"));
    };
    const timer = setTimeout(
      () => fail(new GatewayError("upstream_timeout", "The model did not answer in time.")),
      request.limits.totalMs,
    );
    if (context.signal.aborted) return onAbort();
    context.signal.addEventListener("abort", onAbort, { once: true });
    request.dispatcher.dispatch(
      { method: exchange.method, path: request.path, headers: request.headers, body: exchange.body },
      {
        onRequestStart(controller) {
          abort = (reason) => controller.abort(reason);
          if (isOver) controller.abort(new Error("the call is over"));
        },
        onResponseStart(_, code, received) {
          if (code < 200) return;
          status = code;
          headers = received;
          collect = bodyCollector(code >= 300);
          const problem = encodingProblem(received);
          if (problem !== undefined) fail(problem);
        },
        onResponseData(_, chunk) {
          if (!collect.add(chunk))
            fail(new GatewayError("upstream_failed", "The model provider's answer is too large to pass on."));
        },
        onResponseEnd() {
          if (isOver) return;
          if (status >= 300) return fail(request.errorOf(status, headers, collect.bytes()));
          try {
            exchange.answer(collect.bytes(), headers);
            done(gathered);
          } catch (cause) {
            fail(
              cause instanceof GatewayError
                ? cause
                : new GatewayError("upstream_failed", "The model provider's answer could not be read. Try again.", {
                    cause,
                  }),
            );
          }
        },
        onResponseError: (_, cause) => fail(connectionError(cause)),
      },
    );
  });
}

/** Runs calls a few at a time. @returns the first failure, after which no further call is sent */
export async function inTurn<Call>(
  calls: readonly Call[],
  run: (call: Call) => Promise<RelayResult>,
): Promise<RelayResult | undefined> {
  let next = 0;
  let failed: RelayResult | undefined;
  const worker = async (): Promise<void> => {
    for (let call = calls[next++]; call !== undefined && failed === undefined; call = calls[next++]) {
      const result = await run(call);
      if (result.kind === "failed") failed ??= result;
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallelCalls, calls.length) }, worker));
  return failed;
}
