import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { createRunning } from "./connection.ts";
import { drain } from "./drain.ts";
import type { Readiness } from "./health.ts";
import { listen } from "./listen.ts";
import type { Logger } from "./log.ts";
import { hasSeveralHosts, refuseConnection, refuseSeveralHosts, refuseUnreadable } from "./refusals.ts";
import type { Service } from "./service.ts";
import { trackSockets } from "./sockets.ts";

/** What `serve` needs of an app: a Hono app of any variables. */
export interface Fetcher {
  fetch(request: Request, env: object): Response | Promise<Response>;
}

export interface RequestLimits {
  /** For the head of a request to arrive, in milliseconds; a slower client gets 408. */
  readonly headersMs: number;
  /** For the whole request to arrive, in milliseconds; a slower client gets 408. */
  readonly requestMs: number;
  /** For the next request on a kept connection; above the 60 s of common load balancers, or they meet closed ones. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
}

export const defaultLimits: RequestLimits = {
  headersMs: 15_000,
  requestMs: 60_000,
  keepAliveMs: 65_000,
  maxHeaderBytes: 32 * 1024,
};

export interface ServeOptions {
  readonly name: string;
  readonly app: Fetcher;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** The variable that sets the port: named when it is taken. */
  readonly portVariable: string;
  readonly log: Logger;
  /** From the signal to the end, at most. */
  readonly graceSeconds: number;
  readonly readiness?: Readiness;
  /** How long to go on accepting while not ready, so that load balancers notice first. */
  readonly noticeSeconds?: number;
  /** Called when draining begins. */
  readonly onDrain?: () => void | Promise<void>;
  /** Called one after another when no request runs any more: flush rows, close stores. */
  readonly onClose?: readonly (() => void | Promise<void>)[];
  readonly limits?: Partial<RequestLimits>;
}

/**
 * Serves the app until `close()`.
 * @throws ConfigError when the address cannot be bound, naming the variable
 */
export async function serve(options: ServeOptions): Promise<Service> {
  const { name, app, host, log } = options;
  const running = createRunning();
  const server = createServer(serverOptions({ ...defaultLimits, ...options.limits }));
  const sockets = trackSockets(server);
  const respond = getRequestListener(
    async (request, connection) => {
      const response = await app.fetch(request, { ...connection, running });
      return connection.outgoing.headersSent ? RESPONSE_ALREADY_SENT : response;
    },
    { errorHandler: refuseUnreadable(log) },
  );
  server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (hasSeveralHosts(incoming)) refuseSeveralHosts(outgoing, log);
    else void respond(incoming, outgoing);
  });
  server.on("clientError", (error, socket) => refuseConnection(error, socket, sockets.pending(socket), log));
  const port = await listen(server, { host, port: options.port, portVariable: options.portVariable });
  log.info({ host, port }, "listening");
  let closed: Promise<void> | undefined;
  return {
    name,
    port,
    url: urlOf(host, port),
    close() {
      closed ??= drain({ ...options, server, sockets, running });
      return closed;
    },
  };
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
