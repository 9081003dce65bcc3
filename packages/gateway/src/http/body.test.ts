import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import {
  connect as connectHttp2,
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
} from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createReadBody } from "./body.ts";
import { gatherOnPages } from "./pages.ts";

let server: Server;
const read = createReadBody(5_000);
beforeAll(async () => {
  server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** A request whose head has come, and the client's end of it. */
async function begun(): Promise<{ incoming: IncomingMessage; client: Socket }> {
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {});
  const request = once(server, "request") as Promise<[IncomingMessage]>;
  client.write("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const [incoming] = await request;
  return { incoming, client };
}

test("a body of very many pieces is whole, and held in few buffers", async () => {
  const { incoming, client } = await begun();
  const body = read(incoming, 1_000_000);
  const joined = vi.spyOn(Buffer, "concat");
  const text = Array.from({ length: 100_000 }, (_, index) => String(index % 10)).join("");
  client.write([...text].map((sign) => `1\r\n${sign}\r\n`).join(""));
  client.write("0\r\n\r\n");
  expect(Buffer.from(await body).toString()).toBe(text);
  const held = joined.mock.calls.map(([list]) => list).find((list) => list.length > 10) ?? [];
  joined.mockRestore();
  expect(held.length).toBeLessThan(30);
  client.destroy();
});

test("a body whose client left while others were asked is not waited for", async () => {
  const { incoming, client } = await begun();
  client.write('3\r\n{"a\r\n');
  const closed = new Promise((resolve) => incoming.on("error", () => {}).on("close", resolve));
  client.destroy();
  await closed;
  // Not by the deadline, which has another name.
  await expect(async () => read(incoming, 1_000)).rejects.toMatchObject({ code: "invalid_request" });
});

test("nor is one whose HTTP/2 stream was reset as soon as it had begun", async () => {
  const http2 = createHttp2Server();
  await once(http2.listen(0, "127.0.0.1"), "listening");
  const session = connectHttp2(`http://127.0.0.1:${(http2.address() as AddressInfo).port}`);
  const request = once(http2, "request") as Promise<[Http2ServerRequest]>;
  const stream = session.request({ ":method": "POST" }).on("error", () => {});
  stream.end("{}");
  const [incoming] = await request;
  const closed = new Promise((resolve) => incoming.on("close", resolve));
  stream.close(constants.NGHTTP2_CANCEL);
  await closed;
  await new Promise(setImmediate);
  const asked = (async () => read(incoming as unknown as IncomingMessage, 1_000))();
  const waited = new Promise((resolve) => setTimeout(resolve, 1_000, "still waiting"));
  await expect(Promise.race([asked, waited])).rejects.toMatchObject({ code: "invalid_request" });
  session.destroy();
  http2.close();
});

test("pages keep the order, whatever the sizes", () => {
  const size = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(4_095, 4_096, 65_536, 70_000));
  fc.assert(
    fc.property(fc.array(size, { maxLength: 60 }), (sizes) => {
      const pieces = sizes.map((length, index) => Buffer.alloc(length, index));
      const parts: Buffer[] = [];
      const pages = gatherOnPages(parts);
      for (const piece of pieces) pages.add(piece);
      pages.close();
      expect(Buffer.concat(parts).equals(Buffer.concat(pieces))).toBe(true);
    }),
  );
});
