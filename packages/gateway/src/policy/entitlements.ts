import type { Caller } from "../caller.ts";
import { type Limit, type LimitTables, limitsFor } from "../limits/limits.ts";
import type { Route } from "../routes.ts";
import { type Decision, decide, type Policy } from "./policy.ts";

/** What follows from a caller under one policy; worked out once per caller, route and model. */
export interface Entitlements {
  decide(caller: Caller, route: Route, model: string | undefined): Decision;
  limits(caller: Caller, model: string): readonly Limit[];
}

/** A caller may ask for any model name: more than these, or longer ones, are worked out each time. */
const maxRemembered = 64;
const maxNameLength = 300;

interface Remembered {
  readonly decisions: Map<Route, Map<string | undefined, Decision>>;
  readonly limits: Map<string, readonly Limit[]>;
}

/** Callers are remembered as long as their token is: the same object means the same rights. */
export function createEntitlements(policy: Policy, tables: LimitTables): Entitlements {
  const callers = new WeakMap<Caller, Remembered>();
  const about = (caller: Caller): Remembered => {
    const known = callers.get(caller);
    if (known !== undefined) return known;
    const nothing: Remembered = { decisions: new Map(), limits: new Map() };
    callers.set(caller, nothing);
    return nothing;
  };
  return {
    decide(caller, route, model) {
      const { decisions } = about(caller);
      const byModel = decisions.get(route);
      const known = byModel?.get(model);
      if (known !== undefined) return known;
      const decision = decide(policy, caller, { route, model });
      if (isLong(model)) return decision;
      if (byModel === undefined) decisions.set(route, new Map([[model, decision]]));
      else if (byModel.size < maxRemembered) byModel.set(model, decision);
      return decision;
    },
    limits(caller, model) {
      const { limits } = about(caller);
      const known = limits.get(model);
      if (known !== undefined) return known;
      const found = limitsFor(tables, caller, model);
      if (limits.size < maxRemembered && !isLong(model)) limits.set(model, found);
      return found;
    },
  };
}

function isLong(model: string | undefined): boolean {
  return model !== undefined && model.length > maxNameLength;
}
