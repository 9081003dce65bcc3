import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { bodyLimit } from "./body-limit.ts";
import { errorHandler, notFound } from "./errors.ts";
import { HttpError } from "./http-error.ts";
import { jsonBody } from "./json-body.ts";
import { createLogger } from "./log.ts";
import { requestContext } from "./request.ts";
import { serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

/** Strings that have broken somebody's service before. */
const naughty = [
  "",
  "\u0000",
  "\uffff\ud800",
  "%",
  "%zz",
  "%00",
  "..%2f..%2fetc%2fpasswd",
  "__proto__",
  "constructor",
  "' OR 1=1 --",
  "#{7*7}{{7*7}}",
  "<script>alert(1)</script>",
  "\r\nSet-Cookie: a=b",
  "\u202e\u200f ünï 🜁",
  "9".repeat(400),
  "1e999",
  "-0",
  "[]",
  "{",
  '"',
  "a".repeat(5_000),
];

const logs = captureLogs();
const log = createLogger({ service: "test", destination: logs.destination });
const app = new Hono().use(requestContext({ service: "test", log })).use(bodyLimit(20_000));
app.onError(errorHandler()).notFound(notFound());
const schema = z.object({ query: z.string().max(100), limit: z.coerce.number().int().max(10).optional() });
app.post("/ask/:id", async (c) => {
  const body = await jsonBody(c, schema);
  if (body.query === "refuse") throw new HttpError(400, "invalid_request", `no ${c.req.param("id")}`);
  return c.json({ id: c.req.param("id"), query: c.req.query(), body });
});

let service: Service;
beforeAll(async () => {
  service = await serve({ name: "test", app, host: "127.0.0.1", port: 0, portVariable: "P", log, graceSeconds: 0 });
});
afterAll(() => service.close());

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(service.url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

test("no string in any field is our fault or shows how we work inside", async () => {
  const answers: [string, Response][] = [];
  for (const text of naughty) {
    const inUrl = encodeURIComponent(text.toWellFormed());
    const latin = Buffer.from(text.replace(/[\r\n\0]/g, "")).toString("latin1");
    const header = latin.replace(/[^\t\x20-\x7e\x80-\xff]/g, "").slice(0, 2_000);
    answers.push([`body ${text}`, await post("/ask/1", text)]);
    answers.push([`field ${text}`, await post("/ask/1", JSON.stringify({ query: text, limit: text }))]);
    answers.push([`key ${text}`, await post("/ask/1", `{"query":"refuse",${JSON.stringify(text)}:1}`)]);
    answers.push([`path ${text}`, await post(`/ask/${inUrl}`, '{"query":"refuse"}')]);
    answers.push([
      `raw path ${text}`,
      await post(`/ask/%${text.slice(0, 3).replace(/\W/g, "")}`, '{"query":"refuse"}'),
    ]);
    answers.push([`query ${text}`, await post(`/ask/1?${inUrl}=${inUrl}&%=%zz`, '{"query":"refuse"}')]);
    for (const name of [
      "x-request-id",
      "traceparent",
      "tracestate",
      "content-type",
      "authorization",
      "cookie",
      "accept",
    ]) {
      answers.push([`${name} ${text}`, await post("/ask/1", '{"query":"refuse"}', { [name]: header })]);
    }
  }
  for (const [what, answer] of answers) {
    const body = await answer.text();
    expect([what, answer.status, answer.status < 500]).toEqual([what, answer.status, true]);
    expect(body).not.toMatch(/node_modules|\.ts:\d|at \w+ \(|SyntaxError|TypeError/);
    expect(answer.headers.get("set-cookie")).toBeNull();
  }
  expect(answers.length).toBeGreaterThan(200);
  expect(logs.requests().every(({ status }) => Number(status) < 500)).toBe(true);
});
