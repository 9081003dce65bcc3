import { Hono } from "hono";
import { type ApiDocument, docsPage } from "../pages/docs.ts";
import type { ApiEnv } from "./credentials.ts";
import { openApiDocument } from "./openapi.ts";

/** The public API described: for tools as OpenAPI, for people as a page. */
export function documentRoutes(publicUrl: string): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const document = openApiDocument(publicUrl);
  const html = docsPage(document as unknown as ApiDocument, publicUrl);
  app.get("/api/v1/openapi.json", (c) => c.json(document, 200, { "cache-control": "public, max-age=300" }));
  app.get("/api/v1/docs", (c) => c.html(html));
  return app;
}
