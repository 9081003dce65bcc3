import type { Identity } from "@onbehalf/shared-auth";
import type { Caller, Role } from "./caller.ts";

/** Which claims become which attributes: dotted paths, the first that is present wins. */
export interface AttributeMapping {
  readonly userId: readonly string[];
  readonly email: readonly string[];
  readonly role: readonly string[];
  readonly teamId: readonly string[];
  /** Taken when no team claim is present. */
  readonly defaultTeam: string | undefined;
}

/** How a token's scopes, roles and groups become one of our roles. */
export interface RoleRules {
  /** A token with this scope is an administrator's. */
  readonly adminScope: string;
  /** A token with this scope speaks for a team. */
  readonly teamScope: string | undefined;
  /** Further role names of the identity provider → ours or LiteLLM's. */
  readonly names: Readonly<Record<string, string>>;
  /** Groups whose members have a role. */
  readonly groups: Readonly<Record<string, Role>>;
}

/** LiteLLM's names and the short ones; any other name is an ordinary user. */
const knownRoles: Readonly<Record<string, Role>> = {
  admin: "admin",
  proxy_admin: "admin",
  user: "standard",
  internal_user: "standard",
  viewer: "viewer",
  internal_user_viewer: "viewer",
  team: "team",
  customer: "customer",
};

/** From the most to the least that a role may do. */
const byPower: readonly Role[] = ["admin", "standard", "team", "customer", "viewer"];

/** The role a name stands for; undefined for a name nobody knows. */
export function knownRole(name: string): Role | undefined {
  return Object.hasOwn(knownRoles, name) ? knownRoles[name] : undefined;
}

/** Who a verified token speaks for, with the attributes that the mapping finds in its claims. Pure. */
export function callerFromToken(
  identity: Identity,
  mapping: AttributeMapping,
  rules: RoleRules,
  token: string,
): Caller {
  const { claims, subject, clientId, kind, groups } = identity;
  const teamClaim = firstText(claims, mapping.teamId) ?? mapping.defaultTeam;
  return {
    credential: "jwt",
    issuer: identity.issuer,
    subject,
    kind,
    userId: firstText(claims, mapping.userId) ?? subject,
    email: firstText(claims, mapping.email) ?? identity.email,
    name: identity.name,
    teamId: teamClaim ?? (kind === "app" ? (clientId ?? subject) : undefined),
    clientId,
    role: roleOf(identity, mapping, rules),
    groups,
    groupsState: identity.groupsState,
    audience: identity.audience,
    scopes: identity.scopes,
    actors: identity.actors,
    expiresAt: identity.expiresAt,
    token,
    key: undefined,
  };
}

function roleOf(identity: Identity, mapping: AttributeMapping, rules: RoleRules): Role {
  if (identity.scopes.includes(rules.adminScope)) return "admin";
  const claimed = mapping.role.map((path) => strings(claimAt(identity.claims, path))).find((names) => names.length > 0);
  const byClaim = (claimed ?? []).flatMap((name) => {
    const role = knownRole(rules.names[name] ?? name);
    return role === undefined ? [] : [role];
  });
  const byGroup = identity.groups.flatMap((group) => (Object.hasOwn(rules.groups, group) ? [rules.groups[group]] : []));
  const roles = [...byClaim, ...byGroup];
  // Several roles add up, as grants do; with none that is known, a person is an ordinary user and a client its project.
  const strongest = byPower.find((role) => roles.includes(role));
  if (strongest !== undefined) return strongest;
  const isTeam =
    identity.kind === "app" || (rules.teamScope !== undefined && identity.scopes.includes(rules.teamScope));
  return isTeam ? "team" : "standard";
}

/**
 * The claim at a dotted path. A claim whose whole name has dots (`https://example.com/role`) is found by that name
 * first; own properties only.
 */
export function claimAt(claims: Readonly<Record<string, unknown>>, path: string): unknown {
  if (Object.hasOwn(claims, path)) return claims[path];
  let node: unknown = claims;
  for (const part of path.split(".")) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, part)) return undefined;
    node = (node as Readonly<Record<string, unknown>>)[part];
  }
  return node;
}

function firstText(claims: Readonly<Record<string, unknown>>, paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const value = claimAt(claims, path);
    if (typeof value === "string" && value !== "") return value.slice(0, maxLength);
    if (typeof value === "number" && Number.isFinite(value)) return String(value);
  }
  return undefined;
}

function strings(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value];
  return Array.isArray(value) ? value.filter((name): name is string => typeof name === "string" && name !== "") : [];
}

/** Attributes are recorded: a claim is not the place for a document. */
const maxLength = 320;
