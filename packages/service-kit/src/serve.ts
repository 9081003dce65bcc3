import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { applyAnswerHeaders } from "./answer-headers.ts";
import { ClientGone, createRunning, type Running } from "./connection.ts";
import { drain } from "./drain.ts";
import type { Readiness } from "./health.ts";
import { speakHttp2 } from "./http2.ts";
import { listen } from "./listen.ts";
import type { Logger } from "./log.ts";
import {
  hasSeveralHosts,
  hasUnknownMethod,
  refuseConnection,
  refuseSeveralHosts,
  refuseUnknownMethod,
  refuseUnreadable,
} from "./refusals.ts";
import type { Service } from "./service.ts";
import { trackSockets } from "./sockets.ts";
import { createStreamFinder, sendStream } from "./stream-answer.ts";
import { writeAtTurnsEnd } from "./turn.ts";

/** What `serve` needs of an app: a Hono app of any variables. */
interface Fetcher {
  fetch(request: Request, env: object): Response | Promise<Response>;
}

/** How long clients may take, and how much room; slower and larger ones are refused or closed. */
export interface RequestLimits {
  /** For the head of a request to arrive, in milliseconds; a slower client gets 408. */
  readonly headersMs: number;
  /** For the whole request to arrive, in milliseconds; a slower client gets 408. */
  readonly requestMs: number;
  /** For the next request on a kept connection; above the 60 s of common load balancers, or they meet closed ones. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
  /** Further connections are closed as they come. */
  readonly maxConnections: number;
}

/** For requests of a few kilobytes that come at once; who takes large uploads sets their own. */
const defaultLimits: RequestLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  maxHeaderBytes: 32 * 1024,
  maxConnections: 10_000,
};

/** What to serve, where, and how it ends. */
export interface ServeOptions {
  /** The service's name in its log. */
  readonly name: string;
  readonly app: Fetcher;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The variable that sets the port: named when it is taken. */
  readonly portVariable: string;
  readonly log: Logger;
  /** From the signal until the last request is cut, at most; the closers come after that. */
  readonly graceSeconds: number;
  /** Told when draining begins, so that load balancers learn of it. */
  readonly readiness?: Readiness | undefined;
  /** How much of it to go on accepting while not ready, so that load balancers notice first. */
  readonly noticeSeconds?: number | undefined;
  /** Called when draining begins. */
  readonly onDrain?: (() => void | Promise<void>) | undefined;
  /** Called one after another when no request runs any more: flush rows, close stores. Each has 5 s. */
  readonly onClose?: readonly (() => void | Promise<void>)[] | undefined;
  /** Instead of the usual ones, one by one. */
  readonly limits?: Partial<RequestLimits> | undefined;
  /** Also HTTP/2 with prior knowledge on the same port, for clients that speak nothing else. */
  readonly http2?: boolean | undefined;
  /** Several processes on one port, one per core: the system deals out connections. A taken port is then no error. */
  readonly reusePort?: boolean | undefined;
}

/**
 * Serves the app until `close()`.
 * @throws ConfigError when the address cannot be bound, naming the variable
 */
export async function serve(options: ServeOptions): Promise<Service> {
  const { name, app, host, log } = options;
  const running = createRunning();
  const limits = { ...defaultLimits, ...options.limits };
  const server = createServer(serverOptions(limits));
  server.maxConnections = limits.maxConnections;
  const sockets = trackSockets(server);
  server.on("connection", writeAtTurnsEnd);
  const respond = createResponder(app, running, log);
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (hasSeveralHosts(incoming)) refuseSeveralHosts(outgoing, log);
    else void respond(incoming, outgoing);
  });
  server.on("clientError", (error, socket) => refuseConnection(error, socket, sockets.pending(socket), log));
  const http2 = options.http2 === true ? speakHttp2(server, limits) : undefined;
  http2?.server.on("request", (incoming, outgoing) => {
    // Alike in everything that is used of them here.
    sockets.count(outgoing as unknown as ServerResponse);
    // A stream that its client has reset by now ends by itself only if somebody reads it, and was counted for ever.
    if (incoming.stream.closed) setImmediate(() => incoming.stream.destroy());
    if (hasUnknownMethod(incoming.method)) refuseUnknownMethod(outgoing, log);
    else void respond(incoming, outgoing);
  });
  const port = await listen(server, options);
  log.info({ host, port }, "listening");
  let closed: Promise<void> | undefined;
  return {
    name,
    port,
    url: urlOf(host, port),
    close() {
      closed ??= drain({ ...options, server, sockets, http2, running });
      return closed;
    },
  };
}

/** Of HTTP/1.0, which need not name a host, as load balancers' checks do not; Node refuses HTTP/1.1 without one. */
const unnamedHost = "localhost";

/** From a request of Node's to the app's answer, sent. */
function createResponder(app: Fetcher, running: Running, log: Logger) {
  const unreadable = refuseUnreadable(log);
  const respond = getRequestListener(
    async (request, connection) => {
      const outgoing = connection.outgoing as ServerResponse;
      const response = await app.fetch(request, { incoming: connection.incoming, outgoing, running });
      if (response === RESPONSE_ALREADY_SENT) return response;
      const body = streamOf(response);
      if (outgoing.headersSent) {
        await body?.cancel(new ClientGone());
        return RESPONSE_ALREADY_SENT;
      }
      if (body === undefined) {
        applyAnswerHeaders(outgoing);
        return response;
      }
      await sendStream(response, body, outgoing, (error) => log.error({ err: error }, "an answer's stream failed"));
      return RESPONSE_ALREADY_SENT;
    },
    { errorHandler: unreadable, hostname: unnamedHost },
  );
  const streamOf = createStreamFinder(new Response(""));
  return respond;
}

function serverOptions(limits: RequestLimits) {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1_000, limits.headersMs, limits.requestMs),
    maxHeaderSize: limits.maxHeaderBytes,
    requireHostHeader: true,
    noDelay: true,
  };
}

function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://localhost:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
