import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { generateKeyPair, SignJWT } from "jose";
import { afterEach, describe, expect, test } from "vitest";
import { answerHeaders } from "./answer-headers.ts";
import { connectionOf } from "./connection.ts";
import { errorHandler, notFound } from "./errors.ts";
import { createLogger } from "./log.ts";
import { type RequestContextOptions, type RequestVariables, requestContext } from "./request.ts";
import { serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

const opened: Service[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
});

type App = Hono<{ Variables: RequestVariables & { identity?: object } }>;

function build(routes: (app: App) => void, options: Partial<RequestContextOptions> = {}) {
  const logs = captureLogs();
  const log = createLogger({ service: "test", destination: logs.destination });
  const app: App = new Hono();
  app.use(requestContext({ service: "test", log, ...options }));
  app.onError(errorHandler());
  app.notFound(notFound());
  routes(app);
  return { app, logs, log };
}

async function start(routes: (app: App) => void) {
  const { app, logs, log } = build(routes);
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

describe("ids", () => {
  test("of the caller are kept and come back in the answer", async () => {
    const { url, logs } = await start((app) => app.get("/a/:id", (c) => c.json({ id: c.get("requestId") })));
    const answer = await fetch(`${url}/a/7?x=1`, { headers: { traceparent, "x-request-id": "abc-1.2:3_4" } });
    expect(await answer.json()).toEqual({ id: "abc-1.2:3_4" });
    expect(answer.headers.get("x-request-id")).toBe("abc-1.2:3_4");
    expect(answer.headers.get("traceparent")).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    await expect
      .poll(() => logs.requests())
      .toMatchObject([
        {
          level: "info",
          service: "test",
          request_id: "abc-1.2:3_4",
          trace_id: traceId,
          route: "GET /a/:id",
          status: 200,
          outcome: "ok",
          ms: expect.any(Number),
        },
      ]);
  });

  test.each([
    ["too long", "a".repeat(129)],
    ["with a space", "a b"],
    ["with markup", "<script>"],
    ["with a quote", 'a"b'],
    ["with a line end's escape", "a\\nb"],
    ["that are a key", "sk-canary-123456"],
    ["that hold a key", "job/sk-canary-123456"],
    ["that name a secret", "access_token=canary123456"],
    ["that are an address with a password", "https://me:canary@host"],
    ["that are a token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln"],
    ["that are empty", ""],
  ])("%s are replaced", async (_, given) => {
    const { app } = build((a) => a.get("/", (c) => c.text("ok")));
    const answer = await app.request("/", { headers: { "x-request-id": given } });
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ["base64", `${"Ab+/".repeat(31)}Ab==`],
    ["a path with an address", "deploy/eu-1:job=7@host.example/2"],
  ])("that are %s are kept", async (_, given) => {
    const { app, logs } = build((a) => a.get("/", (c) => c.text("ok")));
    const answer = await app.request("/", { headers: { "x-request-id": given } });
    expect(answer.headers.get("x-request-id")).toBe(given);
    expect(logs.requests()).toMatchObject([{ request_id: given }]);
  });

  test("are in every answer: an error, a page nobody has, a raw response, one written by the handler itself", async () => {
    const { url, logs } = await start((app) => {
      app.get("/error", () => {
        throw new Error("boom");
      });
      app.get("/raw", () => new Response("raw", { headers: { "x-own": "1" } }));
      app.get("/direct", (c) => {
        const outgoing = connectionOf(c.env)?.outgoing;
        if (outgoing === undefined) throw new Error("no connection");
        outgoing.writeHead(201, { ...answerHeaders(outgoing), "content-type": "text/plain" }).end("direct");
        return RESPONSE_ALREADY_SENT;
      });
    });
    for (const [path, status] of [
      ["/error", 500],
      ["/none", 404],
      ["/raw", 200],
      ["/direct", 201],
    ] as const) {
      const answer = await fetch(url + path, { headers: { "x-request-id": `id${path.slice(1)}` } });
      expect([path, answer.status, answer.headers.get("x-request-id")]).toEqual([path, status, `id${path.slice(1)}`]);
      expect(answer.headers.get("traceparent")).toMatch(/^00-/);
    }
    await expect
      .poll(() => logs.requests().map(({ route, status }) => [route, status]))
      .toEqual([
        ["GET /error", 500],
        ["GET unmatched", 404],
        ["GET /raw", 200],
        ["GET /direct", 201],
      ]);
  });
});

describe("the line", () => {
  test("names who, by issuer and subject, and what was noted", async () => {
    const { app, logs } = build((a) =>
      a.get("/", (c) => {
        c.set("identity", {
          issuer: "https://issuer",
          subject: "alice",
          clientId: "launchpad",
          claims: { secret: "no" },
        });
        c.get("note")({ model: "m", tokens: 1 });
        c.get("note")({ tokens: 12, outcome: "limited" });
        return c.text("ok");
      }),
    );
    await app.request("/");
    const [line] = logs.requests();
    expect(line).toMatchObject({
      issuer: "https://issuer",
      subject: "alice",
      client_id: "launchpad",
      model: "m",
      tokens: 12,
      outcome: "limited",
    });
    expect(logs.text()).not.toContain("claims");
    expect(logs.text().match(/"(?:outcome|tokens)":/g)).toHaveLength(2);
  });

  test("is one, after the last byte: also for a handler that notes what it used after writing the answer", async () => {
    const { url, logs } = await start((app) =>
      app.get("/direct", async (c) => {
        const outgoing = connectionOf(c.env)?.outgoing;
        outgoing?.writeHead(200).end("direct");
        await new Promise((resolve) => outgoing?.once("close", resolve));
        await new Promise((resolve) => setTimeout(resolve, 20));
        c.get("note")({ tokens: 9 });
        return RESPONSE_ALREADY_SENT;
      }),
    );
    await (await fetch(`${url}/direct`)).text();
    await expect.poll(() => logs.requests()).toMatchObject([{ status: 200, outcome: "ok", tokens: 9 }]);
  });

  test("names the route that answered, not one that would have matched as well", async () => {
    const { app, logs } = build((a) => {
      a.use("/keys/*", async (_, next) => next());
      a.get("/keys/mine", (c) => c.text("mine"));
      a.get("/keys/:id", (c) => c.text("other"));
      a.get("/files/*", (c) => c.text("file"));
    });
    for (const path of ["/keys/mine", "/keys/7", "/files/a/b", "/keys"]) await app.request(path);
    expect(logs.requests().map(({ route }) => route)).toEqual([
      "GET /keys/mine",
      "GET /keys/:id",
      "GET unmatched",
      "GET unmatched",
    ]);
  });

  test.each([
    [200, "ok", "info"],
    [302, "ok", "info"],
    [400, "error", "info"],
    [401, "denied", "info"],
    [403, "denied", "info"],
    [429, "limited", "info"],
    [502, "error", "error"],
  ])("of a %i is %s", async (status, outcome, level) => {
    const { app, logs } = build((a) => a.get("/", () => new Response(null, { status })));
    await app.request("/");
    expect(logs.requests()).toMatchObject([{ status, outcome, level }]);
  });

  test("of a probe that succeeds is for debugging only; one that fails is not", async () => {
    const { app, logs } = build((a) =>
      a.get("/system/ready", (c) => c.text("", c.req.query("ok") === "1" ? 200 : 503)),
    );
    await app.request("/system/ready?ok=1");
    await app.request("/system/ready");
    expect(logs.requests()).toMatchObject([{ status: 503 }]);
  });

  test("is measured by the clock it was given, and told to whom asked for it", async () => {
    const told: unknown[] = [];
    let clock = 0;
    const { app } = build((a) => a.get("/", (c) => c.text("ok")), {
      now: () => {
        clock += 12.345;
        return clock;
      },
      observer: { begin: () => told.push("begin"), end: (line, trace) => told.push([line, trace.sampled]) },
    });
    await app.request("/");
    expect(told).toMatchObject(["begin", [{ ms: 12.35, route: "GET /" }, true]]);
  });

  test("and every other line of the request shows no token that came with it", async () => {
    const { privateKey } = await generateKeyPair("RS256");
    const token = await new SignJWT({ sub: "canary" }).setProtectedHeader({ alg: "RS256" }).sign(privateKey);
    const { url, logs } = await start((app) =>
      app.get("/q/:token", (c) => {
        c.get("log").info({ headers: c.req.header(), url: c.req.url }, `asked with ${c.req.header("authorization")}`);
        c.get("note")({ path: c.req.path, query: c.req.query() });
        throw new Error(`cannot use ${token}`, { cause: new Error(c.req.header("cookie")) });
      }),
    );
    const headers = {
      authorization: `Bearer ${token}`,
      cookie: "__Host-session=canary-cookie",
      "x-api-key": "canary-key",
    };
    await fetch(`${url}/q/${token}?access_token=${token}&token=canary-query`, { headers });
    await expect.poll(() => logs.requests().length).toBe(1);
    expect(logs.lines().length).toBeGreaterThan(2);
    expect(logs.text()).not.toMatch(/canary/);
    for (const part of token.split(".")) expect(logs.text()).not.toContain(part);
  });
});

test("services that share one log are told apart in the lines of their requests", async () => {
  const { app, logs } = build((a) => a.get("/", (c) => c.text("ok")), { service: "other" });
  await app.request("/");
  await app.request("/nothing");
  expect(logs.requests()).toMatchObject([{ service: "other" }, { service: "other", error_code: "not_found" }]);
});

test("a request's own lines carry its ids", async () => {
  const { app, logs } = build((a) =>
    a.get("/", (c) => {
      c.get("log").warn({ attempt: 2 }, "trying again");
      return c.text("ok");
    }),
  );
  await app.request("/", { headers: { traceparent, "x-request-id": "r1" } });
  expect(logs.lines()[0]).toMatchObject({
    level: "warn",
    request_id: "r1",
    trace_id: traceId,
    attempt: 2,
    msg: "trying again",
  });
});
