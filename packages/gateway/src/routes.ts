import type { DialectName } from "./call.ts";

/**
 * What a route is for, which is what the policy decides by.
 * `llm`: reaches a model. `models`: says which models there are. `info`: describes a key, user, team or model.
 * `own`: the caller's own record and rights. `admin`: changes or lists what belongs to others. `public`: needs nobody.
 */
type RouteKind = "llm" | "models" | "info" | "own" | "admin" | "public";

/** One line of the table of everything that can be called. */
export interface Route {
  readonly method: "GET" | "POST" | "HEAD" | "OPTIONS";
  /** The one canonical path; recorded, and what the policy sees. */
  readonly path: string;
  /** Other spellings that mean the same route. */
  readonly aliases: readonly string[];
  readonly kind: RouteKind;
  readonly dialect: DialectName | undefined;
}

/** Every route the gateway has. What is not in this table does not exist; the tests are generated from it. */
export const routes = [
  // Under `/openai` and `/anthropic` AWS has the same protocols at its own endpoints: clients made for those keep their paths.
  llm("/v1/chat/completions", "openai-chat", ["/chat/completions", "/openai/v1/chat/completions"]),
  llm("/v1/responses", "openai-responses", ["/responses", "/openai/v1/responses"]),
  llm("/v1/embeddings", "openai-embeddings", ["/embeddings", "/openai/v1/embeddings"]),
  llm("/v1/messages", "anthropic", ["/anthropic/v1/messages"]),
  llm("/v1/messages/count_tokens", "anthropic", ["/anthropic/v1/messages/count_tokens"]),
  llm("/model/:id/converse", "bedrock", []),
  llm("/model/:id/converse-stream", "bedrock", []),
  llm("/model/:id/invoke", "bedrock", []),
  llm("/model/:id/invoke-with-response-stream", "bedrock", []),
  llm("/model/:id/count-tokens", "bedrock", []),
  get("/v1/models", "models", ["/models", "/openai/v1/models", "/anthropic/v1/models"]),
  get("/v1/models/:id", "models", ["/models/:id", "/openai/v1/models/:id", "/anthropic/v1/models/:id"]),
  get("/inference-profiles", "models", []),
  get("/inference-profiles/:id", "models", []),
  get("/key/info", "info", []),
  get("/user/info", "info", []),
  get("/team/info", "info", []),
  get("/model/info", "info", ["/v1/model/info"]),
  get("/audit/events", "own", []),
  get("/spend/logs", "own", []),
  get("/spend/report", "own", []),
  post("/policy/explain", "own"),
  get("/key/list", "admin", []),
  post("/key/generate", "admin"),
  post("/key/update", "admin"),
  post("/key/regenerate", "admin"),
  post("/key/delete", "admin"),
  post("/key/block", "admin"),
  post("/key/unblock", "admin"),
  get("/v1/responses", "public", ["/responses", "/openai/v1/responses"]),
  get("/system/health", "public", []),
  get("/system/ready", "public", []),
  get("/health/liveliness", "public", ["/health/liveness"]),
  get("/health/readiness", "public", []),
  get("/.well-known/oauth-protected-resource", "public", []),
  get("/.well-known/oauth-authorization-server", "public", []),
  post("/oauth/device_authorization", "public"),
  post("/oauth/token", "public"),
  get("/managed/settings", "own", []),
  post("/v1/metrics", "own"),
  post("/v1/logs", "own"),
  post("/v1/traces", "own"),
  get("/", "public", []),
] as const satisfies readonly Route[];

/** `POST /v1/chat/completions`: how a route is written in records and explanations. */
export function routeName(route: Route): string {
  return `${route.method} ${route.path}`;
}

/** The route of a method and a concrete path, aliases included; undefined when there is none. */
export function findRoute(method: string, path: string, table: readonly Route[] = routes): Route | undefined {
  return table.find((route) => route.method === method && spellings(route).some((known) => sameShape(known, path)));
}

/** The way to a model that a client means whose base URL has a `/v1` too many or too few, or another path before it. */
export function meantRoute(method: string, path: string): Route | undefined {
  const given = path.split("/").slice(1);
  return routes.find((route) => {
    const end = route.path.replace(/^\/v1/, "");
    const segments = end.split("/").length - 1;
    return (
      route.dialect !== undefined && route.method === method && sameShape(end, `/${given.slice(-segments).join("/")}`)
    );
  });
}

/** All spellings of a route, the canonical one first. */
export function spellings(route: Route): readonly string[] {
  return [route.path, ...route.aliases];
}

function sameShape(pattern: string, path: string): boolean {
  const wanted = pattern.split("/");
  const given = path.split("/");
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => (segment.startsWith(":") ? given[index] !== "" : segment === given[index]))
  );
}

function llm(path: string, dialect: DialectName, aliases: readonly string[]): Route {
  return { method: "POST", path, aliases, kind: "llm", dialect };
}

function get(path: string, kind: RouteKind, aliases: readonly string[]): Route {
  return { method: "GET", path, aliases, kind, dialect: undefined };
}

function post(path: string, kind: RouteKind): Route {
  return { method: "POST", path, aliases: [], kind, dialect: undefined };
}
