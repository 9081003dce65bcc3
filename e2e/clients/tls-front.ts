import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { createServer } from "node:tls";

export interface TlsFront {
  readonly url: string;
  close(): void;
}

/**
 * What a load balancer is in production: ends TLS and hands the bytes on. It offers HTTP/2, which AWS's asynchronous
 * client for Java insists on.
 * @param folder with `server.pem` and `server.key`, as trustme writes them
 */
export async function startTlsFront(target: string, folder: string): Promise<TlsFront> {
  const { port } = new URL(target);
  const [cert, key] = ["server.pem", "server.key"].map((file) => readFileSync(join(folder, file)));
  const server = createServer({ cert, key, ALPNProtocols: ["h2", "http/1.1"] }, (client) => {
    const upstream = connect(Number(port), "127.0.0.1");
    client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
    upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  return { url, close: () => void server.close() };
}
