import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { withoutTrailingSlash } from "./trailing-slash.ts";

const app = new Hono({ strict: false })
  .use(withoutTrailingSlash("https://pad.example"))
  .all("*", (c) => c.text("page"));
const open = (path: string, init: RequestInit = { headers: { accept: "text/html,*/*" } }): Promise<Response> =>
  Promise.resolve(app.request(`http://inside:8080${path}`, init));

describe("an address that ends with a slash", () => {
  it.each([
    ["/me/", "https://pad.example/me"],
    ["/admin/?app=demo", "https://pad.example/admin?app=demo"],
    ["/api/v1/docs/", "https://pad.example/api/v1/docs"],
  ])("leads a browser from %s to %s", async (path, address) => {
    const answer = await open(path);
    expect([answer.status, answer.headers.get("location")]).toEqual([308, address]);
  });

  it.each(["//other.example/", "/%5Cother.example/", "/\\other.example/", "/@other.example/"])(
    "does not lead to another site: %s",
    async (path) => {
      const location = (await open(path)).headers.get("location") ?? "";
      expect(new URL(location, "https://pad.example").origin).toBe("https://pad.example");
    },
  );

  it("is left alone at the front page, and for programs and forms", async () => {
    expect((await open("/")).status).toBe(200);
    expect((await open("/api/session/", {})).status).toBe(200);
    expect((await open("/me/", { method: "POST", headers: { accept: "text/html" } })).status).toBe(200);
  });
});
