import {
  beginRequest,
  healthRoutes,
  type Logger,
  notFound,
  type Readiness,
  securityHeaders,
  type Telemetry,
} from "@onbehalf/service-kit";
import { protectedResource } from "@onbehalf/shared-auth/hono";
import { Hono } from "hono";
import { type AdminOptions, adminHandlers, type Handler } from "./admin/handlers.ts";
import { answer } from "./answer.ts";
import { authorize } from "./authorize.ts";
import { dialects } from "./dialects/index.ts";
import { admit, authenticate, identify, requireRecord } from "./entry.ts";
import { GatewayError } from "./errors.ts";
import { answerErrors, spokenAt } from "./errors-on-the-wire.ts";
import { allowOrigins } from "./http/cross-origin.ts";
import { litellmHealthRoutes } from "./http/health.ts";
import { noWebSocket } from "./http/no-websocket.ts";
import { limit } from "./limit.ts";
import { parse } from "./parse.ts";
import { pipeline, type Step, surrounding } from "./pipeline.ts";
import { createMeter } from "./record/meter.ts";
import { recordEach } from "./record/record-stage.ts";
import type { Recorder } from "./record/recorder.ts";
import { meantRoute, routeName, routes, spellings } from "./routes.ts";
import { signInRoutes } from "./sign-in/routes.ts";
import type { Rules, StageEnv } from "./stages.ts";

/** What the stages are given; `start` opens it. */
export interface AppOptions extends AdminOptions {
  readonly log: Logger;
  /** The rules in force; a reload changes what this gives. */
  readonly rules: () => Rules;
  readonly recorder: Recorder;
  readonly readiness: Readiness;
  /** Where clients reach this gateway. */
  readonly publicUrl: () => string;
  /** For a whole body to arrive. */
  readonly bodyTimeoutMs: number;
  /** Whose pages may call from the browser. */
  readonly corsOrigins: readonly string[];
  readonly telemetry: Telemetry;
}

/** The whole way of a request. */
export function createApp(options: AppOptions): Hono<StageEnv> {
  const { log, rules, recorder, readiness, publicUrl } = options;
  const resourceMetadata = () => `${publicUrl()}/.well-known/oauth-protected-resource`;
  const handlers: Readonly<Record<string, Handler>> = {
    ...adminHandlers(options),
    ...signInRoutes(publicUrl),
    "GET /v1/responses": noWebSocket,
  };
  const onError = answerErrors({ dialects, resourceMetadata });
  const crossOrigin = options.corsOrigins.length === 0 ? undefined : allowOrigins(options.corsOrigins);
  const begin: readonly Step[] = [
    beginRequest({ service: "gateway", log, observer: options.telemetry.requests }),
    ...(crossOrigin === undefined ? [] : [crossOrigin.mark]),
    recordEach({ recorder, meter: createMeter(options.telemetry) }),
    admit(rules),
  ];
  const recordable = requireRecord(() => recorder.state().full);
  const app = new Hono<StageEnv>();
  app.onError(onError);
  const plainly = notFound();
  app.notFound((c) => {
    if (spokenAt(c) === undefined) {
      c.env.draft.errorCode = "not_found";
      return plainly(c);
    }
    const meant = meantRoute(c.req.method, c.req.path);
    const instead =
      meant === undefined ? "GET /v1/models lists the models there are" : `mend the base URL to reach ${meant.path}`;
    throw new GatewayError("not_found", `There is nothing at this address; ${instead}.`);
  });

  // By themselves, without what surrounds all other routes: Hono runs a single handler without going round about it.
  const llm = new Hono<StageEnv>();
  llm.onError(onError);
  llm.notFound((c) => app.fetch(c.req.raw, c.env));
  for (const route of routes) {
    const dialect = route.dialect === undefined ? undefined : dialects[route.dialect];
    if (dialect === undefined) continue;
    const stages = [...begin, identify(route), recordable, authenticate, parse(dialect, options), authorize, limit];
    llm.on(route.method, [...spellings(route)], pipeline(stages, answer, onError));
  }

  app.use(surrounding(begin, onError), securityHeaders());
  app.options("*", (c, next) => crossOrigin?.preflight(c) ?? next());
  app.route("/", healthRoutes(readiness));
  app.route("/", litellmHealthRoutes(readiness));
  app.get("/.well-known/oauth-protected-resource", (c, next) =>
    protectedResource(describe(rules(), publicUrl()))(c, next),
  );

  for (const route of routes) {
    const handler = handlers[routeName(route)];
    if (handler === undefined) continue;
    const stages = route.kind === "public" ? [identify(route)] : [identify(route), recordable, authenticate, authorize];
    app.on(route.method, [...spellings(route)], pipeline(stages, handler, onError));
  }
  return llm;
}

/** What a client needs to know to get a token for this gateway (RFC 9728). */
function describe({ settings: { issuers } }: Rules, resource: string) {
  return {
    resource,
    authorizationServers: issuers.map(({ options }) => options.issuer),
    scopes: [...new Set(issuers.flatMap(({ options }) => options.requiredScopes ?? []))],
  };
}
