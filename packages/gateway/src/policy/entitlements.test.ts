import { expect, test, vi } from "vitest";
import type { Caller } from "../caller.ts";
import { findRoute, type Route } from "../routes.ts";
import { createEntitlements } from "./entitlements.ts";
import type { Policy } from "./policy.ts";

const policy: Policy = {
  enforce: true,
  allowedRoutes: undefined,
  groups: { users: { models: ["claude"], routes: undefined } },
  adminRoutes: undefined,
  teamRoutes: undefined,
};
const none = { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined };
const tables = { user: { "*": { ...none, rpm: 1 } }, group: {}, team: {}, key: {}, app: {}, model: {} };
const route = findRoute("POST", "/v1/chat/completions") as Route;

function callerIn(groups: readonly string[]): Caller {
  return {
    credential: "jwt",
    issuer: "https://idp.example",
    subject: "alice",
    kind: "user",
    userId: "alice",
    email: undefined,
    name: undefined,
    teamId: undefined,
    clientId: undefined,
    role: "standard",
    groups,
    groupsState: "listed",
    audience: [],
    scopes: [],
    actors: [],
    expiresAt: undefined,
    token: undefined,
    key: undefined,
  };
}

test("what is remembered is what would be decided, per caller, route and model", () => {
  const entitlements = createEntitlements(policy, tables);
  const [user, guest] = [callerIn(["users"]), callerIn([])];
  for (let round = 0; round < 2; round += 1) {
    expect(entitlements.decide(user, route, "claude").allowed).toBe(true);
    expect(entitlements.decide(user, route, "nova").allowed).toBe(false);
    expect(entitlements.decide(guest, route, "claude").allowed).toBe(false);
    expect(entitlements.limits(user, "claude")).toMatchObject([{ scope: "user", rpm: 1 }]);
  }
  // The same person with a new token is judged by that token.
  expect(entitlements.decide(callerIn([]), route, "claude").allowed).toBe(false);
});

test("a group that a token names twice is one limit", () => {
  const rationed = { ...tables, user: {}, group: { users: { ...none, rpm: 1 } } };
  const limits = createEntitlements(policy, rationed).limits(callerIn(["users", "users"]), "claude");
  expect(limits).toMatchObject([{ scope: "group", rpm: 1 }]);
});

test("it is worked out once, and a caller who names ever new models fills nothing", () => {
  const seen = vi.fn();
  const spied: Policy = {
    ...policy,
    groups: new Proxy(policy.groups ?? {}, {
      getOwnPropertyDescriptor: (...args) => {
        seen();
        return Reflect.getOwnPropertyDescriptor(...args);
      },
    }),
  };
  const entitlements = createEntitlements(spied, tables);
  const user = callerIn(["users"]);
  entitlements.decide(user, route, "claude");
  const once = seen.mock.calls.length;
  for (let index = 0; index < 10; index += 1) entitlements.decide(user, route, "claude");
  expect(seen.mock.calls.length).toBe(once);
  for (let index = 0; index < 1000; index += 1)
    expect(entitlements.decide(user, route, `model-${index}`).allowed).toBe(false);
  const before = seen.mock.calls.length;
  entitlements.decide(user, route, "model-999");
  expect(seen.mock.calls.length).toBeGreaterThan(before);
});

test("a caller's limits are the same list each time, as long as he names few models", () => {
  const entitlements = createEntitlements(policy, tables);
  const user = callerIn(["users"]);
  const first = entitlements.limits(user, "claude");
  for (let index = 0; index < 100; index += 1) entitlements.limits(user, `model-${index}`);
  expect(entitlements.limits(user, "claude")).toBe(first);
  const late = entitlements.limits(user, "model-99");
  expect(late).toMatchObject([{ scope: "user", rpm: 1 }]);
  expect(entitlements.limits(user, "model-99")).not.toBe(late);
});

test("nothing is remembered by a name as long as a book", () => {
  const entitlements = createEntitlements(policy, tables);
  const user = callerIn(["users"]);
  const long = "m".repeat(301);
  expect(entitlements.decide(user, route, long)).not.toBe(entitlements.decide(user, route, long));
  expect(entitlements.limits(user, long)).not.toBe(entitlements.limits(user, long));
  const short = "m".repeat(300);
  expect(entitlements.decide(user, route, short)).toBe(entitlements.decide(user, route, short));
});
