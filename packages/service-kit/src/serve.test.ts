import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect, type Socket } from "node:net";
import { text as readText } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { stream } from "hono/streaming";
import { afterEach, describe, expect, test } from "vitest";
import { ConfigError } from "./config/problems.ts";
import { errorHandler, notFound } from "./errors.ts";
import { healthRoutes, readiness } from "./health.ts";
import { createLogger } from "./log.ts";
import { type RequestVariables, requestContext } from "./request.ts";
import { type ServeOptions, serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

const opened: Service[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
});

type App = Hono<{ Variables: RequestVariables }>;

async function start(routes: (app: App) => void, options: Partial<ServeOptions> = {}) {
  const logs = captureLogs();
  const log = createLogger({ service: "test", destination: logs.destination });
  const app: App = new Hono();
  app.use(requestContext({ service: "test", log }));
  app.onError(errorHandler());
  app.notFound(notFound());
  routes(app);
  const common = { name: "test", app, host: "127.0.0.1", port: 0, portVariable: "TEST_PORT", log, graceSeconds: 0 };
  const service = await serve({ ...common, ...options });
  opened.push(service);
  return { service, logs };
}

/** Speaks to the service byte by byte. */
async function raw(service: Service, ...parts: string[]): Promise<string> {
  const socket = connect(service.port, "127.0.0.1");
  for (const part of parts) {
    socket.write(part);
    await sleep(20);
  }
  return readText(socket).catch(() => "");
}

const streamFor = (app: App, chunks: AsyncIterable<string>) =>
  app.get("/stream", (c) =>
    stream(c, async (out) => {
      for await (const chunk of chunks) await out.write(chunk);
    }),
  );

describe("an address", () => {
  test("that is taken is said in words, naming the variable", async () => {
    const other = createHttpServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const failure = await start(() => {}, { port }).catch((error: unknown) => error);
    other.close();
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure).toMatchObject({
      problems: [{ name: "TEST_PORT", problem: expect.stringMatching(/is taken by another program/) }],
    });
  });

  test("is shared by processes that ask for it", async () => {
    const first = await start((app) => app.get("/", (c) => c.text("ok")), { reusePort: true });
    const port = first.service.port;
    const second = await start((app) => app.get("/", (c) => c.text("ok")), { reusePort: true, port });
    await first.service.close();
    expect(await (await fetch(second.service.url)).text()).toBe("ok");
  });

  test("that is not this machine's names HOST", async () => {
    const failure = await start(() => {}, { host: "203.0.113.1" }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ problems: [{ name: "HOST" }] });
  });
});

