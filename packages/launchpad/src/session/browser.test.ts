import { HttpError } from "@onbehalf/service-kit";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { requireSameOrigin } from "./browser.ts";

const ours = "https://launchpad.example.com";

async function asked(origin: string | undefined): Promise<number> {
  const app = new Hono()
    .onError((error, c) => c.body(null, error instanceof HttpError ? (error.status as 403) : 500))
    .post("/", (c) => {
      requireSameOrigin(c, ours);
      return c.body(null, 204);
    });
  return (await app.request("/", { method: "POST", headers: origin === undefined ? {} : { origin } })).status;
}

it("a request that changes something comes from our own page", async () => {
  expect(await asked(ours)).toBe(204);
});

it.each([
  undefined,
  "",
  "null",
  `${ours}.evil.example`,
  `${ours}:8443`,
  `${ours}/`,
  "https://evil.launchpad.example.com",
  "http://launchpad.example.com",
  "https://LAUNCHPAD.example.com",
  `${ours}, https://evil.example`,
])("Origin %s is not ours", async (origin) => {
  expect(await asked(origin)).toBe(403);
});
