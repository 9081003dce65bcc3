import { HttpError, type RequestVariables, type Trail, type TrailHop, trailIdentity } from "@onbehalf/service-kit";
import type { CachedExchange } from "@onbehalf/shared-auth";
import type { AuthVariables } from "@onbehalf/shared-auth/hono";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { gatewayHops } from "./gateway-hops.ts";
import { since, trailExchange } from "./record.ts";
import type { Setups } from "./setup.ts";

type UserContext = Context<{ Variables: RequestVariables & AuthVariables }>;

/** What is told of a caller's own requests, rights and usage. */
export interface AccountOptions {
  readonly trail: Trail;
  readonly setups: Setups;
  readonly exchange: CachedExchange;
  /** Whoever is in one of these groups sees everybody's hops. */
  readonly adminGroups: ReadonlySet<string>;
}

/**
 * `GET /api/trail/{trace_id}`: what happened here and at the gateway, as far as the caller may see it. The gateway is
 * asked with the caller's own exchanged token and decides by itself.
 */
export function trailOf({ trail, setups, exchange, adminGroups }: AccountOptions) {
  return async (c: UserContext): Promise<Response> => {
    const traceId = c.req.param("trace_id") ?? "";
    if (!/^[0-9a-f]{32}$/.test(traceId)) {
      throw new HttpError(400, "invalid_request", "A trace id has 32 hexadecimal digits, in lower case.");
    }
    const { identity } = c.var;
    const admin = identity.groups.some((group) => adminGroups.has(group));
    const own = trail.find(traceId, admin ? "admin" : identity);
    const below = await gatewayHopsFor(c, traceId, setups, exchange);
    const missing = below === undefined ? { missing: ["gateway"] } : {};
    return c.json({ trace_id: traceId, hops: [...own, ...(below ?? [])], ...missing }, 200, {
      "cache-control": "no-store",
    });
  };
}

/** Undefined when the gateway could not be asked: half a trail is better than none. */
async function gatewayHopsFor(
  c: UserContext,
  traceId: string,
  setups: Setups,
  exchange: CachedExchange,
): Promise<readonly TrailHop[] | undefined> {
  const { signal, subject } = c.var;
  const { setup, release } = setups.acquire();
  try {
    const { accessToken } = await exchange(subject, { signal });
    const call = { token: accessToken, headers: traceHeaders(c), signal };
    const answer = await setup.gateway.get(`/audit/events?trace=${traceId}`, call);
    return answer.status === 200 ? gatewayHops(answer.body) : undefined;
  } catch (error) {
    c.get("log").warn({ err: error }, "the gateway's part of a trail is missing");
    return undefined;
  } finally {
    release();
  }
}

/** `GET /api/v1/me`: who the caller is here and at the gateway, and what may be used there. */
export function me({ setups, exchange }: AccountOptions) {
  return async (c: UserContext): Promise<Response> => {
    const { signal, subject, identity } = c.var;
    const { setup, release } = setups.acquire();
    try {
      const startedAt = performance.now();
      const token = await exchange(subject, { signal });
      const exchanged = trailExchange(token, since(startedAt));
      const call = { token: token.accessToken, signal, headers: traceHeaders(c) };
      const [user, models] = await Promise.all([
        setup.gateway.get("/user/info", call),
        setup.gateway.get("/v1/models", call),
      ]);
      const body = {
        identity: trailIdentity(identity),
        exchange: exchanged,
        gateway: user.body ?? null,
        models: modelIds(models.body),
      };
      return c.json(body, 200, { "cache-control": "no-store" });
    } finally {
      release();
    }
  };
}

/** `GET /api/v1/connections`: the databases that an application may be set up with, by name. */
export function connections({ setups }: Pick<AccountOptions, "setups">) {
  return (c: UserContext): Response => {
    const { setup, release } = setups.acquire();
    try {
      return c.json({ connections: setup.connections.list() }, 200, { "cache-control": "no-store" });
    } finally {
      release();
    }
  };
}

/** Hands a question on to the gateway, in the caller's name: it decides who sees what, and its answer is the answer. */
export function fromGateway({ setups, exchange }: AccountOptions, path: string) {
  return async (c: UserContext): Promise<Response> => {
    const { signal, subject } = c.var;
    const { setup, release } = setups.acquire();
    try {
      const { accessToken } = await exchange(subject, { signal });
      const { search } = new URL(c.req.url);
      const answer = await setup.gateway.get(`${path}${search}`, {
        token: accessToken,
        headers: traceHeaders(c),
        signal,
      });
      const status = answer.status as ContentfulStatusCode;
      return c.json(answer.body ?? null, status, { "cache-control": "no-store" });
    } finally {
      release();
    }
  };
}

function traceHeaders(c: UserContext): Readonly<Record<string, string>> {
  return { traceparent: c.var.trace.traceparent, "x-request-id": c.var.requestId };
}

function modelIds(body: unknown): readonly string[] {
  const data: unknown = typeof body === "object" && body !== null && "data" in body ? body.data : [];
  if (!Array.isArray(data)) return [];
  return data.flatMap((model: unknown) =>
    typeof model === "object" && model !== null && "id" in model && typeof model.id === "string" ? [model.id] : [],
  );
}

/** `DELETE /api/session`: the user has logged out; no token exchanged for them is kept any longer. */
export function endSession({ exchange }: AccountOptions) {
  return async (c: UserContext): Promise<Response> => {
    const { issuer, subject } = c.var.identity;
    await exchange.purge({ issuer, subject });
    return c.body(null, 204);
  };
}
