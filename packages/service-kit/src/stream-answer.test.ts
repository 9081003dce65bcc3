import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createLogger } from "./log.ts";
import { requestContext } from "./request.ts";
import { serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

const opened: Service[] = [];
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(opened.splice(0).map((service) => service.close()));
});

async function start(body: () => ReadableStream<Uint8Array>, init: ResponseInit = {}) {
  const logs = captureLogs();
  const log = createLogger({ service: "test", destination: logs.destination });
  const app = new Hono().use(requestContext({ service: "test", log }));
  app.get("/", () => new Response(body(), init));
  app.get("/hono", (c) => c.body(body(), 200, { "content-type": "text/event-stream" }));
  const service = await serve({
    name: "test",
    app,
    host: "127.0.0.1",
    port: 0,
    portVariable: "P",
    log,
    graceSeconds: 0,
  });
  opened.push(service);
  return { url: service.url, logs };
}

const encoder = new TextEncoder();

describe("a stream", () => {
  test("whose client left before there was an answer is cancelled", async () => {
    const gone = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<string>();
    const log = createLogger({ service: "test", level: "silent" });
    const app = new Hono().get("/", async (c) => {
      const { outgoing } = c.env as unknown as { outgoing: ServerResponse };
      outgoing.once("close", gone.resolve);
      await gone.promise;
      // A turn later, when whoever listens for the end from now on has missed it.
      await sleep(10);
      return new Response(new ReadableStream({ cancel: (reason: Error) => cancelled.resolve(reason.name) }));
    });
    const options = { host: "127.0.0.1", port: 0, portVariable: "P", graceSeconds: 0 };
    const service = await serve({ name: "test", app, log, ...options });
    opened.push(service);
    const socket = connect(service.port, "127.0.0.1").end("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    socket.on("error", () => {});
    await sleep(50);
    socket.destroy();
    expect(await cancelled.promise).toBe("ClientGone");
  });

  test("arrives whole, in parts as they come, with its headers and cookies", async () => {
    const read = Promise.withResolvers<void>();
    const parts = async function* () {
      yield encoder.encode("one ");
      await read.promise;
      yield encoder.encode("two");
    };
    const headers = new Headers({ "x-own": "1" });
    for (const cookie of ["a=1", "b=2"]) headers.append("set-cookie", cookie);
    const { url, logs } = await start(() => ReadableStream.from(parts()), { status: 201, headers });
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get("x-own"), answer.headers.getSetCookie()]).toEqual([
      201,
      "1",
      ["a=1", "b=2"],
    ]);
    expect(answer.headers.get("x-request-id")).toBeTruthy();
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe("one ");
    read.resolve();
    expect((await reader?.read())?.value).toBe("two");
    await expect.poll(() => logs.requests()).toMatchObject([{ status: 201, outcome: "ok" }]);
    expect(await (await fetch(`${url}/hono`)).text()).toBe("one two");
  });

  test("that fails is cut, logged masked, and not printed", async () => {
    const printed = vi.spyOn(console, "error").mockImplementation(() => {});
    const failing = async function* () {
      yield encoder.encode("part");
      await sleep(20);
      throw new Error("upstream broke with sk-canary-123456");
    };
    const { url, logs } = await start(() => ReadableStream.from(failing()));
    const answer = await fetch(url);
    await expect(answer.text()).rejects.toThrow();
    await expect.poll(() => logs.requests()).toMatchObject([{ status: 200, outcome: "aborted" }]);
    expect(logs.text()).toContain("upstream broke with [masked]");
    expect(printed).not.toHaveBeenCalled();
  });

  test("that comes after the request was refused for its slowness is not left running", async () => {
    const cancelled = Promise.withResolvers<void>();
    const log = createLogger({ service: "test", destination: captureLogs().destination });
    const app = new Hono().use(requestContext({ service: "test", log }));
    const body = () => new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() });
    app.post("/", async (c) => {
      await c.req.text().catch(() => {});
      return new Response(body());
    });
    const limits = { headersMs: 100, requestMs: 200 };
    const common = { name: "test", app, host: "127.0.0.1", port: 0, portVariable: "P", log, graceSeconds: 0, limits };
    const service = await serve(common);
    opened.push(service);
    const socket = connect(service.port, "127.0.0.1").on("error", () => {});
    socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1");
    await cancelled.promise;
    socket.destroy();
  });

  test("is cancelled when the client leaves, and made no faster than it is read", async () => {
    let made = 0;
    const cancelled = Promise.withResolvers<unknown>();
    const endless = () =>
      new ReadableStream<Uint8Array>({
        pull(controller) {
          made += 1;
          controller.enqueue(new Uint8Array(65_536));
        },
        cancel: (reason) => cancelled.resolve(reason),
      });
    const { url } = await start(endless);
    const leaving = new AbortController();
    const answer = await fetch(url, { signal: leaving.signal });
    const grown = async (): Promise<number> => {
      const before = made;
      await sleep(100);
      return made - before;
    };
    await expect.poll(grown, { timeout: 10_000 }).toBe(0);
    expect(answer.body).toBeTruthy();
    leaving.abort();
    expect(await cancelled.promise).toMatchObject({ name: "ClientGone" });
  });
});
