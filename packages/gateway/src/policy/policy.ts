import type { Caller } from "../caller.ts";
import { type Route, routeName } from "../routes.ts";
import { matchesModel, matchesRoute } from "./patterns.ts";

/** What `access.groups.<name>` allows. Limits are a matter of their own. */
export interface GroupRule {
  /** Model patterns. Empty allows no model: nothing is allowed by omission. */
  readonly models: readonly string[];
  /** Route patterns; undefined: the default routes. */
  readonly routes: readonly string[] | undefined;
}

/** Routes that are open, and to whom. */
export interface AllowedRoute {
  /** A path, one with wildcards, or a family of routes: see `matchesRoute`. */
  readonly pattern: string;
  /** Undefined: everyone with a valid credential. */
  readonly groups: readonly string[] | undefined;
}

/** Who may call what, as the configuration says it; read once. */
export interface Policy {
  /** False: refusals are logged and recorded, not enforced (never on routes that change something). */
  readonly enforce: boolean;
  /** Undefined: LLM routes, every `/info` and the caller's own record. */
  readonly allowedRoutes: readonly AllowedRoute[] | undefined;
  /** Undefined: groups decide nothing. */
  readonly groups: Readonly<Record<string, GroupRule>> | undefined;
  /** Routes an administrator may call. Undefined: all. */
  readonly adminRoutes: readonly string[] | undefined;
  /** Routes the role `team` may call, within everything else. Undefined: no further restriction. */
  readonly teamRoutes: readonly string[] | undefined;
}

/** What is to be decided: a route, and where it has one a model. */
export interface Question {
  readonly route: Route;
  /** Undefined where the route names none. */
  readonly model: string | undefined;
}

/** The part of a caller that rights are made of. */
export type Subject = Pick<Caller, "credential" | "role" | "groups" | "groupsState" | "teamId" | "key">;

/** Yes or no, and by which rule. */
export interface Decision {
  readonly allowed: boolean;
  /** The rule that decided, for example `access.groups`. */
  readonly rule: string;
  /** Why, in words for the caller: what was seen and what was needed. */
  readonly reason: string;
}

const defaultFamilies = ["llm_routes", "info_routes", "own_routes"];

/** May this caller use this route and model? Pure; the first rule that refuses decides. */
export function decide(policy: Policy, subject: Subject, question: Question): Decision {
  if (question.route.kind === "public") return allow("public", "the route is public");
  const rules = [byKey, byRole, byExplicitKey, byAllowedRoutes, byGroups];
  for (const rule of rules) {
    const decision = rule(policy, subject, question);
    if (decision !== undefined) return decision;
  }
  return allow("default", "LLM routes, info routes and the caller's own record are open to every valid credential");
}

type Rule = (policy: Policy, subject: Subject, question: Question) => Decision | undefined;

/** A key never reaches further than what was written into it, whoever made it. */
const byKey: Rule = (_policy, { key }, { route, model }) => {
  if (key === undefined) return undefined;
  if (key.routes.length > 0 && !key.routes.some((pattern) => matchesRoute(pattern, route))) {
    return refuse("key.allowed_routes", `this key may call ${list(key.routes)}, not ${routeName(route)}`);
  }
  if (model !== undefined && key.models.length > 0 && !key.models.some((pattern) => matchesModel(pattern, model))) {
    return refuse("key.models", `this key may use the models ${list(key.models)}, not ${shown(model)}`);
  }
  return undefined;
};

const byRole: Rule = (policy, { role, teamId }, { route }) => {
  switch (role) {
    case "admin":
      return byAdminRoutes(policy, route);
    case "viewer":
      return readsOnly(route)
        ? undefined
        : refuse("role", "the role viewer may read, not call models or change things");
    case "team":
      return byTeam(policy, teamId, route);
    case "customer":
      return route.kind === "admin" || route.path === "/team/info"
        ? refuse("role", "the role customer may call models and read what is its own, not its team's")
        : undefined;
    case "standard":
      return undefined;
  }
};

function byTeam({ teamRoutes }: Policy, teamId: string | undefined, route: Route): Decision | undefined {
  if (teamId === undefined)
    return refuse("role", "the role team needs a team: map the token's team claim with team_id");
  if (teamRoutes === undefined || route.kind === "own") return undefined;
  if (teamRoutes.some((pattern) => matchesRoute(pattern, route))) return undefined;
  return refuse("team_allowed_routes", `teams may call ${list(teamRoutes)}, not ${routeName(route)}`);
}

function byAdminRoutes(policy: Policy, route: Route): Decision {
  const allowed = policy.adminRoutes;
  if (allowed === undefined || allowed.some((pattern) => matchesRoute(pattern, route))) {
    return allow("role", "the caller is an administrator");
  }
  return refuse("admin_allowed_routes", `administrators may call ${list(allowed)}, not ${routeName(route)}`);
}

function readsOnly(route: Route): boolean {
  return route.kind !== "llm" && route.kind !== "admin";
}

