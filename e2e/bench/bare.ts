import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "undici";

/**
 * The floor of the language: `node:http` to `undici` and back, nothing read, nothing checked. Everything the gateway
 * does costs something beside this.
 */
const pool = new Pool(process.argv[2] ?? "");

const server = createServer((incoming, outgoing) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    pool.dispatch(
      {
        method: "POST",
        path: incoming.url ?? "/",
        headers: { "content-type": "application/json" },
        body: Buffer.concat(parts),
      },
      {
        onRequestStart(controller) {
          outgoing.once("close", () => {
            if (!outgoing.writableFinished) controller.abort(new Error("the client is gone"));
          });
        },
        onResponseStart(_, status, headers) {
          const { "transfer-encoding": _chunked, connection: _hop, "keep-alive": _kept, ...passed } = headers;
          outgoing.writeHead(status, passed);
        },
        onResponseData(controller, chunk) {
          if (outgoing.write(chunk)) return;
          controller.pause();
          outgoing.once("drain", () => controller.resume());
        },
        onResponseEnd: () => void outgoing.end(),
        onResponseError: () => void outgoing.destroy(),
      },
    );
  });
});

server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
