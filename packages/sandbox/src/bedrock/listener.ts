import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer, type Socket } from "node:net";

/** A request, whichever HTTP version carried it. */
export interface Incoming extends AsyncIterable<Buffer> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** Its answer. */
export interface Outgoing {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(chunk: Buffer): boolean;
  end(): unknown;
  end(chunk: Buffer): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}

/** @param cut ends the answer without finishing it, as a broken connection would */
export type Handler = (incoming: Incoming, outgoing: Outgoing, cut: () => void) => Promise<void>;

const http2Preface = "PRI ";
const http2InternalError = 2;

/**
 * Speaks HTTP/1.1 and HTTP/2 with prior knowledge on one port, because the AWS SDK for JavaScript starts with the second
 * and everything else with the first. The first bytes of a connection tell which.
 */
export function createListener(handler: Handler) {
  const sockets = new Set<Socket>();
  const http1: Server = createServer((incoming, outgoing) => {
    void handler(incoming, outgoing, () => outgoing.destroy());
  });
  const http2 = createHttp2Server((incoming, outgoing) => {
    void handler(incoming, outgoing, () => outgoing.stream.close(http2InternalError));
  });
  const tcp = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    // Reading by `readable` leaves the socket unflowing: an HTTP/2 session takes what is buffered before it reads on.
    socket.once("readable", () => {
      const first: Buffer | null = socket.read();
      if (first === null) return;
      const target = first.toString("latin1", 0, http2Preface.length) === http2Preface ? http2 : http1;
      socket.unshift(first);
      target.emit("connection", socket);
    });
  });
  return {
    listen: (port: number, host: string) =>
      new Promise<number>((resolve, reject) => {
        tcp.once("error", reject);
        tcp.listen(port, host, () => {
          const address = tcp.address();
          resolve(typeof address === "object" && address !== null ? address.port : port);
        });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        tcp.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
