import { connect } from "node:net";

/** The answer to bytes that no HTTP client would send. */
export interface RawAnswer {
  /** 0 when the connection ended without one. */
  readonly status: number;
  readonly text: string;
}

const patienceMs = 5_000;

/** Writes `bytes` to the service as they are and reads until it ends the connection, or the first answer is complete. */
export function sendRaw(url: string, bytes: string | Uint8Array): Promise<RawAnswer> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(port), "127.0.0.1");
    const done = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text });
    };
    socket.setTimeout(patienceMs, done);
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", done).on("close", done);
    socket.write(bytes);
  });
}

/** A request whose target is sent exactly as given; no client normalises it on the way. */
export function request(
  method: string,
  target: string,
  headers: readonly (readonly [name: string, value: string])[] = [],
): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `${method} ${target} HTTP/1.1\r\nHost: localhost\r\n${lines}Connection: close\r\n\r\n`;
}
