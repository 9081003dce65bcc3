import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Hono } from "hono";

const files = {
  "style.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "mark.svg": "image/svg+xml",
} as const;

/** Style, script and mark, from this host only; read once, revalidated by ETag. */
export function assetRoutes(folder: URL = new URL("../assets/", import.meta.url)): Hono {
  const app = new Hono();
  for (const [name, type] of Object.entries(files)) {
    const body = readFileSync(new URL(name, folder));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const headers = { "content-type": type, etag, "cache-control": "no-cache", "x-content-type-options": "nosniff" };
    app.get(`/assets/${name}`, (c) =>
      c.req.header("if-none-match") === etag ? c.body(null, 304, headers) : c.body(new Uint8Array(body), 200, headers),
    );
  }
  return app;
}
