import type { Caller, Role } from "../caller.ts";
import { localIssuer } from "../caller.ts";
import { knownRole } from "../claims.ts";
import { GatewayError } from "../errors.ts";
import { matchesModel, matchesRoute, routeFamilies } from "../policy/patterns.ts";
import { decide, type Policy } from "../policy/policy.ts";
import { type Route, routeName, routes } from "../routes.ts";
import { budgetOf, budgetPeriod, durationMs, type KeyFields } from "./key-request.ts";
import type { VirtualKey } from "./virtual-key.ts";

/** Everything of a key that a request decides; the rest is the key's own. */
export type Grant = Omit<VirtualKey, "id" | "hint" | "createdAt" | "createdBy" | "updatedAt" | "replaces">;

export interface Maker {
  readonly caller: Caller;
  readonly policy: Policy;
}

/**
 * What a key may be given, by what its maker has. Pure. An administrator gives what is asked; anybody else only to
 * himself, and only what he has: his identity, groups and role go into the key, so that every later change of the
 * policy for him is one for the key, and his own limits count its requests too.
 * @throws GatewayError `forbidden` naming what the maker lacks, `invalid_request`
 */
export function grantOf(fields: KeyFields, maker: Maker, keyId: string, nowMs: number): Grant {
  const routesAsked = [...(fields.allowed_routes ?? []), ...familiesOf(fields.key_type)];
  checkPatterns(routesAsked);
  const common = {
    alias: fields.key_alias ?? undefined,
    models: fields.models ?? [],
    routes: routesAsked,
    limits: limitsOf(fields),
    metadata: fields.metadata ?? {},
    blocked: fields.blocked ?? false,
    expiresAt: expiryOf(fields.duration, nowMs),
  };
  return maker.caller.role === "admin"
    ? { ...common, ...byAdmin(fields, keyId) }
    : { ...common, ...byOwner(fields, common, maker) };
}

type Ownership = Pick<Grant, "issuer" | "subject" | "userId" | "email" | "teamId" | "role" | "groups" | "explicit">;

/** The key's identity is the gateway's own word: no identity provider vouches for a user id typed into a request. */
function byAdmin(fields: KeyFields, keyId: string): Ownership {
  const role = roleOf(fields.user_role);
  const user = fields.user_id ?? undefined;
  return {
    issuer: localIssuer,
    subject: user === undefined ? `key:${keyId}` : `user:${user}`,
    userId: user ?? fields.key_alias ?? keyId,
    email: undefined,
    teamId: fields.team_id ?? undefined,
    role: role ?? "standard",
    groups: [],
    explicit: true,
  };
}

function byOwner(
  fields: KeyFields,
  asked: Pick<Grant, "models" | "routes" | "expiresAt">,
  { caller, policy }: Maker,
): Ownership & Partial<Grant> {
  const { issuer, subject, userId, email, teamId, role, groups, key } = caller;
  if (fields.user_id !== null && fields.user_id !== undefined && fields.user_id !== userId) {
    throw forbidden(`a key for ${fields.user_id} can be made by an administrator only; you are ${userId}`);
  }
  if (fields.team_id !== null && fields.team_id !== undefined && fields.team_id !== teamId) {
    throw forbidden(
      `a key for the team ${fields.team_id} can be made by an administrator only; yours is ${teamId ?? "none"}`,
    );
  }
  if (fields.user_role !== null && fields.user_role !== undefined && roleOf(fields.user_role) !== role) {
    throw forbidden(`a key has its maker's role, which is ${role}`);
  }
  for (const model of asked.models) checkModel(model, { caller, policy });
  for (const pattern of asked.routes) checkRoute(pattern, { caller, policy });
  return {
    issuer,
    subject,
    userId,
    email,
    teamId,
    role,
    groups,
    explicit: key?.explicit ?? false,
    // A key made by a key keeps that one's bounds where it names none of its own.
    ...(key === undefined ? {} : inherited(key, asked, caller.expiresAt)),
  };
}

function inherited(
  key: NonNullable<Caller["key"]>,
  asked: Pick<Grant, "models" | "routes" | "expiresAt">,
  expiresAt: number | undefined,
): Partial<Grant> {
  const end = expiresAt === undefined ? undefined : new Date(expiresAt * 1000).toISOString();
  const earlier = end !== undefined && (asked.expiresAt === undefined || asked.expiresAt > end) ? end : asked.expiresAt;
  return {
    models: asked.models.length === 0 ? key.models : asked.models,
    routes: asked.routes.length === 0 ? key.routes : asked.routes,
    expiresAt: earlier,
  };
}

const chat: Route = routes[0];

/** A pattern is within the maker's rights when it would pass as a name: only a wildcard of his can match one. */
function checkModel(model: string, { caller, policy }: Maker): void {
  const decision = decide(policy, caller, { route: chat, model });
  if (!decision.allowed || (caller.key !== undefined && !within(caller.key.models, model))) {
    throw forbidden(`the model ${model} is beyond what you have: ${decision.reason}`);
  }
}

function within(patterns: readonly string[], model: string): boolean {
  return patterns.length === 0 || patterns.some((pattern) => matchesModel(pattern, model));
}

function checkRoute(pattern: string, { caller, policy }: Maker): void {
  for (const route of routes.filter((one) => one.kind !== "public" && matchesRoute(pattern, one))) {
    const decision = decide(policy, caller, { route, model: undefined });
    if (!decision.allowed) throw forbidden(`the route ${routeName(route)} is beyond what you have: ${decision.reason}`);
  }
}

/** A pattern that names nothing is a typing error, and would make a key that opens nothing. */
function checkPatterns(patterns: readonly string[]): void {
  const unknown = patterns.find((pattern) => !routes.some((route) => matchesRoute(pattern, route)));
  if (unknown === undefined) return;
  throw new GatewayError(
    "invalid_request",
    `allowed_routes: ${unknown} names no route; use a path, a wildcard, or one of ${routeFamilies.join(", ")}.`,
  );
}

function familiesOf(type: KeyFields["key_type"]): readonly string[] {
  switch (type) {
    case "llm_api":
      return ["llm_api_routes"];
    case "management":
      return ["management_routes", "info_routes"];
    case "read_only":
      return ["info_routes", "own_routes"];
    default:
      return [];
  }
}

function roleOf(name: string | null | undefined): Role | undefined {
  if (name === null || name === undefined) return undefined;
  const role = knownRole(name);
  if (role === undefined)
    throw new GatewayError(
      "invalid_request",
      `user_role: ${name} is no role; use admin, user, viewer, team or customer.`,
    );
  return role;
}

function limitsOf(fields: KeyFields): Grant["limits"] {
  const period = budgetPeriod(fields.budget_duration);
  if (period === undefined) {
    throw new GatewayError(
      "invalid_request",
      "budget_duration: budgets are renewed by the calendar; use 1d, 7d or 30d.",
    );
  }
  return {
    rpm: fields.rpm_limit ?? undefined,
    tpm: fields.tpm_limit ?? undefined,
    maxParallel: fields.max_parallel_requests ?? undefined,
    budget: budgetOf(fields, period),
  };
}

function expiryOf(duration: string | null | undefined, nowMs: number): string | undefined {
  if (duration === null || duration === undefined || duration === "permanent" || duration === "-1") return undefined;
  const ms = durationMs(duration);
  if (ms !== undefined && ms > 0) return new Date(nowMs + ms).toISOString();
  throw new GatewayError("invalid_request", "duration: expected a number with s, m, h, d, w or mo, for example 30d.");
}

function forbidden(reason: string): GatewayError {
  return new GatewayError("forbidden", `Not allowed: ${reason}.`);
}
