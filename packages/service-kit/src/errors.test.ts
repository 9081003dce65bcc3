import { AuthError } from "@onbehalf/shared-auth";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ShuttingDown } from "./connection.ts";
import { errorHandler, notFound } from "./errors.ts";
import { HttpError } from "./http-error.ts";
import { createLogger } from "./log.ts";
import { requestContext } from "./request.ts";
import { captureLogs } from "./testing/logs.ts";

async function thrown(error: unknown) {
  const logs = captureLogs();
  const app = new Hono();
  app.use(requestContext({ service: "test", log: createLogger({ service: "test", destination: logs.destination }) }));
  app.onError(errorHandler({ resourceMetadata: "https://v.example/.well-known/oauth-protected-resource" }));
  app.notFound(notFound());
  app.get("/", () => {
    throw error;
  });
  const answer = await app.request("/", { headers: { "x-request-id": "r1" } });
  const body: unknown = await answer.json();
  return { status: answer.status, headers: answer.headers, body, logs };
}

describe("an answer to", () => {
  test("a refused token is the library's, with its challenge; the private reason is logged only", async () => {
    const error = new AuthError("token_expired", "The token has expired.", { cause: new Error("exp was 12") });
    const { status, headers, body, logs } = await thrown(error);
    expect(status).toBe(401);
    expect(headers.get("www-authenticate")).toMatch(
      /^Bearer error="invalid_token".*resource_metadata="https:\/\/v\.example/,
    );
    expect(body).toEqual({ error: "invalid_token", message: "The token has expired.", request_id: "r1" });
    expect(logs.requests()).toMatchObject([
      { error_code: "token_expired", reason: "Error: exp was 12", outcome: "denied" },
    ]);
  });

  test.each([
    [
      "without a token of its own to refuse gets a challenge",
      {},
      'Bearer resource_metadata="https://v.example/.well-known/oauth-protected-resource"',
    ],
    ["that brings its challenge keeps it", { "www-authenticate": 'Bearer error="x"' }, 'Bearer error="x"'],
  ])("a 401 %s", async (_, headers, challenge) => {
    const answer = await thrown(new HttpError(401, "session_absent", "Sign in.", { headers }));
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([401, challenge]);
    expect(answer.body).toEqual({ error: "session_absent", message: "Sign in.", request_id: "r1" });
  });

  test("an HttpError carries its headers and a Retry-After of at least one second", async () => {
    const { status, headers, body } = await thrown(
      new HttpError(503, "store_unavailable", "Try again.", { retryAfterSeconds: 0.2, headers: { "x-own": "1" } }),
    );
    expect([status, headers.get("retry-after"), headers.get("x-own")]).toEqual([503, "1", "1"]);
    expect(body).toEqual({ error: "store_unavailable", message: "Try again.", request_id: "r1" });
  });

  test("nor does an HttpError ever ask to come back at once", async () => {
    const { headers } = await thrown(new HttpError(429, "rate_limited", "Try again.", { retryAfterSeconds: 0 }));
    expect(headers.get("retry-after")).toBe("1");
  });

  test("what a shutdown interrupted says so, and when to ask again", async () => {
    const app = new Hono<{ Variables: { signal: AbortSignal } }>().onError(errorHandler()).get("/", (c) => {
      c.set("signal", AbortSignal.abort(new ShuttingDown()));
      throw new Error("interrupted");
    });
    const answer = await app.request("/");
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await answer.json()).toMatchObject({ error: "shutting_down" });
  });

  test("a body that does not fit its schema names the fields, not the values", async () => {
    const schema = z.object({ query: z.string(), stream: z.enum(["yes", "no"]), nested: z.object({ n: z.number() }) });
    const result = schema.safeParse({ stream: "canary", nested: { n: "canary" } });
    const { status, body } = await thrown(result.error);
    expect(status).toBe(400);
    expect(body).toMatchObject({
      error: "invalid_request",
      message: expect.stringMatching(/query: .*stream: .*nested\.n: /),
    });
    expect(JSON.stringify(body)).not.toContain("canary");
  });

  test("of a body that fits nowhere the first ten problems are named, and no more than a page of them", async () => {
    const wrong = (count: number, name: string) =>
      z
        .object(Object.fromEntries(Array.from({ length: count }, (_, index) => [name + index, z.string()])))
        .safeParse({});
    const messageOf = async (error: unknown) => ((await thrown(error)).body as { message: string }).message;
    expect((await messageOf(wrong(30, "field").error)).match(/field\d+/g)).toEqual(
      Array.from({ length: 10 }, (_, index) => `field${index}`),
    );
    expect(await messageOf(wrong(10, "f".repeat(5_000)).error)).toHaveLength(
      "The request is not valid: ".length + 1_000,
    );
  });

  test("a private reason is logged no longer than it helps", async () => {
    const error = new HttpError(502, "bad_gateway", "Try again.", { cause: new Error("x".repeat(20_000)) });
    const [line] = (await thrown(error)).logs.requests();
    expect(line?.reason).toHaveLength(500);
  });

  test("a request the framework refuses is the caller's fault, in our words", async () => {
    const { status, body } = await thrown(new HTTPException(400, { message: "internals", cause: new Error("x") }));
    expect(status).toBe(400);
    expect(JSON.stringify(body)).not.toContain("internals");
  });

  test("what nobody foresaw says nothing about itself; its stack is logged", async () => {
    const { status, body, logs } = await thrown(new TypeError("cannot read secrets of undefined"));
    expect(status).toBe(500);
    expect(body).toEqual({ error: "internal_error", message: expect.any(String), request_id: "r1" });
    expect(JSON.stringify(body)).not.toMatch(/undefined|errors\.test/);
    expect(logs.lines()[0]).toMatchObject({
      level: "error",
      request_id: "r1",
      err: { type: "TypeError", stack: expect.stringContaining("errors.test.ts") },
    });
  });

  test("a path nobody serves is 404 in the same form", async () => {
    const app = new Hono().notFound(notFound());
    const answer = await app.request("/nothing");
    expect([answer.status, await answer.json()]).toEqual([404, { error: "not_found", message: expect.any(String) }]);
  });
});
