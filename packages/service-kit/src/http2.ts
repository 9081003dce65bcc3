import type { Server } from "node:http";
import { createServer, type Http2Server, type Http2Session } from "node:http2";
import type { Socket } from "node:net";

export interface Http2Limits {
  /** For the first bytes of a connection, in milliseconds. */
  readonly headersMs: number;
  /** For a session without a stream, in milliseconds. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
}

export interface Http2Side {
  readonly server: Http2Server;
  /** Takes no new streams; each session ends with its last one. */
  closeIdle(): void;
  destroy(): void;
}

/** RFC 9113 section 3.4: what a client that knows it speaks HTTP/2 begins with. */
const preface = "PRI ";
const maxStreams = 250;

/**
 * Lets a server speak HTTP/2 with prior knowledge beside HTTP/1.1: the AWS SDK for JavaScript begins with it and knows
 * nothing else. The first bytes of a connection tell which.
 * @param release called for a connection that is the other side's now
 */
export function speakHttp2(server: Server, limits: Http2Limits, release: (socket: Socket) => void): Http2Side {
  const http2 = createServer({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: limits.maxHeaderBytes },
  });
  const sessions = new Set<Http2Session>();
  http2.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
    session.on("error", () => session.destroy());
    session.setTimeout(limits.keepAliveMs, () => session.close());
  });
  const accept = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const give = (): void => {
      socket.setTimeout(0).off("timeout", drop).off("error", drop);
    };
    const drop = (): void => void socket.destroy();
    socket.setTimeout(limits.headersMs).on("timeout", drop).on("error", drop);
    // Reading by `readable` leaves the socket unflowing: an HTTP/2 session takes what is buffered before it reads on.
    socket.once("readable", () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      give();
      socket.unshift(first);
      if (first.toString("latin1", 0, preface.length) === preface) {
        release(socket);
        http2.emit("connection", socket);
      } else {
        for (const listener of accept) listener.call(server, socket);
      }
    });
  });
  return {
    server: http2,
    closeIdle() {
      for (const session of sessions) session.close();
    },
    destroy() {
      for (const session of sessions) session.destroy();
    },
  };
}
