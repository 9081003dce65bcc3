import type { Caller } from "./caller.ts";
import { GatewayError } from "./errors.ts";
import { createTargetCheck, rawTarget } from "./http/canonical-path.ts";
import { rawHeaders } from "./http/raw-headers.ts";
import type { Step } from "./pipeline.ts";
import { type Route, routeName, routes, spellings } from "./routes.ts";
import type { Rules } from "./stages.ts";

/**
 * The first look at a request: only canonical addresses, under the rules in force now.
 * @throws GatewayError `invalid_request`
 */
export function admit(rules: () => Rules): Step {
  const requireCanonicalTarget = createTargetCheck();
  return (c) => {
    requireCanonicalTarget(rawTarget(c.env.incoming));
    const now = rules();
    c.env.rules = now;
    const open = publicRoutes.get(c.req.path);
    if (open !== undefined && (c.req.method === "GET" || c.req.method === "HEAD")) c.env.route = open;
    // A reload closes what it replaces only when nobody who began with it is left.
    return now.forwarding.use();
  };
}

const publicRoutes: ReadonlyMap<string, Route> = new Map(
  (routes as readonly Route[])
    .filter(({ kind }) => kind === "public")
    .flatMap((route) => spellings(route).map((path) => [path, route] as const)),
);

/** Names the route, for the record and the policy, and keeps what the client says about itself. */
export function identify(route: Route): Step {
  const name = routeName(route);
  return (c) => {
    const draft = c.env.draft;
    c.env.route = route;
    draft.route = name;
    const { headers } = c.env.incoming;
    const app = said(headers["x-onbehalf-app"]);
    if (app !== undefined) draft.app = app;
    const webUser = said(headers["x-openwebui-user-email"] ?? headers["x-openwebui-user-id"]);
    // Anybody can send these: they say which chat user it may have been, and decide nothing.
    if (webUser !== undefined) draft.detail.openwebui_user = webUser;
    return undefined;
  };
}

/** @throws AuthError; GatewayError `auth_unavailable` while nothing more can be recorded */
export const authenticate: Step = (c) => {
  const caller = c.env.rules.authenticate(rawHeaders(c.env.incoming));
  const known = (one: Caller): undefined => {
    c.env.caller = one;
    c.env.draft.caller = one;
  };
  return caller instanceof Promise ? caller.then(known) : known(caller);
};

/** @throws GatewayError `auth_unavailable` while too many rows wait: an unrecorded request must not happen */
export function requireRecord(full: () => boolean): Step {
  return () => {
    if (full()) {
      const message = "Requests cannot be recorded right now, so none is taken. Try again shortly.";
      throw new GatewayError("auth_unavailable", message, { retryAfterSeconds: 5 });
    }
    return undefined;
  };
}

const maxSaid = 200;

/** Printable and short, or not at all. */
function said(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === "string" && /^[\x20-\x7e]+$/.test(header) ? header.slice(0, maxSaid) : undefined;
}
