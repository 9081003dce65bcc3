import { once } from "node:events";
import { connect } from "node:http2";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bodyLimit } from "./body-limit.ts";
import { errorHandler } from "./errors.ts";
import { createLogger } from "./log.ts";
import { serve } from "./serve.ts";
import type { Service } from "./service.ts";

const app = new Hono().use(bodyLimit(1_000)).onError(errorHandler());
app.post("/", async (c) => c.text(String((await c.req.text()).length)));
app.get("/", (c) => c.text("none"));

let service: Service;
beforeAll(async () => {
  const log = createLogger({ service: "test", level: "silent" });
  service = await serve({
    name: "test",
    app,
    host: "127.0.0.1",
    port: 0,
    portVariable: "P",
    log,
    graceSeconds: 0,
    http2: true,
  });
});
afterAll(() => service.close());

/** Without an announced length. */
const chunked = (size: number) => ({
  method: "POST",
  body: Readable.toWeb(
    Readable.from(
      (function* () {
        for (let sent = 0; sent < size; sent += 100) yield Buffer.alloc(100, "x");
      })(),
    ),
  ),
  duplex: "half" as const,
});

/** With neither length nor transfer encoding, as only HTTP/2 has them. */
async function overHttp2(size: number): Promise<number> {
  const session = connect(service.url);
  try {
    const stream = session.request({ ":method": "POST", ":path": "/" });
    const [headers] = await Promise.race([
      once(stream.end(Buffer.alloc(size, "x")), "response"),
      once(session, "error"),
    ]);
    return headers[":status"];
  } finally {
    session.destroy();
  }
}

describe("a body", () => {
  test("over HTTP/2 is counted, which says beforehand neither its length nor that there is one", async () => {
    expect(await overHttp2(1_000)).toBe(200);
    expect(await overHttp2(1_001)).toBe(413);
  });

  test("at the limit passes, announced or chunked", async () => {
    const announced = await fetch(service.url, { method: "POST", body: "x".repeat(1_000) });
    expect([announced.status, await announced.text()]).toEqual([200, "1000"]);
    const streamed = await fetch(service.url, chunked(1_000));
    expect([streamed.status, await streamed.text()]).toEqual([200, "1000"]);
    expect(await (await fetch(service.url)).text()).toBe("none");
    expect(await (await fetch(service.url, { method: "POST" })).text()).toBe("0");
  });

  test.each([
    ["announced", () => fetch(service.url, { method: "POST", body: "x".repeat(1_001) })],
    ["chunked", () => fetch(service.url, chunked(1_100))],
    ["without a server", () => app.request("/", { method: "POST", body: "x".repeat(1_001) })],
  ])("beyond the limit is refused: %s", async (_, send) => {
    const answer = await send();
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({
      error: "request_too_large",
      message: expect.stringContaining("1000 bytes"),
    });
  });
});
