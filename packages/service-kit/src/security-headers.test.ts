import { Hono } from "hono";
import { expect, test } from "vitest";
import { securityHeaders } from "./security-headers.ts";

test("an answer of an API may load nothing and is not framed; a handler's own headers win", async () => {
  const app = new Hono().use(securityHeaders());
  app.get("/", (c) => c.json({}));
  app.get("/page", (c) => c.html("<p>", 200, { "content-security-policy": "default-src 'self'" }));
  const answer = await app.request("/");
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
  });
  expect(answer.headers.has("strict-transport-security")).toBe(false);
  expect((await app.request("/page")).headers.get("content-security-policy")).toBe("default-src 'self'");
});

test("https is insisted on only where it is spoken", async () => {
  const app = new Hono().use(
    securityHeaders({
      strictTransportSecurity: true,
      contentSecurityPolicy: "default-src 'self'",
      referrerPolicy: "same-origin",
    }),
  );
  app.get("/", (c) => c.text("ok"));
  const { headers } = await app.request("/");
  expect(headers.get("referrer-policy")).toBe("same-origin");
  expect(headers.get("strict-transport-security")).toBe("max-age=31536000");
  expect(headers.get("content-security-policy")).toBe("default-src 'self'");
});
