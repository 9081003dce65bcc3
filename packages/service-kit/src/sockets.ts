import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** The connections of one server, and which of them are at work. */
export interface Sockets {
  /** Closes connections without a running request, and from now on each one when its request has ended. */
  closeIdle(): void;
  /** Closes everything, at once. */
  destroy(): void;
  /** Requests that are running. */
  readonly running: number;
  /** Resolves when no request is running. */
  idle(): Promise<void>;
  /** Counts a request of a connection that is not this server's own, for instance of an HTTP/2 session. */
  count(outgoing: ServerResponse): void;
  /** The answer that is due on a connection. */
  pending(socket: Duplex): ServerResponse | undefined;
}

/**
 * Knows every connection and the requests on it. `server.close()` alone waits for a connection that was opened and
 * never used, and keeps kept-alive ones whose request ends later.
 */
export function trackSockets(server: Server): Sockets {
  // Arrays and no sets: what comes and goes with each request leaves a set's dead tables behind (see roster.ts).
  const requests = new Map<Duplex, ServerResponse[]>();
  const waiting = new Set<() => void>();
  let running = 0;
  let closing = false;

  server.on("connection", (socket: Socket) => {
    requests.set(socket, []);
    socket.once("close", () => requests.delete(socket));
  });
  const ended = (): void => {
    running -= 1;
    if (running === 0) for (const resolve of waiting) resolve();
  };
  const count = (outgoing: ServerResponse): void => {
    running += 1;
    outgoing.on("close", ended);
  };
  server.on("request", ({ socket }: IncomingMessage, outgoing: ServerResponse) => {
    const ofSocket = requests.get(socket);
    ofSocket?.push(outgoing);
    if (closing) endAfter(outgoing);
    running += 1;
    outgoing.on("close", () => {
      if (ofSocket !== undefined) ofSocket.splice(ofSocket.indexOf(outgoing), 1);
      if (closing && ofSocket?.length === 0) endSocket(socket);
      ended();
    });
  });

  return {
    get running() {
      return running;
    },
    closeIdle() {
      closing = true;
      for (const [socket, ofSocket] of requests) {
        if (ofSocket.length === 0) endSocket(socket);
        else for (const outgoing of ofSocket) endAfter(outgoing);
      }
    },
    destroy() {
      for (const socket of requests.keys()) socket.destroy();
    },
    count,
    pending(socket) {
      return requests.get(socket)?.[0];
    },
    idle() {
      return running === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve));
    },
  };
}

/** What was written still goes out. */
function endSocket(socket: Duplex): void {
  socket.end(() => socket.destroy());
}

/** Tells the client not to use the connection again, where the head was not sent yet. */
function endAfter(outgoing: ServerResponse): void {
  if (!outgoing.headersSent) outgoing.setHeader("connection", "close");
}
