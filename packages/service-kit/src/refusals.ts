import { type IncomingMessage, METHODS, type ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import { answerHeaders } from "./answer-headers.ts";
import { HttpError } from "./http-error.ts";
import type { Logger } from "./log.ts";

/** Answers that are given before any app sees the request: it cannot be read, or not in one way only. */
interface Refusal {
  readonly status: 400 | 408 | 413 | 431 | 500;
  readonly error: string;
  readonly message: string;
}

const severalHosts: Refusal = {
  status: 400,
  error: "invalid_request",
  message: "The request has several Host headers; send one.",
};
const unknownMethod: Refusal = {
  status: 400,
  error: "invalid_request",
  message: "The request's method is not one of HTTP; use GET, POST or another that the documentation names.",
};
const unreadable: Refusal = {
  status: 400,
  error: "invalid_request",
  message: "The request cannot be read as HTTP; check its head and its Host.",
};
const internal: Refusal = {
  status: 500,
  error: "internal_error",
  message: "Something went wrong here. Try again; if it stays, report the request_id.",
};

/** Two hosts mean that a proxy and this service may each believe another one (RFC 9112 section 3.2). */
export function hasSeveralHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts > 1;
}

/** Answers 400 (RFC 9112 section 3.2). */
export function refuseSeveralHosts(outgoing: ServerResponse, log: Logger): void {
  answer(outgoing, severalHosts, log);
}

const methods: ReadonlySet<string> = new Set(METHODS);

/** HTTP/2 lets any word through; Node's parser of HTTP/1.1 knows a bounded number, and so may what counts by method. */
export function hasUnknownMethod(method: string): boolean {
  return !methods.has(method);
}

/** Answers 400 on an HTTP/2 stream, where Node's parser does not do it. */
export function refuseUnknownMethod(outgoing: Http2ServerResponse, log: Logger): void {
  const { body, requestId } = envelope(unknownMethod);
  log.info(line(unknownMethod, requestId), "request");
  outgoing.writeHead(unknownMethod.status, { "content-type": "application/json", "x-request-id": requestId });
  // Without the rest of the request, which nobody reads.
  outgoing.end(body, () => outgoing.stream.close());
}

/** For what the adapter cannot turn into a request, and for what an app throws past its own error handler. */
export function refuseUnreadable(log: Logger): (error: unknown) => Response {
  return (error) => {
    const refusal = error instanceof Error && error.name === "RequestError" ? unreadable : internal;
    if (refusal === internal) log.error({ err: error }, "request failed outside the app");
    const { body, requestId } = envelope(refusal);
    if (refusal !== internal) log.info(line(refusal, requestId), "request");
    const headers = { "content-type": "application/json", "x-request-id": requestId };
    return new Response(body, { status: refusal.status, headers });
  };
}

/**
 * What Node's parser refuses: broken framing, a head that is too large, a request that comes too slowly.
 * @param pending the answer that the request on this connection is still waiting for, when its head had arrived
 */
export function refuseConnection(error: Error, socket: Duplex, pending: ServerResponse | undefined, log: Logger): void {
  const code = "code" in error ? String(error.code) : "";
  const gone = code === "ECONNRESET" || code === "HPE_INVALID_EOF_STATE";
  if (gone || socket.destroyed || !socket.writable || pending?.headersSent) {
    socket.destroy();
    return;
  }
  const refusal = byCode(code);
  if (pending !== undefined) {
    answer(pending, refusal, log);
    return;
  }
  const { body, requestId } = envelope(refusal);
  log.info({ ...line(refusal, requestId), reason: code }, "request");
  const head = [`HTTP/1.1 ${refusal.status} ${reasons[refusal.status]}`, "content-type: application/json"];
  head.push(`content-length: ${Buffer.byteLength(body)}`, `x-request-id: ${requestId}`, "connection: close");
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

const reasons: Readonly<Record<Refusal["status"], string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
};

function byCode(code: string): Refusal {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, error: "request_timeout", message: "The request came too slowly; send it again, faster." };
    case "HPE_HEADER_OVERFLOW":
      return {
        status: 431,
        error: "request_head_too_large",
        message: "The request's headers are too large; send fewer.",
      };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return {
        status: 413,
        error: "request_too_large",
        message: "The chunk extensions are too large; leave them out.",
      };
    default:
      return unreadable;
  }
}

/** The connection ends with the answer: what else comes on it cannot be told apart. */
function answer(outgoing: ServerResponse, refusal: Refusal, log: Logger): void {
  const { body, requestId } = envelope(refusal, outgoing);
  const given = answerHeaders(outgoing);
  // With an id it has its line already, or will have it.
  if (given["x-request-id"] === undefined) log.info(line(refusal, requestId), "request");
  const own = { "content-type": "application/json", "x-request-id": requestId, connection: "close" };
  outgoing.writeHead(refusal.status, { ...given, ...own });
  const { req: incoming, socket } = outgoing;
  // Node forgets a request once it is answered: whoever still reads its body would wait for ever.
  socket?.once("close", () => incoming.destroy(asError(refusal)));
  outgoing.end(body, () => socket?.destroySoon());
}

/** For the app that reads the rest: this is no failure of its own. */
function asError({ status, error, message }: Refusal): HttpError {
  return new HttpError(status, error, message);
}

function envelope({ error, message }: Refusal, outgoing?: ServerResponse): { body: string; requestId: string } {
  const given = outgoing === undefined ? undefined : answerHeaders(outgoing)["x-request-id"];
  const requestId = given ?? crypto.randomUUID();
  return { requestId, body: JSON.stringify({ error, message, request_id: requestId }) };
}

function line({ status, error }: Refusal, requestId: string): object {
  return { request_id: requestId, route: "unmatched", status, outcome: "error", error_code: error };
}
