import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createCookie } from "./cookie.ts";

async function written(secure: boolean): Promise<string> {
  const app = new Hono();
  app.get("/", (c) => {
    createCookie("onbehalf_session", secure).write(c, "value", 60);
    return c.text("");
  });
  return (await app.request("/")).headers.get("set-cookie") ?? "";
}

describe("the session cookie", () => {
  it("on https is bound to this host and to https by its name", async () => {
    const line = await written(true);
    expect(line).toMatch(/^__Host-onbehalf_session=value;/);
    for (const flag of ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"]) expect(line).toContain(flag);
    expect(line).not.toContain("Domain");
  });

  it("on plain http, on this machine, has neither prefix nor Secure, which browsers would refuse", async () => {
    const line = await written(false);
    expect(line).toMatch(/^onbehalf_session=value;/);
    expect(line).not.toContain("Secure");
    for (const flag of ["HttpOnly", "SameSite=Lax"]) expect(line).toContain(flag);
  });
});
