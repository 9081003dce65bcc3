import { setTimeout as sleep } from "node:timers/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import {
  type Connection,
  errorHandler,
  HttpError,
  healthRoutes,
  type Logger,
  notFound,
  type RequestVariables,
  readiness,
  requestContext,
} from "@onbehalf/service-kit";
import { type Context, Hono } from "hono";
import type { Calls, Endpoint } from "./calls.ts";
import { endpoints } from "./calls.ts";
import { control } from "./control.ts";
import type { IssuerDefinition, User } from "./definitions.ts";
import type { Fault, Faults } from "./faults.ts";
import type { Issuers } from "./issuers.ts";
import { forLibrary } from "./library-request.ts";
import type { Lifetimes } from "./lifetimes.ts";
import type { Notes } from "./notes.ts";
import { indexPage } from "./pages/index-page.ts";
import type { StepUp } from "./step-up.ts";

interface AppParts {
  readonly issuers: Issuers;
  readonly definitions: ReadonlyMap<string, IssuerDefinition>;
  readonly users: ReadonlyMap<string, User>;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly stepUp: StepUp;
  readonly lifetimes: Lifetimes;
  readonly notes: Notes;
  readonly log: Logger;
}

type Served = { Variables: RequestVariables; Bindings: Connection };

/** Every issuer on one port, below the paths Okta has, and the sandbox's switches. */
export function createApp(parts: AppParts): Hono<Served> {
  const app = new Hono<Served>();
  app.use(requestContext({ service: "identity-provider", log: parts.log }));
  app.onError(errorHandler());
  app.notFound(notFound());
  app.route("/", healthRoutes(readiness({})));
  app.route("/sandbox", control(parts));
  app.get("/", () => {
    const { body, headers } = indexPage(parts.definitions, parts.users.values());
    return new Response(body, { headers });
  });

  const discovery = (c: Context<Served>) => {
    const document = c.req.param("document") ?? "oauth-authorization-server";
    return answer(parts, c, "discovery", `/.well-known/${document}${new URL(c.req.url).search}`);
  };
  app.all("/oauth2/:issuer/.well-known/:document", discovery);
  // RFC 8414, section 3.1: the well-known part before the issuer's path.
  app.all("/.well-known/oauth-authorization-server/oauth2/:issuer", discovery);
  const below = (c: Context<Served>) => answer(parts, c, endpointOf(c), belowIssuer(c));
  app.all("/oauth2/:issuer/v1/:endpoint", below);
  app.all("/oauth2/:issuer/v1/:endpoint/:step", below);
  app.all("/oauth2/:issuer/signin/:uid", (c) => answer(parts, c, "signin", belowIssuer(c)));
  return app;
}

/** The path and query as they came, undecoded, without the issuer's part. */
function belowIssuer(c: Context<Served>): string {
  return (c.env.incoming.url ?? "").replace(/^\/oauth2\/[^/]+/, "");
}

function endpointOf(c: Context<Served>): Endpoint {
  const named = c.req.param("endpoint");
  const endpoint = endpoints.find((one) => one === named);
  if (endpoint !== undefined) return endpoint;
  throw new HttpError(
    404,
    "not_found",
    `there is no endpoint ${JSON.stringify(named)}; the discovery document lists them`,
  );
}

async function answer(
  { issuers, calls, faults, notes }: AppParts,
  c: Context<Served>,
  endpoint: Endpoint,
  path: string,
) {
  const issuer = await issuers.get(c.req.param("issuer") ?? "");
  if (issuer === undefined) {
    throw new HttpError(404, "not_found", `there is no such issuer; there are: ${issuers.names.join(", ")}`);
  }
  c.get("note")({ issuer: issuer.url, endpoint });
  calls.add(issuer.name, endpoint);
  const fault = faults.take(issuer.name, endpoint);
  if (fault !== undefined) {
    const failed = await fail(fault, c);
    if (failed !== undefined) return failed;
  }
  const { incoming, outgoing } = c.env;
  const request = await forLibrary(incoming, path, endpoint, issuer);
  notes.set(request, c.get("note"));
  await issuer.handle(request, outgoing);
  return RESPONSE_ALREADY_SENT;
}

/** Does what the fault says; undefined when the request is to be answered after all. */
async function fail(fault: Fault, c: Context<Served>): Promise<Response | undefined> {
  c.get("note")({ fault: fault.fault });
  switch (fault.fault) {
    case "slow":
      await sleep(fault.milliseconds, undefined, { signal: c.get("signal") }).catch(() => undefined);
      return undefined;
    case "5xx":
      throw new HttpError(fault.status as 503, "temporarily_unavailable", "a fault was asked for: the server fails");
    case "429":
      throw new HttpError(429, "slow_down", "a fault was asked for: too many requests", { retryAfterSeconds: 1 });
    case "drop":
      c.env.incoming.socket.destroy();
      return RESPONSE_ALREADY_SENT;
  }
}
