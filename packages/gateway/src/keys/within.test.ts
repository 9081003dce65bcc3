import { describe, expect, test } from "vitest";
import type { Caller } from "../caller.ts";
import { GatewayError } from "../errors.ts";
import type { Policy } from "../policy/policy.ts";
import { type Bounds, requireNotLoosened, requireWithin } from "./within.ts";

const policy = {} as Policy;
const noLimits = { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined };
const keyLimits = {};
const bounds: Bounds = {
  alias: undefined,
  role: "standard",
  groups: [],
  models: [],
  routes: [],
  explicit: false,
  expiresAt: undefined,
};
const alice = { role: "standard", groups: ["users"], key: undefined } as unknown as Caller;
const admin = { ...alice, role: "admin" } as Caller;

const refused = (work: () => void): string | undefined => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error.code : String(error);
  }
};

describe("a key that somebody makes", () => {
  const made = (change: Partial<Bounds>, caller = alice) =>
    refused(() => requireWithin({ caller, policy, keyLimits }, { ...bounds, ...change }));

  test("may be what its maker is", () => {
    expect(made({ groups: ["users"] })).toBeUndefined();
  });

  test.each([
    ["another role", { role: "admin" }],
    ["a lesser role", { role: "viewer" }],
    ["a group its maker is not in", { groups: ["users", "developers"] }],
    ["what an administrator granted", { explicit: true }],
  ] as const)("may not have %s; an administrator may give it", (_, change) => {
    expect(made(change)).toBe("forbidden");
    expect(made(change, admin)).toBeUndefined();
  });
});

describe("a key that a key makes, also an administrator's", () => {
  const end = Date.UTC(2030, 0, 1) / 1000;
  const withKey = (key: object, expiresAt?: number) =>
    ({ ...admin, expiresAt, key: { models: [], routes: [], limits: noLimits, ...key } }) as unknown as Caller;
  const made = (caller: Caller, change: Partial<Bounds>) =>
    refused(() => requireWithin({ caller, policy, keyLimits }, { ...bounds, ...change }));

  test.each([
    [undefined, "forbidden"],
    ["2030-01-01T00:00:00.001Z", "forbidden"],
    ["2030-01-01T00:00:00.000Z", undefined],
  ])("ends no later than it: %s", (expiresAt, expected) => {
    expect(made(withKey({}, end), { expiresAt })).toBe(expected);
  });

  test.each([
    [[], "forbidden"],
    [["claude"], "forbidden"],
    [["nova", "claude"], "forbidden"],
    [["nova"], undefined],
  ])("calls no model that it does not: %j", (names, expected) => {
    expect(made(withKey({ models: ["nova"] }), { models: names })).toBe(expected);
  });

  test.each([
    [[], "forbidden"],
    [["/key/*"], "forbidden"],
    [["/v1/models"], undefined],
  ])("opens no route that it does not: %j", (names, expected) => {
    expect(made(withKey({ routes: ["/v1/models"] }), { routes: names })).toBe(expected);
  });

  test.each(["rpm", "tpm", "maxParallel"])("is none while it has a limit of its own: %s", (name) => {
    expect(made(withKey({ limits: { ...noLimits, [name]: 5 } }), {})).toBe("forbidden");
  });
});

describe("what only an administrator loosens", () => {
  const budget = { usd: 10, period: "month", warnAt: 0.8 } as const;
  const held = {
    alias: undefined,
    limits: { rpm: 5, tpm: 500, maxParallel: 2, budget },
    expiresAt: "2030-01-01T00:00:00.000Z",
  };
  const changed = (limits: object, more: object = {}, caller = alice) =>
    refused(() =>
      requireNotLoosened({ caller, policy, keyLimits }, held, {
        ...held,
        ...more,
        limits: { ...held.limits, ...limits },
      }),
    );

  test.each([
    ["requests", { rpm: 6 }, { rpm: 4 }],
    ["tokens", { tpm: 501 }, { tpm: 499 }],
    ["requests at once", { maxParallel: 3 }, { maxParallel: 1 }],
    ["money", { budget: { ...budget, usd: 11 } }, { budget: { ...budget, usd: 9 } }],
  ])("%s: more, or no limit at all", (_, more, less) => {
    const none = Object.fromEntries(Object.keys(more).map((name) => [name, undefined]));
    expect([changed(more), changed(none)]).toEqual(["forbidden", "forbidden"]);
    expect([changed(less), changed({}), changed(more, {}, admin)]).toEqual([undefined, undefined, undefined]);
  });

  test("the same money in a shorter time", () => {
    expect(changed({ budget: { ...budget, period: "day" } })).toBe("forbidden");
  });

  test("the end", () => {
    expect(changed({}, { expiresAt: undefined })).toBe("forbidden");
    expect(changed({}, { expiresAt: "2030-01-02T00:00:00.000Z" })).toBe("forbidden");
    expect(changed({}, { expiresAt: "2029-01-01T00:00:00.000Z" })).toBeUndefined();
  });
});
