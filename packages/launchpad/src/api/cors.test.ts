import { HttpError, type RequestVariables } from "@onbehalf/service-kit";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppRegistry } from "../apps/registry.ts";
import type { SessionVariables } from "../session/browser.ts";
import { cors } from "./cors.ts";

const publicUrl = "https://launchpad.example.com";
const registry = { list: async () => [{ origins: ["https://partner.example"] }] } as unknown as AppRegistry;
const app = new Hono<{ Variables: RequestVariables & SessionVariables }>()
  .onError((error, c) => c.body(null, error instanceof HttpError ? (error.status as 403) : 500))
  .use(cors({ publicUrl, origins: ["https://intranet.example"], registry }))
  .all("/api", (c) => c.text("reached"));

const ask = async (method: string, origin: string | undefined) => {
  const { status, headers } = await app.request("/api", { method, headers: origin === undefined ? {} : { origin } });
  return [status, headers.get("access-control-allow-origin")];
};

describe("a page of another site", () => {
  it.each(["https://partner.example", "https://intranet.example"])("may call when it is named: %s", async (origin) => {
    expect(await ask("GET", origin)).toEqual([200, origin]);
    expect(await ask("OPTIONS", origin)).toEqual([204, origin]);
  });

  it.each(["https://evil.example", "null", "https://partner.example.evil.example", "https://intranet.example:8443"])(
    "does not reach anything else: %s",
    async (origin) => {
      for (const method of ["GET", "POST", "OPTIONS"]) expect(await ask(method, origin)).toEqual([403, null]);
    },
  );

  it("is none without an Origin, or with our own", async () => {
    for (const origin of [undefined, publicUrl]) expect(await ask("POST", origin)).toEqual([200, null]);
  });
});
