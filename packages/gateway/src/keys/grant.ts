import { type Caller, localIssuer, type Role } from "../caller.ts";
import { knownRole } from "../claims.ts";
import { GatewayError } from "../errors.ts";
import { matchesRoute, routeFamilies } from "../policy/patterns.ts";
import { routes } from "../routes.ts";
import { budgetOf, budgetPeriod, durationMs, type KeyFields } from "./key-request.ts";
import type { VirtualKey } from "./virtual-key.ts";
import { type Maker, requireWithin } from "./within.ts";

/** Everything of a key that a request decides; the rest is the key's own. */
export type Grant = Omit<VirtualKey, "id" | "hint" | "createdAt" | "createdBy" | "updatedAt" | "replaces" | "former">;

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
  const { caller } = maker;
  const owner = caller.role === "admin" ? byAdmin(fields, keyId) : byOwner(fields, caller);
  const grant = { ...common, ...owner, ...inherited(caller, common) };
  requireWithin(maker, grant);
  return grant;
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

function byOwner(fields: KeyFields, caller: Caller): Ownership {
  const { issuer, subject, userId, email, teamId, role, groups, key } = caller;
  if (fields.user_id !== null && fields.user_id !== undefined && fields.user_id !== userId) {
    throw forbidden(`a key for ${fields.user_id} can be made by an administrator only; you are ${userId}`);
  }
  if (fields.team_id !== null && fields.team_id !== undefined && fields.team_id !== teamId) {
    throw forbidden(
      `a key for the team ${fields.team_id} can be made by an administrator only; yours is ${teamId ?? "none"}`,
    );
  }
  return {
    issuer,
    subject,
    userId,
    email,
    teamId,
    role: roleOf(fields.user_role) ?? role,
    groups,
    explicit: key?.explicit ?? false,
  };
}

/** A key made by a key keeps that one's bounds where it names none of its own. */
function inherited(
  { key, expiresAt }: Caller,
  asked: Pick<Grant, "models" | "routes" | "expiresAt">,
): Pick<Grant, "models" | "routes" | "expiresAt"> {
  if (key === undefined) return asked;
  const end = expiresAt === undefined ? undefined : new Date(expiresAt * 1000).toISOString();
  return {
    models: asked.models.length === 0 ? key.models : asked.models,
    routes: asked.routes.length === 0 ? key.routes : asked.routes,
    expiresAt: asked.expiresAt ?? end,
  };
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
