import { HttpError } from "@onbehalf/service-kit";
import type { MiddlewareHandler } from "hono";
import type { AppRegistry } from "../apps/registry.ts";
import type { ApiEnv } from "./credentials.ts";

/** Which pages of other origins may call the API. */
export interface CorsOptions {
  readonly publicUrl: string;
  /** Open to every application. */
  readonly origins: readonly string[];
  readonly registry: AppRegistry;
}

const exposed = "traceparent, x-request-id, retry-after, www-authenticate";
const allowedHeaders =
  "authorization, content-type, x-client-id, x-voicebox-app-key, x-sd-auth-token, traceparent, x-request-id";

/**
 * Lets pages of other sites call the public API where configuration or an application names their origin. Cookies are
 * never part of it: a foreign page comes with a token and a key, or not at all.
 */
export function cors({ publicUrl, origins, registry }: CorsOptions): MiddlewareHandler<ApiEnv> {
  async function isAllowed(origin: string): Promise<boolean> {
    if (origins.includes(origin)) return true;
    const apps = await registry.list();
    return apps.some((app) => app.origins.includes(origin));
  }

  return async (c, next) => {
    const origin = c.req.header("origin");
    c.header("vary", "origin", { append: true });
    if (origin === undefined || origin === publicUrl) return next();
    const allowed = await isAllowed(origin);
    if (allowed) {
      c.header("access-control-allow-origin", origin);
      c.header("access-control-expose-headers", exposed);
      c.header("cross-origin-resource-policy", "cross-origin");
    }
    if (c.req.method === "OPTIONS") {
      if (!allowed) throw refusedOrigin();
      c.header("access-control-allow-methods", "GET, POST");
      c.header("access-control-allow-headers", allowedHeaders);
      c.header("access-control-max-age", "600");
      return c.body(null, 204);
    }
    if (!allowed) throw refusedOrigin();
    return next();
  };
}

/** An application may name its own origins: its key does not work from other sites' pages. */
export function originMayUse(
  origin: string | undefined,
  publicUrl: string,
  all: readonly string[],
  own: readonly string[],
): boolean {
  return origin === undefined || origin === publicUrl || all.includes(origin) || own.includes(origin);
}

/** 403 for a page whose origin neither the service nor the application has listed. */
export function refusedOrigin(): HttpError {
  const message = "Pages of this origin may not call here. An administrator can add it to the application's origins.";
  return new HttpError(403, "origin_refused", message);
}
