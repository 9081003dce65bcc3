import { createMiddleware } from "hono/factory";

/**
 * Leads a browser that opens `/me/` to `/me`. The address it is led to begins with our own origin: by its path alone,
 * `//other.example/` would lead to another site.
 */
export function withoutTrailingSlash(publicUrl: string) {
  return createMiddleware(async (c, next) => {
    const { pathname, search } = new URL(c.req.url);
    const opensPage = c.req.method === "GET" && c.req.header("accept")?.includes("text/html") === true;
    if (!opensPage || pathname === "/" || !pathname.endsWith("/")) return next();
    return c.redirect(publicUrl + pathname.slice(0, -1) + search, 308);
  });
}
