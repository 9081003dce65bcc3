import type { Server } from "node:http";
import { createServer, type Http2Server, type Http2Session } from "node:http2";
import type { Socket } from "node:net";

/** What a connection may take of time and memory before it has proven useful. */
interface Http2Limits {
  /** For the first bytes of a connection, in milliseconds. */
  readonly headersMs: number;
  /** For a session without a stream, in milliseconds. */
  readonly keepAliveMs: number;
  readonly maxHeaderBytes: number;
}

/** The HTTP/2 connections of a server, to be ended on their own: closing the server does not end them. */
export interface Http2Side {
  readonly server: Http2Server;
  /** Drops connections that have said nothing yet and takes no new streams; each session ends with its last one. */
  closeIdle(): void;
  /** Ends every session; what was written still goes out, to clients that take it. */
  destroy(): void;
  /** Cuts what is left: a client that neither reads nor leaves keeps its connection open otherwise. */
  cut(): void;
}

/** RFC 9113 section 3.4: what a client that knows it speaks HTTP/2 begins with. */
const preface = "PRI ";
const maxStreams = 250;
/** For a client to leave once its session has ended, in milliseconds. */
const leavingMs = 1_000;

/**
 * Lets a server speak HTTP/2 with prior knowledge beside HTTP/1.1: the AWS SDK for JavaScript begins with it and knows
 * nothing else. The first bytes of a connection tell which. Connections belong to this side until they speak HTTP/1.1.
 */
export function speakHttp2(server: Server, limits: Http2Limits): Http2Side {
  const http2 = createServer({
    settings: { maxConcurrentStreams: maxStreams, maxHeaderListSize: limits.maxHeaderBytes },
  });
  const silent = new Set<Socket>();
  const speaking = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  http2.on("session", (session) => {
    remember(sessions, session);
    session.on("error", () => session.destroy());
    session.setTimeout(limits.keepAliveMs, () => session.close());
  });
  const takeHttp2 = (socket: Socket): void => {
    remember(speaking, socket);
    // The session has ended the connection; a client that does not do the same would keep half of it for ever.
    socket.once("finish", () => socket.setTimeout(leavingMs, () => socket.destroy()));
    http2.emit("connection", socket);
  };
  const accept = server.listeners("connection");
  const takeHttp1 = (socket: Socket): void => {
    for (const listener of accept) listener.call(server, socket);
  };
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    remember(silent, socket);
    firstBytes(socket, limits.headersMs, (isHttp2) => {
      silent.delete(socket);
      if (isHttp2) takeHttp2(socket);
      else takeHttp1(socket);
    });
  });
  return {
    server: http2,
    closeIdle() {
      for (const socket of silent) socket.destroy();
      for (const session of sessions) session.close();
    },
    destroy() {
      for (const session of sessions) session.destroy();
    },
    cut() {
      for (const socket of speaking) socket.destroy();
    },
  };
}

/** Says once which language a connection speaks; one that does not come to it in time, or leaves, is dropped. */
function firstBytes(socket: Socket, withinMs: number, decided: (isHttp2: boolean) => void): void {
  let held = Buffer.alloc(0);
  const drop = (): void => void socket.destroy();
  const read = (): void => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    held = Buffer.concat([held, bytes]);
    const begin = held.toString("latin1", 0, preface.length);
    if (begin !== preface && preface.startsWith(begin)) return;
    socket.setTimeout(0).off("timeout", drop).off("error", drop).off("end", drop).off("readable", read);
    socket.unshift(held);
    decided(begin === preface);
  };
  // Reading by `readable` leaves the socket unflowing: an HTTP/2 session takes what is buffered before it reads on.
  socket.setTimeout(withinMs).on("timeout", drop).on("error", drop).on("end", drop).on("readable", read);
}

function remember<T extends Socket | Http2Session>(set: Set<T>, one: T): void {
  set.add(one);
  one.once("close", () => set.delete(one));
}
