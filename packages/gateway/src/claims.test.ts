import type { Identity } from "@onbehalf/shared-auth";
import { describe, expect, test } from "vitest";
import { type AttributeMapping, callerFromToken, claimAt, type RoleRules } from "./claims.ts";

const mapping: AttributeMapping = {
  userId: ["email", "sub"],
  email: ["email"],
  role: ["role"],
  teamId: ["team"],
  defaultTeam: undefined,
};
const rules: RoleRules = {
  adminScope: "litellm_proxy_admin",
  teamScope: "litellm_team",
  names: { KING: "proxy_admin" },
  groups: { bosses: "admin", readers: "viewer" },
};

function caller(claims: Record<string, unknown>, more: Partial<Identity> = {}, as = mapping) {
  const identity: Identity = {
    issuer: "https://idp.example",
    subject: "alice",
    audience: ["gw"],
    clientId: "app",
    kind: "user",
    scopes: [],
    groups: [],
    groupsState: "listed",
    groupsOverage: false,
    roles: [],
    email: undefined,
    name: undefined,
    actors: [],
    tokenId: undefined,
    issuedAt: undefined,
    expiresAt: 1,
    claims: { sub: "alice", ...claims },
    ...more,
  };
  return callerFromToken(identity, as, rules, "token");
}

describe("claims become attributes", () => {
  test.each([
    [{}, "alice"],
    [{ email: "a@example.com" }, "a@example.com"],
    [{ email: "" }, "alice"],
    [{ email: 5 }, "5"],
    [{ email: ["a"] }, "alice"],
    [{ email: { x: 1 } }, "alice"],
    [{ email: "x".repeat(1000) }, "x".repeat(320)],
  ])("user id of %j", (claims, userId) => {
    expect(caller(claims).userId).toBe(userId);
  });

  test("a name with dots is found whole before it is taken for a path; own properties only", () => {
    const claims = { "https://example.com/role": "a", "https://example": { "com/role": "b" }, a: { b: { c: 1 } } };
    expect(claimAt(claims, "https://example.com/role")).toBe("a");
    expect(claimAt(claims, "a.b.c")).toBe(1);
    for (const path of ["a.b.c.d", "a.x", "constructor", "a.constructor.name", "__proto__", "a.__proto__"])
      expect(claimAt(claims, path)).toBeUndefined();
  });
});

describe("roles", () => {
  test.each([
    [{}, {}, "standard"],
    [{ role: "admin" }, {}, "admin"],
    [{ role: ["viewer", "user"] }, {}, "standard"],
    [{ role: ["offline_access", "viewer"] }, {}, "viewer"],
    [{ role: "Admin" }, {}, "standard"],
    [{ role: "KING" }, {}, "admin"],
    [{ role: "constructor" }, {}, "standard"],
    [{ role: { admin: true } }, {}, "standard"],
    [{ role: "viewer" }, { scopes: ["litellm_proxy_admin"] }, "admin"],
    [{}, { groups: ["bosses"] }, "admin"],
    [{ role: "viewer" }, { groups: ["readers"] }, "viewer"],
    [{}, { groups: ["__proto__", "toString"] }, "standard"],
    [{}, { scopes: ["litellm_team"] }, "team"],
    [{}, { kind: "app" }, "team"],
    [{ role: "user" }, { kind: "app" }, "standard"],
  ] as const)("%j with %j is %s", (claims, identity, role) => {
    expect(caller(claims, identity as Partial<Identity>).role).toBe(role);
  });

  test("a claim that is not mapped gives no role", () => {
    expect(caller({ role: "admin" }, {}, { ...mapping, role: [] }).role).toBe("standard");
  });

  test("an application is its own project, unless a claim says which", () => {
    expect(caller({}, { kind: "app" })).toMatchObject({ kind: "app", teamId: "app" });
    expect(caller({ team: "t" }, { kind: "app" }).teamId).toBe("t");
    expect(caller({}).teamId).toBeUndefined();
    expect(caller({}, {}, { ...mapping, defaultTeam: "d" }).teamId).toBe("d");
  });
});
