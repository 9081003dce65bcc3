import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { createLogger } from "../log.ts";
import { requestContext } from "../request.ts";
import { freePort } from "../testing/free-port.ts";
import { captureLogs } from "../testing/logs.ts";
import { createTelemetry, type TelemetryOptions } from "./telemetry.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function start(options: Partial<TelemetryOptions>) {
  const log = createLogger({ service: "test", destination: captureLogs().destination });
  const telemetry = await createTelemetry({ service: "test", log, host: "127.0.0.1", ...options });
  closers.push(telemetry.close);
  const app = new Hono().use(requestContext({ service: "test", log, observer: telemetry.requests }));
  app.get("/items/:id", (c) => c.text("ok", c.req.param("id") === "bad" ? 500 : 200));
  return { app, telemetry };
}

describe("metrics", () => {
  test("count requests by route pattern, method, status and outcome, on a port of their own", async () => {
    const metricsPort = await freePort();
    const { app, telemetry } = await start({ metricsPort });
    const tokens = telemetry.counter("llm.tokens", { description: "Tokens used" });
    const waited = telemetry.histogram("exchange.duration", { description: "Seconds", unit: "s", buckets: [0.1, 1] });
    telemetry.gauge("cache.entries", { description: "Entries kept" }, () => 7);
    for (const path of ["/items/1", "/items/2", "/items/bad"]) await app.request(path);
    tokens(5, { model: "m" });
    tokens(2, { model: "m" });
    waited(0.5);
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    expect(answer.headers.get("content-type")).toMatch(/^text\/plain/);
    const text = await answer.text();
    const line = (pattern: RegExp) => expect(text).toMatch(pattern);
    line(
      /^http_server_request_duration_seconds_count\{.*http_route="\/items\/:id".*http_response_status_code="200".*outcome="ok"\} 2$/m,
    );
    line(/^http_server_request_duration_seconds_count\{.*http_response_status_code="500".*outcome="error"\} 1$/m);
    line(/^http_server_active_requests(?:\{\})? 0$/m);
    line(/^llm_tokens_total\{model="m"\} 7$/m);
    line(/^exchange_duration_seconds_bucket\{le="1"\} 1$/m);
    line(/^cache_entries(?:\{\})? 7$/m);
    line(/^process_memory_usage_bytes(?:\{\})? \d{7,}$/m);
    line(/service_name="test"/);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/`)).status).toBe(404);
    expect((await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { method: "POST" })).status).toBe(404);
  });

  test("of two services in one process do not mix", async () => {
    const [a, b] = [await freePort(), await freePort()];
    const [one] = [await start({ metricsPort: a }), await start({ metricsPort: b })];
    await one.app.request("/items/1");
    const texts = await Promise.all(
      [a, b].map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
    );
    expect(texts.map((text) => text.includes("/items/:id"))).toEqual([true, false]);
  });

  test("on a taken port are a problem of the configuration", async () => {
    const metricsPort = await freePort();
    await start({ metricsPort });
    await expect(start({ metricsPort })).rejects.toMatchObject({ problems: [{ name: "METRICS_PORT" }] });
  });
});

interface Exported {
  readonly headers: IncomingMessage["headers"];
  readonly spans: readonly { name: string; traceId: string; spanId: string; parentSpanId?: string; kind: number }[];
  readonly text: string;
}

/** What a collector of OTLP over HTTP receives. */
async function collector(): Promise<{ url: string; received: Exported[] }> {
  const received: Exported[] = [];
  const server = createServer(async (request, response) => {
    const body = (await json(request)) as { resourceSpans: { scopeSpans: { spans: Exported["spans"] }[] }[] };
    const spans = body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
    received.push({ headers: request.headers, spans, text: `${request.url} ${JSON.stringify(body)}` });
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => server.close());
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`, received };
}

describe("traces", () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const parent = "00f067aa0ba902b7";

  test("go to the collector under the ids that the request has, with the service's own spans below", async () => {
    const { url, received } = await collector();
    const { app, telemetry } = await start({ tracesEndpoint: `${url}/`, tracesHeaders: "x-key=a%20b==" });
    app.get("/hop", (c) => {
      const attributes = { audience: "voicebox", note: "Bearer canary-canary" };
      telemetry.span(c.get("trace"), { name: "exchange", startedAt: Date.now() - 5, endedAt: Date.now(), attributes });
      return c.text("ok");
    });
    const answer = await app.request("/hop", { headers: { traceparent: `00-${traceId}-${parent}-01` } });
    const spanId = answer.headers.get("traceparent")?.split("-")[2];
    await telemetry.close();
    const [exported] = received;
    expect(exported?.headers["x-key"]).toBe("a b==");
    expect(exported?.text).toMatch(/^\/v1\/traces .*"service\.name"/);
    expect(exported?.text).not.toContain("canary");
    expect(exported?.spans).toMatchObject([
      { name: "exchange", traceId, parentSpanId: spanId, kind: 3 },
      { name: "GET /hop", traceId, spanId, parentSpanId: parent, kind: 2 },
    ]);
  });

  test("that begin here have no parent; those the caller does not want are not sent", async () => {
    const { url, received } = await collector();
    const { app, telemetry } = await start({ tracesEndpoint: url });
    await app.request("/items/1", { headers: { traceparent: `00-${traceId}-${parent}-00` } });
    const answer = await app.request("/items/2");
    await telemetry.close();
    const [, ownTrace, ownSpan] = answer.headers.get("traceparent")?.split("-") ?? [];
    expect(received.flatMap(({ spans }) => spans)).toEqual([
      expect.objectContaining({ name: "GET /items/:id", traceId: ownTrace, spanId: ownSpan }),
    ]);
    expect(received[0]?.spans[0]?.parentSpanId ?? "").toBe("");
  });

  test("for a collector that is away do not keep the service from ending", async () => {
    const { app, telemetry } = await start({ tracesEndpoint: `http://127.0.0.1:${await freePort()}` });
    await app.request("/items/1");
    await telemetry.close();
  });
});

test("without a listener nothing is observed and every measurement is a step into nothing", async () => {
  const { telemetry } = await start({});
  expect(telemetry.requests).toBeUndefined();
  telemetry.counter("a", { description: "" })(1);
  telemetry.histogram("b", { description: "" })(1);
  telemetry.gauge("c", { description: "" }, () => {
    throw new Error("nobody may ask");
  });
});
