import { GatewayError } from "./errors.ts";
import { rawTarget, requireCanonicalTarget } from "./http/canonical-path.ts";
import { findRoute, type Route, routeName } from "./routes.ts";
import type { Rules, Stage } from "./stages.ts";

/**
 * The first look at a request: only canonical addresses, under the rules in force now.
 * @throws GatewayError `invalid_request`
 */
export function admit(rules: () => Rules): Stage {
  return async (c, next) => {
    requireCanonicalTarget(rawTarget(c.env.incoming));
    c.set("rules", rules());
    const route = findRoute(c.req.method, c.req.path);
    if (route?.kind === "public") c.set("route", route);
    await next();
  };
}

/** Names the route, for the record and the policy, and keeps what the client says about itself. */
export function identify(route: Route): Stage {
  const name = routeName(route);
  return async (c, next) => {
    const draft = c.get("draft");
    c.set("route", route);
    draft.route = name;
    const app = said(c.req.header("x-onbehalf-app"));
    if (app !== undefined) draft.app = app;
    const webUser = said(c.req.header("x-openwebui-user-email") ?? c.req.header("x-openwebui-user-id"));
    // Anybody can send these: they say which chat user it may have been, and decide nothing.
    if (webUser !== undefined) draft.detail.openwebui_user = webUser;
    await next();
  };
}

/** @throws AuthError; GatewayError `auth_unavailable` while nothing more can be recorded */
export const authenticate: Stage = async (c, next) => {
  const caller = await c.get("rules").authenticate(c.req.raw.headers);
  c.set("caller", caller);
  c.get("draft").caller = caller;
  await next();
};

/** @throws GatewayError `auth_unavailable` while too many rows wait: an unrecorded request must not happen */
export function requireRecord(full: () => boolean): Stage {
  return async (_c, next) => {
    if (full()) {
      const message = "Requests cannot be recorded right now, so none is taken. Try again shortly.";
      throw new GatewayError("auth_unavailable", message, { retryAfterSeconds: 5 });
    }
    await next();
  };
}

const maxSaid = 200;

/** Printable and short, or not at all. */
function said(header: string | undefined): string | undefined {
  return header !== undefined && header !== "" && /^[\x20-\x7e]+$/.test(header) ? header.slice(0, maxSaid) : undefined;
}
