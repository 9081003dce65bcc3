import {
  bodyLimit,
  errorHandler,
  healthRoutes,
  type Logger,
  notFound,
  type Readiness,
  requestContext,
  securityHeaders,
} from "@onbehalf/service-kit";
import { protectedResource } from "@onbehalf/shared-auth/hono";
import { Hono } from "hono";
import type { ApiEnv } from "./api/credentials.ts";
import { type ApiOptions, apiRoutes } from "./api/routes.ts";
import { type SessionRouteOptions, sessionRoutes } from "./api/session.ts";
import { type LoginOptions, loginRoutes } from "./login/routes.ts";
import { assetRoutes } from "./pages/assets.ts";
import { contentSecurityPolicy } from "./pages/content-security-policy.ts";
import { type PageOptions, pageRoutes } from "./pages/routes.ts";
import { withSession } from "./session/browser.ts";

/** What the stages need; `start.ts` makes it from the configuration. */
export interface Stages {
  readonly log: Logger;
  readonly readiness: Readiness;
  readonly publicUrl: string;
  readonly authorizationServers: readonly string[];
  readonly apiScopes: readonly string[];
  readonly login: LoginOptions;
  readonly session: SessionRouteOptions;
  readonly api: ApiOptions;
  readonly pages: PageOptions;
}

const maxBodyBytes = 256 * 1024;

/** The way of a request, in the order of its stages. */
export function createApp(stages: Stages): Hono<ApiEnv> {
  const { log, publicUrl, login, authorizationServers, apiScopes } = stages;
  const resourceMetadata = `${publicUrl}/.well-known/oauth-protected-resource`;
  const app = new Hono<ApiEnv>();
  app.onError(errorHandler({ resourceMetadata, realm: "onbehalf" }));
  app.notFound(notFound());

  app.use(requestContext({ service: "launchpad", log }));
  app.route("/", healthRoutes(stages.readiness));
  app.use(securityHeaders({ contentSecurityPolicy, strictTransportSecurity: publicUrl.startsWith("https:") }));
  // With `no-referrer`, which the line above says, browsers would send forms with `Origin: null`.
  app.use(async (c, next) => {
    c.header("referrer-policy", "same-origin");
    await next();
  });
  app.use(bodyLimit(maxBodyBytes));
  app.use(withSession(login.sessions, login.sessionCookie));

  app.route("/", assetRoutes());
  app.route("/", loginRoutes(login));
  app.route("/", sessionRoutes(stages.session));
  app.route("/", apiRoutes(stages.api));
  app.route("/", pageRoutes(stages.pages));
  app.get(
    "/.well-known/oauth-protected-resource",
    protectedResource({ resource: publicUrl, authorizationServers, scopes: apiScopes }),
  );
  return app;
}
