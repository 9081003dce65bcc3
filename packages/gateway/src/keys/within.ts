import type { Caller } from "../caller.ts";
import { GatewayError } from "../errors.ts";
import { isEmpty, type LimitRule, type LimitTables, ruleOfKey } from "../limits/limits.ts";
import { matchesModel, matchesRoute } from "../policy/patterns.ts";
import { decide, type Policy } from "../policy/policy.ts";
import { type Route, routeName, routes } from "../routes.ts";
import { outlives } from "./expiry.ts";
import type { VirtualKey } from "./virtual-key.ts";

/** Who makes or changes a key, with all that bounds what it may do. */
export interface Maker {
  readonly caller: Caller;
  readonly policy: Policy;
  /** `access.keys`: limits that go by a key's alias. */
  readonly keyLimits: LimitTables["key"];
}

/** The part of a key that rights are made of. */
export type Bounds = Pick<VirtualKey, "alias" | "role" | "groups" | "models" | "routes" | "explicit" | "expiresAt">;

/**
 * Refuses a key that could do more than whoever makes, changes or replaces it. Checked on the key as it would be,
 * whichever way it came about.
 * @throws GatewayError `forbidden` naming what is beyond
 */
export function requireWithin(maker: Maker, key: Bounds): void {
  if (maker.caller.key !== undefined) requireWithinKey(maker, key);
  if (maker.caller.role !== "admin") requireWithinRights(maker, key);
}

/** What a key may hand on is what it holds itself, also when it is an administrator's. */
function requireWithinKey({ caller: { key: own, expiresAt }, keyLimits }: Maker, key: Bounds): void {
  if (own === undefined) return;
  if (!isEmpty(own.limits) || (own.alias !== undefined && Object.hasOwn(keyLimits, own.alias))) {
    throw forbidden(
      "this key has limits of its own, which would not count what another key uses; use one without, or an administrator's token",
    );
  }
  if (isLooser(ruleOfKey(keyLimits, own.alias), ruleOfKey(keyLimits, key.alias))) {
    throw forbidden(`the limits that go by the alias ${key.alias} are looser than those of this key`);
  }
  if (
    own.models.length > 0 &&
    (key.models.length === 0 || !key.models.every((name) => own.models.some((one) => matchesModel(one, name))))
  ) {
    throw forbidden(`the models [${key.models.join(", ")}] are beyond those of this key, [${own.models.join(", ")}]`);
  }
  const open = own.routes.length === 0 ? undefined : own.routes;
  const beyond =
    open === undefined
      ? undefined
      : routesOf(key.routes).find((route) => !open.some((one) => matchesRoute(one, route)));
  if (open !== undefined && (key.routes.length === 0 || beyond !== undefined)) {
    throw forbidden(`its routes are beyond those of this key, [${open.join(", ")}]`);
  }
  const end = expiresAt === undefined ? undefined : new Date(expiresAt * 1000).toISOString();
  if (outlives(key.expiresAt, end)) {
    throw forbidden(`it would work longer than this key, which expires at ${end}`);
  }
}

function requireWithinRights({ caller, policy }: Maker, key: Bounds): void {
  if (key.role !== caller.role) throw forbidden(`a key has its maker's role, which is ${caller.role}`);
  if (key.explicit && caller.key?.explicit !== true)
    throw forbidden("this key was granted by an administrator, and is his to change");
  const group = key.groups.find((name) => !caller.groups.includes(name));
  if (group !== undefined) throw forbidden(`it carries the group ${group}, and you are not in it`);
  for (const model of key.models) {
    // A pattern is within the caller's rights when it would pass as a name: only a wildcard of his can match one.
    const decision = decide(policy, caller, { route: chat, model });
    if (!decision.allowed) throw forbidden(`the model ${model} is beyond what you have: ${decision.reason}`);
  }
  for (const route of routesOf(key.routes)) {
    const decision = decide(policy, caller, { route, model: undefined });
    if (!decision.allowed) throw forbidden(`the route ${routeName(route)} is beyond what you have: ${decision.reason}`);
  }
}

type Held = Pick<VirtualKey, "alias" | "limits" | "expiresAt">;

/** Before somebody names or bounds it. */
export const unbounded: Held = {
  alias: undefined,
  limits: { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined },
  expiresAt: undefined,
};

/**
 * A limit or an end that somebody set is moved out by administrators only; so is one of `access.keys`, which goes by the
 * alias: whoever chooses that chooses the limit. @throws GatewayError `forbidden`
 */
export function requireNotLoosened({ caller, keyLimits }: Maker, old: Held, changed: Held): void {
  if (caller.role === "admin") return;
  if (outlives(changed.expiresAt, old.expiresAt)) throw forbidden("only an administrator prolongs a key");
  if (isLooser(old.limits, changed.limits)) throw forbidden("only an administrator loosens a key's limits");
  if (isLooser(ruleOfKey(keyLimits, old.alias), ruleOfKey(keyLimits, changed.alias))) {
    throw forbidden("only an administrator gives a key an alias under which its limits are looser");
  }
}

function isLooser(before: LimitRule | undefined, after: LimitRule | undefined): boolean {
  const looser = (was: number | undefined, is: number | undefined) =>
    was !== undefined && (is === undefined || is > was);
  const oldBudget = before?.budget;
  const newBudget = after?.budget;
  const budgetLooser =
    oldBudget !== undefined && (newBudget?.period !== oldBudget.period || newBudget.usd > oldBudget.usd);
  return (
    looser(before?.rpm, after?.rpm) ||
    looser(before?.tpm, after?.tpm) ||
    looser(before?.maxParallel, after?.maxParallel) ||
    budgetLooser
  );
}

const chat: Route = routes[0];

function routesOf(patterns: readonly string[]): readonly Route[] {
  return routes.filter((route) => route.kind !== "public" && patterns.some((pattern) => matchesRoute(pattern, route)));
}

function forbidden(reason: string): GatewayError {
  return new GatewayError("forbidden", `Not allowed: ${reason}.`);
}
