import { Hono } from "hono";
import { type ApiDocument, docsPage } from "../pages/docs.ts";
import type { ApiAccess } from "../pages/docs-credentials.ts";
import type { Session } from "../session/session.ts";
import type { ApiEnv } from "./credentials.ts";
import { openApiDocument } from "./openapi.ts";

export interface DocumentOptions {
  readonly access: ApiAccess;
  readonly isAdmin: (user: Session["user"]) => boolean;
}

/** The public API described: for tools as OpenAPI, for people as a page. */
export function documentRoutes({ access, isAdmin }: DocumentOptions): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const document = openApiDocument(access.publicUrl);
  app.get("/api/v1/openapi.json", (c) => c.json(document, 200, { "cache-control": "public, max-age=300" }));
  app.get("/api/v1/docs", async (c) => {
    // Open to everybody, also while the sessions cannot be read.
    const session = await c.var.session().catch(() => undefined);
    const admin = session !== undefined && isAdmin(session.user);
    const shown = { document: document as unknown as ApiDocument, access, session, isAdmin: admin };
    return c.html(docsPage(shown), 200, { "cache-control": "no-store" });
  });
  return app;
}
