import { HttpError } from "@onbehalf/service-kit";
import { type Context, Hono } from "hono";
import { type AppManagement, appRequest, keyRequest } from "../apps/manage.ts";
import type { Reader } from "../caller.ts";
import { requireSameOrigin } from "../session/browser.ts";
import type { CheckConnection } from "./connections.ts";
import type { ApiEnv, Credentials } from "./credentials.ts";

type C = Context<ApiEnv>;

export interface AppRouteOptions {
  readonly credentials: Credentials;
  readonly management: AppManagement;
  readonly checkConnection: CheckConnection;
  readonly publicUrl: string;
  readonly isAdmin: (identity: Reader["identity"]) => boolean;
}

/** `/api/apps`: applications and their keys; for administrators, by session or by token. */
export function appRoutes({
  credentials,
  management,
  checkConnection,
  publicUrl,
  isAdmin,
}: AppRouteOptions): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();

  /** The administrator's name for the record. @throws HttpError 401, 403 */
  async function administrator(c: C): Promise<string> {
    const { identity } = await credentials.reader(c);
    if (!isAdmin(identity)) throw notAdmin();
    if (c.req.method !== "GET" && identity.credential === "session") requireSameOrigin(c, publicUrl);
    c.header("cache-control", "no-store");
    c.var.note({ admin: true });
    return `${identity.issuer} ${identity.subject}`;
  }

  app.get("/api/apps", async (c) => {
    await administrator(c);
    return c.json({ apps: await management.list() });
  });
  app.post("/api/apps", async (c) => {
    const by = await administrator(c);
    const settings = appRequest.parse(await json(c));
    await checkConnection(c, settings.connection);
    return c.json(await management.create(settings, by), 201);
  });
  app.put("/api/apps/:id", async (c) => {
    await administrator(c);
    const settings = appRequest.parse(await json(c));
    await checkConnection(c, settings.connection, c.req.param("id"));
    return c.json(await management.update(c.req.param("id"), settings));
  });
  app.delete("/api/apps/:id", async (c) => {
    await administrator(c);
    await management.remove(c.req.param("id"));
    return c.body(null, 204);
  });
  app.post("/api/apps/:id/keys", async (c) => {
    const by = await administrator(c);
    return c.json(await management.createKey(c.req.param("id"), keyRequest.parse(await json(c)), by), 201);
  });
  for (const [verb, disabled] of [
    ["disable", true],
    ["enable", false],
  ] as const) {
    app.post(`/api/apps/:id/keys/:key/${verb}`, async (c) => {
      await administrator(c);
      await management.setKeyDisabled(c.req.param("id"), c.req.param("key"), disabled);
      return c.body(null, 204);
    });
  }
  app.delete("/api/apps/:id/keys/:key", async (c) => {
    await administrator(c);
    await management.removeKey(c.req.param("id"), c.req.param("key"));
    return c.body(null, 204);
  });
  return app;
}

/** 403 for somebody who is signed in: another sign-in as the same person changes nothing. */
export function notAdmin(): HttpError {
  const message =
    "This is for administrators. Who is one is decided by groups (LAUNCHPAD_ADMIN_GROUPS); ask for membership.";
  return new HttpError(403, "admin_required", message);
}

async function json(c: C): Promise<unknown> {
  return c.req.json().catch(() => {
    throw new HttpError(400, "invalid_request", "The body is not JSON.");
  });
}
