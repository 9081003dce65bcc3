import type { IncomingMessage, ServerResponse } from "node:http";

/** Called with the reason when a request must come to its end. */
export type AbortRequest = (reason: Error) => void;

/** What `serve` hands to the app with each request, as Hono's `c.env`. */
export interface Connection {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** The requests that are still running: those who are in it are told when the shutdown deadline comes. */
  readonly running: Set<AbortRequest>;
}

/** The reasons of `c.var.signal`. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
  constructor() {
    super("the client closed the connection before the answer was complete");
  }
}

export class ShuttingDown extends Error {
  override readonly name = "ShuttingDown";
  constructor() {
    super("the service is shutting down");
  }
}

/** The connection, or nothing when the app is called without a server, as tests do with `app.request()`. */
export function connectionOf(env: unknown): Connection | undefined {
  return typeof env === "object" && env !== null && "outgoing" in env && "running" in env
    ? (env as Connection)
    : undefined;
}
