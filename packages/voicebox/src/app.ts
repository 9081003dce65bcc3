import {
  bodyLimit,
  errorHandler,
  healthRoutes,
  type Logger,
  notFound,
  type Readiness,
  requestContext,
  securityHeaders,
  type Telemetry,
  type Trail,
} from "@onbehalf/service-kit";
import type { Verifier } from "@onbehalf/shared-auth";
import { protectedResource } from "@onbehalf/shared-auth/hono";
import { Hono, type MiddlewareHandler } from "hono";
import { type AccountOptions, connections, endSession, fromGateway, me, trailOf } from "./account.ts";
import { createAnswering } from "./answering.ts";
import { createAsk } from "./ask.ts";
import { chainHealth } from "./chain-health.ts";
import type { Config } from "./config.ts";
import type { Conversations } from "./conversation.ts";
import type { Exchanges } from "./exchanges.ts";
import { identifyNobody, identifyUsers } from "./identify.ts";
import { createMeasures } from "./measure.ts";
import { ask, generateQuery, streamAsk } from "./questions.ts";
import { type RecordVariables, recordHops } from "./record.ts";
import type { Setups } from "./setup.ts";

/** What the stages are given; `start` opens it. */
export interface AppOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly ready: Readiness;
  readonly telemetry: Telemetry;
  readonly trail: Trail;
  readonly setups: Setups;
  readonly conversations: Conversations;
  /** Both undefined when `REQUIRE_JWT_AUTH` is false. */
  readonly verifier: Verifier | undefined;
  readonly exchanges: Exchanges | undefined;
}

/** Questions are short; an application's list of graphs may be long. */
const maxBodyBytes = 512 * 1024;

/** The way of a request, stage by stage. */
export function createApp(options: AppOptions): Hono<{ Variables: RecordVariables }> {
  const { config, log, ready, telemetry, trail, setups, conversations, verifier, exchanges } = options;
  const metadata = `${config.publicUrl}/.well-known/oauth-protected-resource`;
  const llmKey = config.access.kind === "open" ? config.access.llmKey : undefined;
  const measures = createMeasures(telemetry);
  const answering = createAnswering({ ask: createAsk({ conversations }), setups, exchanges, llmKey, measures });

  const app = new Hono<{ Variables: RecordVariables }>();
  app.onError(errorHandler({ resourceMetadata: metadata }));
  app.notFound(notFound());

  app.use(requestContext({ service: "voicebox", log, observer: telemetry.requests }));
  app.use(securityHeaders());
  app.route("/", healthRoutes(ready));
  if (config.access.kind === "jwt") app.get("/.well-known/oauth-protected-resource", resourceOf(config, config.access));

  app.use("/api/*", bodyLimit(maxBodyBytes));
  app.use("/api/v1/voicebox/*", recordHops(trail));
  app.use("/api/*", verifier === undefined ? identifyNobody() : identifyUsers(verifier, metadata));
  app.post("/api/v1/voicebox/ask", ask(answering));
  app.post("/api/v1/voicebox/stream/ask", streamAsk(answering));
  app.post("/api/v1/voicebox/generate-query", generateQuery(answering));
  if (exchanges !== undefined) {
    accountRoutes(app, { trail, setups, ready, exchange: exchanges.gateway, adminGroups: config.adminGroups });
  }
  return app;
}

function accountRoutes(
  app: Hono<{ Variables: RecordVariables }>,
  options: AccountOptions & Pick<AppOptions, "ready">,
): void {
  const account = new Hono();
  account.get("/trail/:trace_id", trailOf(options));
  account.get("/v1/me", me(options));
  account.get("/v1/connections", connections(options));
  account.get("/v1/usage", fromGateway(options, "/spend/report"));
  account.get("/v1/events", fromGateway(options, "/audit/events"));
  account.get("/v1/chain-health", chainHealth(options));
  account.delete("/session", endSession(options));
  app.route("/api", account);
}

function resourceOf(config: Config, access: Extract<Config["access"], { kind: "jwt" }>): MiddlewareHandler {
  return protectedResource({
    resource: config.publicUrl,
    authorizationServers: [access.issuer.issuer],
    scopes: access.requiredScopes,
  });
}
