import {
  bodyLimit,
  errorHandler,
  healthRoutes,
  type Logger,
  notFound,
  type Readiness,
  type RequestContextOptions,
  requestContext,
  securityHeaders,
} from "@onbehalf/service-kit";
import { protectedResource } from "@onbehalf/shared-auth/hono";
import { Hono } from "hono";
import { type AppRouteOptions, appRoutes } from "./api/apps.ts";
import { type CorsOptions, cors } from "./api/cors.ts";
import type { ApiEnv } from "./api/credentials.ts";
import { type DocumentOptions, documentRoutes } from "./api/document.ts";
import { type ApiOptions, apiRoutes } from "./api/routes.ts";
import { type SessionRouteOptions, sessionRoutes } from "./api/session.ts";
import { type LoginOptions, loginRoutes } from "./login/routes.ts";
import { type AdminRouteOptions, adminRoutes } from "./pages/admin-routes.ts";
import { assetRoutes } from "./pages/assets.ts";
import { contentSecurityPolicy } from "./pages/content-security-policy.ts";
import { asPage } from "./pages/problems.ts";
import { type PageOptions, pageRoutes } from "./pages/routes.ts";
import { withoutTrailingSlash } from "./pages/trailing-slash.ts";
import { withSession } from "./session/browser.ts";

/** What the stages need; `start.ts` makes it from the configuration. */
export interface Stages {
  readonly log: Logger;
  /** Told of every request: metrics and traces. */
  readonly requests: RequestContextOptions["observer"];
  readonly readiness: Readiness;
  readonly publicUrl: string;
  readonly authorizationServers: readonly string[];
  readonly apiScopes: readonly string[];
  readonly login: LoginOptions;
  readonly session: SessionRouteOptions;
  readonly api: Omit<ApiOptions, "resource">;
  readonly cors: CorsOptions;
  readonly document: DocumentOptions;
  readonly apps: AppRouteOptions;
  readonly pages: PageOptions;
  readonly admin: AdminRouteOptions;
}

const maxBodyBytes = 256 * 1024;

/** The way of a request, in the order of its stages. */
export function createApp(stages: Stages): Hono<ApiEnv> {
  const { log, publicUrl, login, authorizationServers, apiScopes } = stages;
  const resource = { realm: "onbehalf", resourceMetadata: `${publicUrl}/.well-known/oauth-protected-resource` };
  // Programs may end an address with a slash; browsers are led to the one without.
  const app = new Hono<ApiEnv>({ strict: false });
  const refuse = errorHandler(resource);
  const missing = notFound();
  app.onError(async (error, c) => asPage(c, await refuse(error, c), stages.pages));
  app.notFound(async (c) => asPage(c, await missing(c), stages.pages));

  app.use(requestContext({ service: "launchpad", log, observer: stages.requests }));
  app.route("/", healthRoutes(stages.readiness));
  app.use(
    securityHeaders({
      contentSecurityPolicy,
      strictTransportSecurity: publicUrl.startsWith("https:"),
      // With `no-referrer` browsers would send our own forms with `Origin: null`.
      referrerPolicy: "same-origin",
    }),
  );
  app.use(withoutTrailingSlash(publicUrl));
  app.use(bodyLimit(maxBodyBytes));
  app.use(withSession(login.sessions, login.sessionCookie));

  app.route("/", assetRoutes());
  app.route("/", loginRoutes(login));
  app.route("/", sessionRoutes(stages.session));
  app.use("/api/v1/*", cors(stages.cors));
  app.route("/", apiRoutes({ ...stages.api, resource }));
  app.route("/", documentRoutes(stages.document));
  app.route("/", appRoutes(stages.apps));
  app.route("/", pageRoutes(stages.pages));
  app.route("/", adminRoutes(stages.admin));
  app.get(
    "/.well-known/oauth-protected-resource",
    protectedResource({ resource: publicUrl, authorizationServers, scopes: apiScopes }),
  );
  return app;
}
