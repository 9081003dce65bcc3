import type { Caller } from "../caller.ts";
import { type Limit, type LimitTables, limitsFor } from "../limits/limits.ts";
import type { Route } from "../routes.ts";
import { type Decision, decide, type Policy } from "./policy.ts";

/** What follows from a caller under one policy; worked out once per caller, route and model. */
export interface Entitlements {
  decide(caller: Caller, route: Route, model: string | undefined): Decision;
  limits(caller: Caller, model: string): readonly Limit[];
}

/** A caller may ask for any model name: more than these are worked out each time. */
const maxRemembered = 64;

/** Callers are remembered as long as their token is: the same object means the same rights. */
export function createEntitlements(policy: Policy, tables: LimitTables): Entitlements {
  const decisions = new WeakMap<Caller, Map<Route, Map<string | undefined, Decision>>>();
  const limits = new WeakMap<Caller, Map<string, readonly Limit[]>>();
  return {
    decide(caller, route, model) {
      const byRoute = remembered(decisions, caller, () => new Map<Route, Map<string | undefined, Decision>>());
      const byModel = remembered(byRoute, route, () => new Map<string | undefined, Decision>());
      return bounded(byModel, model, () => decide(policy, caller, { route, model }));
    },
    limits(caller, model) {
      const byModel = remembered(limits, caller, () => new Map<string, readonly Limit[]>());
      return bounded(byModel, model, () => limitsFor(tables, caller, model));
    },
  };
}

interface Store<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

function remembered<Key, Value>(store: Store<Key, Value>, key: Key, make: () => Value): Value {
  const known = store.get(key);
  if (known !== undefined) return known;
  const made = make();
  store.set(key, made);
  return made;
}

function bounded<Key, Value>(store: Map<Key, Value>, key: Key, make: () => Value): Value {
  return store.size < maxRemembered || store.has(key) ? remembered(store, key, make) : make();
}