/** A key an administrator made carries its own right; a route it names beyond the defaults is named on purpose. */
const byExplicitKey: Rule = (_policy, { key }, { route }) => {
  if (key === undefined || !key.explicit) return undefined;
  if (key.routes.length > 0 || isDefault(route)) return allow("key", "an administrator made this key for it");
  return refuse("key", `${routeName(route)} is for administrators; a key may call it when its allowed_routes name it`);
};

/** Keys made by non-administrators and JWTs alike: only what is listed, for the groups listed. */
const byAllowedRoutes: Rule = (policy, subject, { route }) => {
  const listed = policy.allowedRoutes;
  if (listed === undefined) return byDefaultRoutes(policy, subject, route);
  const matching = listed.filter(({ pattern }) => matchesRoute(pattern, route));
  if (matching.length === 0) {
    return refuse("allowed_routes", `${routeName(route)} is not in allowed_routes; an administrator can add it there`);
  }
  if (matching.some(({ groups }) => groups === undefined || groups.some((group) => subject.groups.includes(group)))) {
    return undefined;
  }
  const needed = new Set(matching.flatMap(({ groups }) => groups ?? []));
  return refuse("allowed_routes", `${routeName(route)} needs one of the groups ${list([...needed])}; ${seen(subject)}`);
};

function byDefaultRoutes(policy: Policy, subject: Subject, route: Route): Decision | undefined {
  if (isDefault(route) || groupsNaming(policy, subject, route).length > 0) return undefined;
  return refuse("role", `${routeName(route)} is for administrators, and the caller's role is ${subject.role}`);
}

/** One and the same group has to allow the route and the model. */
const byGroups: Rule = (policy, subject, { route, model }) => {
  if (policy.groups === undefined || route.kind === "own") return undefined;
  const known = namesOf(subject).filter((group) => ruleOf(policy, group) !== undefined);
  if (known.length === 0) {
    return refuse("access.groups", `one of the groups ${list(Object.keys(policy.groups))} is needed; ${seen(subject)}`);
  }
  const forRoute = known.filter((group) => groupAllowsRoute(ruleOf(policy, group), route));
  if (forRoute.length === 0) {
    return refuse("access.groups", `the groups ${list(known)} do not allow ${routeName(route)}; ${seen(subject)}`);
  }
  if (model === undefined) return undefined;
  const forModel = forRoute.filter((group) => ruleOf(policy, group)?.models.some((name) => matchesModel(name, model)));
  if (forModel.length > 0) return undefined;
  return refuse("access.groups", noModel(policy.groups, forRoute, model));
};

/** A team has its rights under its own name, as in LiteLLM; for people a team claim gives none. */
function namesOf({ role, groups, teamId }: Subject): readonly string[] {
  return role === "team" && teamId !== undefined ? [...groups, teamId] : groups;
}

function noModel(groups: Readonly<Record<string, GroupRule>>, names: readonly string[], model: string): string {
  const open = [...new Set(names.flatMap((name) => groups[name]?.models ?? []))];
  const given = open.length === 0 ? "no model (their `models` is empty)" : list(open);
  return `the groups ${list(names)} allow ${given}, not ${shown(model)}`;
}

function groupsNaming(policy: Policy, subject: Subject, route: Route): readonly string[] {
  return namesOf(subject).filter((group) => {
    const routes = ruleOf(policy, group)?.routes;
    return routes?.some((pattern) => matchesRoute(pattern, route)) ?? false;
  });
}

/** Own names only: a token may name a group `constructor`. */
function ruleOf({ groups }: Policy, group: string): GroupRule | undefined {
  return groups !== undefined && Object.hasOwn(groups, group) ? groups[group] : undefined;
}

function groupAllowsRoute(rule: GroupRule | undefined, route: Route): boolean {
  if (rule === undefined) return false;
  if (rule.routes === undefined) return isDefault(route);
  return rule.routes.some((pattern) => matchesRoute(pattern, route));
}

function isDefault(route: Route): boolean {
  return defaultFamilies.some((family) => matchesRoute(family, route));
}

/** Says what the token brought, so that an administrator knows which side to change. */
function seen({ groups, groupsState, credential }: Subject): string {
  if (credential !== "jwt") return groups.length === 0 ? "this key carries none" : `this key carries ${list(groups)}`;
  if (groupsState === "overage") {
    return "the token names no groups because the user has too many (overage): let the identity provider send only the groups assigned to the application";
  }
  if (groupsState === "malformed") return "the token's groups claim is not a list of strings";
  if (groupsState === "absent") return "the token has no groups claim: add one at the identity provider";
  return groups.length === 0 ? "the token's groups are empty" : `the token's groups are ${list(groups)}`;
}

/** As much of a client's word as a row's own model holds. */
const maxShown = 300;

function shown(model: string): string {
  return model.length > maxShown ? `${model.slice(0, maxShown)}…` : model;
}

/** Long lists are cut: an answer is not the place for a thousand groups. */
function list(names: readonly string[]): string {
  const shown = names.slice(0, 20);
  const more = names.length - shown.length;
  return `[${shown.join(", ")}${more > 0 ? `, and ${more} more` : ""}]`;
}

function allow(rule: string, reason: string): Decision {
  return { allowed: true, rule, reason };
}

function refuse(rule: string, reason: string): Decision {
  return { allowed: false, rule, reason };
}
