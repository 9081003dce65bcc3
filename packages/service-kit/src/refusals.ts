import type { IncomingMessage, ServerResponse } from "node:http";
import type { Logger } from "./log.ts";

/** Answers that are given before any app sees the request: it cannot be read, or not in one way only. */

/** Two hosts mean that a proxy and this service may each believe another one (RFC 9112 section 3.2). */
export function refuseBrokenRequest(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
  if (countHosts(incoming.rawHeaders) < 2) return false;
  outgoing.writeHead(400, { "content-type": "application/json", connection: "close" });
  outgoing.end(refusal("invalid_request", "The request has several Host headers; send one."));
  return true;
}

/** For what the adapter cannot turn into a request, and for what an app throws past its own error handler. */
export function refuseUnreadable(log: Logger): (error: unknown) => Response {
  return (error) => {
    const unreadable = error instanceof Error && error.name === "RequestError";
    if (!unreadable) log.error({ err: error }, "request failed outside the app");
    const body = unreadable
      ? refusal("invalid_request", "The request's address or Host header cannot be read.")
      : refusal("internal_error", "Something went wrong here. Try again.");
    return new Response(body, { status: unreadable ? 400 : 500, headers: { "content-type": "application/json" } });
  };
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts;
}

function refusal(error: string, message: string): string {
  return JSON.stringify({ error, message, request_id: crypto.randomUUID() });
}