describe("a request that cannot be read in one way only", () => {
  const line = "GET /x HTTP/1.1\r\nHost: a\r\n";
  test.each([
    ["two hosts", `${line}Host: b\r\n\r\n`, 400],
    ["no host", "GET /x HTTP/1.1\r\n\r\n", 400],
    [
      "length and chunked",
      `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ["two lengths", `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
    ["a host that is none", "GET /x HTTP/1.1\r\nHost: a/../b?\r\nConnection: close\r\n\r\n", 400],
    ["a head too large", `${line}X-Large: ${"x".repeat(40_000)}\r\n\r\n`, 431],
    ["no HTTP", "\u0016\u0003\u0001\r\n\r\n", 400],
  ])("%s is refused", async (_, bytes, status) => {
    const { service, logs } = await start((app) => app.all("/x", (c) => c.text("reached")));
    const answer = await raw(service, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).not.toContain("reached");
    if (!answer.includes("request_id")) return;
    expect(logs.requests()).toMatchObject([{ status, outcome: "error" }]);
  });
});

test.each([
  ["an encoding that is none", "xchunked"],
  ["a broken chunk", "chunked"],
])("a body with %s is the client's doing, and no failure of ours in the log", async (_, encoding) => {
  const { service, logs } = await start((app) => app.post("/x", async (c) => c.text(await c.req.text())));
  const answer = await raw(service, `POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${encoding}\r\n\r\nzz\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  await expect.poll(() => logs.requests()).toMatchObject([{ status: 400, error_code: "invalid_request" }]);
  expect(logs.lines().filter(({ level }) => level === "error")).toEqual([]);
});

test("nonsense behind a request whose answer has begun ends the connection, and nothing else", async () => {
  const { service, logs } = await start((app) =>
    app.get("/stream", (c) =>
      stream(c, async (out) => {
        await out.write("begun");
        await sleep(300);
      }),
    ),
  );
  const answer = await raw(service, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n", "\u0016\u0003\u0001\r\n\r\n");
  expect(answer).toMatch(/^HTTP\/1\.1 200 (?![\s\S]*HTTP\/1\.1)/);
  await expect.poll(() => logs.requests()).toMatchObject([{ status: 200, outcome: "aborted" }]);
  expect((await fetch(`${service.url}/nowhere`)).status).toBe(404);
});

describe("a request that comes too slowly", () => {
  const limits = { headersMs: 150, requestMs: 300 };

  test("in its head gets 408", async () => {
    const { service, logs } = await start((app) => app.all("/x", (c) => c.text("reached")), {
      limits: { headersMs: 150, requestMs: 600_000 },
    });
    const answer = await raw(service, "GET /x HTTP/1.1\r\nHo");
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"error":"request_timeout"/);
    expect(logs.requests()).toMatchObject([{ status: 408, error_code: "request_timeout" }]);
  });

  test("in its body gets 408 though the one before it on the connection was answered", async () => {
    const read = (app: App) => app.post("/x", async (c) => c.text(await c.req.text()));
    const { service } = await start(read, { limits });
    const head = (id: string) => `POST /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: ${id}\r\nContent-Length: 2\r\n\r\n`;
    const answer = await raw(service, `${head("quick-1")}ok`, `${head("slow-2")}s`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 408 [\s\S]*"request_id":"slow-2"/);
  });

  test("in its body gets 408, once, with its own request id", async () => {
    const read = (app: App) => app.post("/x", async (c) => c.text(await c.req.text()));
    const { service, logs } = await start(read, { limits });
    const head = "POST /x HTTP/1.1\r\nHost: a\r\nX-Request-Id: slow-1\r\nContent-Length: 10\r\n\r\n";
    const answer = await raw(service, head, "1", "2");
    expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"request_id":"slow-1"/);
    await expect.poll(() => logs.requests()).toMatchObject([{ status: 408, request_id: "slow-1", outcome: "error" }]);
  });
});

describe("closing", () => {
  test("lets a running request end, takes no new one, and runs the closers last", async () => {
    const gate = Promise.withResolvers<string>();
    const steps: string[] = [];
    const { service } = await start(
      (app) =>
        app.get("/slow", async (c) => {
          steps.push("asked");
          const answer = await gate.promise;
          steps.push("answered");
          return c.text(answer);
        }),
      { graceSeconds: 20, onDrain: () => void steps.push("drain"), onClose: [() => void steps.push("closed")] },
    );
    const answer = fetch(`${service.url}/slow`);
    await expect.poll(() => steps).toEqual(["asked"]);
    const closing = service.close();
    await sleep(50);
    await expect(fetch(`${service.url}/slow`)).rejects.toThrow();
    gate.resolve("done");
    const response = await answer;
    expect(response.headers.get("connection")).toBe("close");
    expect(await response.text()).toBe("done");
    await closing;
    expect(steps).toEqual(["asked", "drain", "answered", "closed"]);
    expect(service.close()).toBe(service.close());
  });

  test("is not held up by kept or silent connections", async () => {
    const { service } = await start((app) => app.get("/", (c) => c.text("ok")), { graceSeconds: 30 });
    await (await fetch(service.url)).text();
    const silent = connect(service.port, "127.0.0.1");
    await once(silent, "connect");
    await Promise.all([service.close(), once(silent, "close")]);
  });

  test("says not ready at once, while still answering for the time of notice", async () => {
    const ready = readiness({});
    const { service } = await start((app) => app.route("/", healthRoutes(ready)), {
      readiness: ready,
      noticeSeconds: 2,
    });
    expect((await fetch(`${service.url}/system/ready`)).status).toBe(200);
    const closing = service.close();
    const answer = await fetch(`${service.url}/system/ready`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: "not_ready", causes: { shutdown: "the service is shutting down" } });
    await closing;
  });

  test("tells a stream to end, so that it ends properly", async () => {
    const { service, logs } = await start(
      (app) =>
        app.get("/stream", (c) =>
          stream(c, async (out) => {
            await out.write("first;");
            await new Promise<void>((resolve) => c.get("signal").addEventListener("abort", () => resolve()));
            await out.write(`ended: ${c.get("signal").reason.name}`);
          }),
        ),
      { graceSeconds: 1 },
    );
    const response = await fetch(`${service.url}/stream`);
    const closing = service.close();
    expect(await response.text()).toBe("first;ended: ShuttingDown");
    await closing;
    expect(logs.requests()).toMatchObject([{ route: "GET /stream", status: 200, outcome: "ok" }]);
  });

  test("cuts what does not listen at the deadline", async () => {
    let cut = false;
    const endless = (async function* () {
      while (!cut) {
        yield "x";
        await sleep(5);
      }
    })();
    const { service, logs } = await start((app) => streamFor(app, endless), { graceSeconds: 0.2 });
    const response = await fetch(`${service.url}/stream`);
    const reading = response.text().catch((error: unknown) => error);
    await service.close();
    expect(await reading).toBeInstanceOf(Error);
    cut = true;
    expect(logs.requests()).toMatchObject([{ outcome: "aborted" }]);
  });

  test("goes on when a closer fails, and logs it", async () => {
    const steps: string[] = [];
    const failing = () => Promise.reject(new Error("database gone"));
    const { service, logs } = await start(() => {}, { onClose: [failing, () => void steps.push("second")] });
    await service.close();
    expect(steps).toEqual(["second"]);
    expect(logs.text()).toContain("database gone");
  });
});

test("a client that leaves is noticed by the request's signal", async () => {
  const asked = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  const { service, logs } = await start((app) =>
    app.get("/wait", async (c) => {
      const signal = c.get("signal");
      asked.resolve();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      aborted.resolve(signal.reason);
      c.get("note")({ tokens: 7 });
      return c.text("too late");
    }),
  );
  const socket: Socket = connect(service.port, "127.0.0.1");
  socket.write("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  await asked.promise;
  socket.destroy();
  expect(await aborted.promise).toMatchObject({ name: "ClientGone" });
  await expect.poll(() => logs.requests()).toMatchObject([{ status: 499, outcome: "aborted", tokens: 7 }]);
});

test("a client that leaves in the middle of its body is no failure of ours", async () => {
  const asked = Promise.withResolvers<void>();
  const { service, logs } = await start((app) =>
    app.post("/body", async (c) => {
      asked.resolve();
      return c.text(await c.req.text());
    }),
  );
  const socket: Socket = connect(service.port, "127.0.0.1");
  socket.write("POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome");
  await asked.promise;
  socket.destroy();
  await expect.poll(() => logs.requests()).toMatchObject([{ status: 499, outcome: "aborted", level: "info" }]);
  expect(logs.text()).not.toContain("request failed");
});
