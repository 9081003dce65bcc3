import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from "node:http2";
import { connect as connectTcp } from "node:net";
import { text } from "node:stream/consumers";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { answerHeaders } from "./answer-headers.ts";
import { connectionOf } from "./connection.ts";
import { errorHandler } from "./errors.ts";
import { createLogger } from "./log.ts";
import { requestContext } from "./request.ts";
import { type ServeOptions, serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function start(options: Partial<ServeOptions> = {}) {
  const waiting = Promise.withResolvers<void>();
  const logs = captureLogs();
  const log = createLogger({ service: "test", destination: logs.destination });
  const app = new Hono().use(requestContext({ service: "test", log })).onError(errorHandler());
  app.post("/echo", async (c) => c.json({ said: await c.req.text() }));
  app.get("/direct", (c) => {
    const outgoing = connectionOf(c.env)?.outgoing;
    if (outgoing === undefined) throw new Error("no connection");
    outgoing.writeHead(200, { ...answerHeaders(outgoing), "content-type": "text/plain" }).end("direct");
    return RESPONSE_ALREADY_SENT;
  });
  app.get("/wait", async (c) => {
    const signal = c.get("signal");
    waiting.resolve();
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    return c.text(`ended by ${signal.reason.name}`);
  });
  app.get("/boom", () => {
    throw new Error("boom");
  });
  const common = {
    name: "test",
    app,
    host: "127.0.0.1",
    port: 0,
    portVariable: "P",
    log,
    graceSeconds: 0,
    http2: true,
  };
  const service = await serve({ ...common, ...options });
  closers.push(() => service.close());
  return { service, logs, waiting: waiting.promise };
}

function session(service: Service): ClientHttp2Session {
  const client = connect(service.url).on("error", () => {});
  closers.push(() => client.destroy());
  return client;
}

async function ask(client: ClientHttp2Session, method: string, path: string, body = "") {
  const stream = client.request({ ":method": method, ":path": path, "x-request-id": "h2" });
  if (method !== "GET") stream.end(body);
  const [headers]: IncomingHttpHeaders[] = await once(stream, "response");
  return { status: headers?.[":status"], id: headers?.["x-request-id"], body: await text(stream) };
}

test("both versions of HTTP are answered on one port, with ids, errors and one line each", async () => {
  const { service, logs } = await start();
  const client = session(service);
  expect(await ask(client, "POST", "/echo", "hello")).toEqual({ status: 200, id: "h2", body: '{"said":"hello"}' });
  expect(await ask(client, "GET", "/direct")).toEqual({ status: 200, id: "h2", body: "direct" });
  expect((await ask(client, "GET", "/boom")).status).toBe(500);
  const answer = await fetch(`${service.url}/echo`, { method: "POST", body: "hello" });
  expect(await answer.json()).toEqual({ said: "hello" });
  await expect
    .poll(() => logs.requests())
    .toMatchObject([
      { route: "POST /echo", status: 200, outcome: "ok", request_id: "h2" },
      { route: "GET /direct", status: 200, outcome: "ok" },
      { route: "GET /boom", status: 500, outcome: "error" },
      { route: "POST /echo", status: 200, outcome: "ok" },
    ]);
});

test.each([
  ["as cancelled", constants.NGHTTP2_CANCEL],
  // As Node's own client does unless told otherwise, and with it the AWS SDK for JavaScript.
  ["without naming an error", constants.NGHTTP2_NO_ERROR],
])("a stream that the client gives up %s ends the request's signal", async (_, code) => {
  const { service, logs, waiting } = await start();
  const stream = session(service).request({ ":path": "/wait" });
  stream.on("error", () => {});
  await waiting;
  stream.close(code);
  await expect.poll(() => logs.requests()).toMatchObject([{ status: 499, outcome: "aborted" }]);
});

test("a stream that is reset before anybody has looked at it ends all the same, and holds nothing up", async () => {
  const { service, logs } = await start({ graceSeconds: 1 });
  const client = connectTcp(service.port, "127.0.0.1").on("error", () => {});
  closers.push(() => client.destroy());
  // What comes with the hello is read in one go, before any request is told of; `:path` is /direct, `:authority` is a.
  const head = "\u0082\u0086\u0004\u0007/direct\u0041\u0001a";
  const streams = [1, 3, 5].map((id) => frame(1, 5, id, head) + frame(3, 0, id, "\0\0\0\0"));
  client.resume().write(helloHttp2 + emptySettings + streams.join(""), "latin1");
  await expect
    .poll(() => logs.requests(), { timeout: 10_000 })
    .toMatchObject(streams.map(() => ({ route: "GET /direct" })));
  await service.close();
  expect(logs.lines()).toContainEqual(expect.objectContaining({ msg: "draining", running: 0 }));
});

test("closing ends idle sessions at once and lets a running stream end properly", async () => {
  const { service, waiting } = await start({ graceSeconds: 1 });
  const idle = session(service);
  await ask(idle, "POST", "/echo", "x");
  const idleClosed = once(idle, "close");
  const answer = ask(session(service), "GET", "/wait");
  await waiting;
  const closing = service.close();
  await idleClosed;
  expect(await answer).toMatchObject({ status: 200, body: "ended by ShuttingDown" });
  await closing;
});

test("a connection that says nothing is dropped in time", async () => {
  const { service } = await start({ limits: { headersMs: 100 } });
  const silent = connectTcp(service.port, "127.0.0.1");
  await once(silent, "close");
});

test("a connection that leaves without a word is let go at once", async () => {
  const { service } = await start({ limits: patient });
  const leaving = connectTcp({ port: service.port, host: "127.0.0.1", allowHalfOpen: true }).end();
  await once(leaving.resume(), "end");
  leaving.destroy();
});

test("the first bytes may come one by one, in either language", async () => {
  const { service } = await start();
  for (const bytes of [
    `${helloHttp2}${emptySettings}`,
    "PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  ]) {
    const socket = connectTcp(service.port, "127.0.0.1").setNoDelay(true);
    const answer = once(socket, "data");
    for (const byte of [...bytes.slice(0, 5), bytes.slice(5)]) {
      socket.write(byte, "latin1");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const [first]: Buffer[] = await answer;
    // A SETTINGS frame has type 4; an answer in HTTP/1.1 says so.
    expect(first?.[3] === 4 ? "HTTP/2" : first?.toString("latin1", 0, 12)).toBe(
      bytes.startsWith("PRI ") ? "HTTP/2" : "HTTP/1.1 404",
    );
    socket.destroy();
  }
});

const helloHttp2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/** So that no other limit ends what is to be ended. */
const patient = { headersMs: 600_000, requestMs: 600_000, keepAliveMs: 600_000 };
const emptySettings = frame(4, 0, 0, "");

/** A frame of fewer than 256 bytes (RFC 9113 section 4.1), one letter for each byte. */
function frame(type: number, flags: number, stream: number, payload: string): string {
  return String.fromCharCode(0, 0, payload.length, type, flags, 0, 0, 0, stream) + payload;
}

describe("a client that holds on to its connection", () => {
  test.each([
    ["says nothing", ""],
    ["begins to speak HTTP/2", helloHttp2.slice(0, 2)],
    ["does not finish its hello", helloHttp2.slice(0, 16)],
    ["speaks HTTP/2 and then nothing", `${helloHttp2}${emptySettings}`],
  ])("and %s does not hold the end, nor what is closed after it", async (_, bytes) => {
    const steps: string[] = [];
    const { service } = await start({
      graceSeconds: 1,
      limits: patient,
      onClose: [() => void steps.push("closed")],
    });
    const holding = connectTcp({ port: service.port, host: "127.0.0.1", allowHalfOpen: true }).on("error", () => {});
    closers.push(() => holding.destroy());
    await once(holding, "connect");
    holding.pause().write(bytes, "latin1");
    // The connection was taken once a later one is answered.
    await fetch(`${service.url}/direct`);
    await service.close();
    expect(steps).toEqual(["closed"]);
  });

  test("after its session has ended is cut off, not kept for ever", async () => {
    const { service } = await start({ limits: { keepAliveMs: 100 } });
    const holding = connectTcp({ port: service.port, host: "127.0.0.1", allowHalfOpen: true });
    holding.write(`${helloHttp2}${emptySettings}`, "latin1");
    await once(holding.resume(), "end");
    // Writing to what is gone is answered by a reset.
    const writing = setInterval(() => holding.write(emptySettings, "latin1"), 50);
    await once(holding, "error").finally(() => clearInterval(writing));
  });
});

test("a client is told how many streams it may open and how large a head may be", async () => {
  const { service } = await start({ limits: { maxHeaderBytes: 20_000 } });
  const [told] = await once(session(service), "remoteSettings");
  expect(told).toMatchObject({ maxConcurrentStreams: 250, maxHeaderListSize: 20_000 });
});

test("a method that HTTP/1.1 would not know is refused, and stays out of the route and of what is counted by it", async () => {
  const { service, logs } = await start();
  const client = session(service);
  expect((await ask(client, "FOO1", "/echo")).status).toBe(400);
  const long = await ask(client, "X".repeat(3_000), "/echo", "body");
  expect(JSON.parse(long.body)).toMatchObject({ error: "invalid_request", request_id: long.id });
  expect((await ask(client, "PROPFIND", "/echo")).status).toBe(404);
  await expect
    .poll(() => logs.requests())
    .toMatchObject([
      { route: "unmatched", status: 400, outcome: "error", error_code: "invalid_request" },
      { route: "unmatched", status: 400 },
      { route: "PROPFIND unmatched", status: 404 },
    ]);
});

test("nonsense in either language harms nobody else", async () => {
  const { service } = await start();
  const client = session(service);
  for (const nonsense of [
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u0000\u0000\uffff garbage",
    "PRI nothing",
    "PR",
    "\u0016\u0003\u0001",
  ]) {
    const socket = connectTcp(service.port, "127.0.0.1").on("error", () => {});
    socket.end(nonsense);
    await once(socket.resume(), "close");
  }
  expect((await ask(client, "POST", "/echo", "still")).status).toBe(200);
});
