import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { Hono } from "hono";

interface Asset {
  readonly type: string;
  /** In this order, as one. */
  readonly parts: readonly string[];
}

const scripts = ["page", "answering", "ask", "copy", "elements", "forms", "kept", "stream", "turn"];
const style = ["base", "sign-in", "ask", "chain", "claims", "pages", "forms", "narrow", "settings"];

const assets: Readonly<Record<string, Asset>> = {
  "style.css": { type: "text/css; charset=utf-8", parts: style.map((part) => `style/${part}.css`) },
  ...Object.fromEntries(scripts.map((name) => [`${name}.js`, script(`${name}.js`)])),
  "mark.svg": { type: "image/svg+xml", parts: ["mark.svg"] },
};

function script(file: string): Asset {
  return { type: "text/javascript; charset=utf-8", parts: [file] };
}

/** Style, script and mark, from this host only; read once, revalidated by ETag. */
export function assetRoutes(folder: URL = new URL("../assets/", import.meta.url)): Hono {
  const app = new Hono();
  for (const [name, { type, parts }] of Object.entries(assets)) {
    const body = Buffer.concat(parts.map((part) => readFileSync(new URL(part, folder))));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
    const headers = { "content-type": type, etag, "cache-control": "no-cache", "x-content-type-options": "nosniff" };
    app.get(`/assets/${name}`, (c) =>
      c.req.header("if-none-match") === etag ? c.body(null, 304, headers) : c.body(new Uint8Array(body), 200, headers),
    );
  }
  return app;
}
