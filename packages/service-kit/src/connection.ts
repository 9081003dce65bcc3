import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2Stream } from "node:http2";
import { createRoster, type Place } from "./roster.ts";

/** Called with the reason when a request must come to its end. */
export type AbortRequest = (reason: Error) => void;

/** What `serve` hands to the app with each request, as Hono's `c.env`. */
export interface Connection {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  readonly running: Running;
}

/** The requests whose line is not written yet; they are told when the shutdown deadline comes. */
export interface Running {
  add(abort: AbortRequest): Place<AbortRequest>;
  remove(place: Place<AbortRequest>): void;
  abortAll(reason: Error): void;
  /** Resolves when there is none. */
  empty(): Promise<void>;
}

/** The running requests of one server, so that draining can wait for them and cut what is left. */
export function createRunning(): Running {
  const aborts = createRoster<AbortRequest>();
  const waiting = new Set<() => void>();
  return {
    add: (abort) => aborts.add(abort),
    remove(place) {
      aborts.remove(place);
      if (aborts.size === 0) for (const resolve of waiting) resolve();
    },
    abortAll(reason) {
      aborts.each((abort) => abort(reason));
    },
    empty: () => (aborts.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}

/** The reasons of `c.var.signal`. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
  constructor() {
    super("the client closed the connection before the answer was complete");
  }
}

/** Why a request was aborted: the grace of a shutdown is over, and the client did nothing wrong. */
export class ShuttingDown extends Error {
  override readonly name = "ShuttingDown";
  constructor() {
    super("the service is shutting down");
  }
}

/**
 * The last byte was handed to the network. HTTP/2's answers tell it by their stream, whose writable side Node ends also
 * when the client has given it up; and a client may do that without naming an error.
 */
export function isComplete(outgoing: ServerResponse): boolean {
  const { stream } = outgoing as { stream?: Pick<Http2Stream, "writableFinished" | "rstCode" | "aborted"> };
  if (stream === undefined) return outgoing.writableFinished;
  return stream.writableFinished && stream.rstCode === 0 && !stream.aborted;
}

/** The connection, or nothing when the app is called without a server, as tests do with `app.request()`. */
export function connectionOf(env: unknown): Connection | undefined {
  return typeof env === "object" && env !== null && "outgoing" in env && "running" in env
    ? (env as Connection)
    : undefined;
}
