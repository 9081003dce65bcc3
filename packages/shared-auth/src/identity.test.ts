import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkClaims } from "./claims.ts";
import { type Dialect, dialects } from "./dialects.ts";
import { AuthError } from "./errors.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { accept } from "./trust.ts";

const NOW = 1_800_000_000;
const base = { iss: "https://issuer.example", sub: "alice", aud: "api", exp: NOW + 600 };

function read(claims: Record<string, unknown>, dialect: Dialect = "generic", more: object = {}): Identity {
  const all = { ...base, ...claims };
  const checked = checkClaims(all, { audience: ["api"], leewaySeconds: 60, now: NOW });
  return readIdentity(all, checked, accept({ issuer: base.iss, audience: "api", dialect, ...more }));
}

describe("dialects", () => {
  test("Okta: scp list, cid, uid", () => {
    const identity = read({ scp: ["openid", "llm"], cid: "0oa1", uid: "00u1", groups: ["Everyone"] }, "okta");
    expect(identity).toMatchObject({ scopes: ["openid", "llm"], clientId: "0oa1", kind: "user", groups: ["Everyone"] });
    expect(read({ sub: "0oa1", cid: "0oa1", scp: ["llm"] }, "okta").kind).toBe("app");
  });

  test("Keycloak: scope string, azp, realm roles, service accounts", () => {
    const claims = {
      scope: "openid email",
      azp: "launchpad",
      realm_access: { roles: ["admin"] },
      preferred_username: "alice",
    };
    const identity = read(claims, "keycloak");
    expect(identity).toMatchObject({
      scopes: ["openid", "email"],
      clientId: "launchpad",
      roles: ["admin"],
      name: "alice",
      kind: "user",
    });
    expect(read({ azp: "batch", preferred_username: "service-account-batch" }, "keycloak").kind).toBe("app");
    expect(read({ azp: "batch", clientAddress: "10.0.0.1" }, "keycloak").kind).toBe("app");
  });

  test("Entra v2: scp string, azp; v1: appid, upn", () => {
    const v2 = read(
      { scp: "read write", azp: "app-1", roles: ["Admin"], preferred_username: "a@example.com" },
      "entra",
    );
    expect(v2).toMatchObject({
      scopes: ["read", "write"],
      clientId: "app-1",
      roles: ["Admin"],
      email: "a@example.com",
      kind: "user",
    });
    const v1 = read({ scp: "read", appid: "app-1", upn: "alice@example.com" }, "entra");
    expect(v1).toMatchObject({ clientId: "app-1", email: "alice@example.com", kind: "user" });
    expect(read({ roles: ["Job"], azp: "app-1" }, "entra").kind).toBe("app");
    expect(read({ scp: "read", azp: "app-1", idtyp: "app" }, "entra").kind).toBe("app");
  });

  test("Auth0: azp, permissions, applications", () => {
    expect(read({ azp: "c", scope: "read", permissions: ["read:all"] }, "auth0")).toMatchObject({
      clientId: "c",
      roles: ["read:all"],
    });
    expect(read({ sub: "abc@clients", azp: "abc" }, "auth0").kind).toBe("app");
    expect(read({ gty: "client-credentials", azp: "abc" }, "auth0").kind).toBe("app");
  });

  test.each([
    ["keycloak", { typ: "ID" }, true],
    ["keycloak", { typ: "Refresh" }, true],
    ["keycloak", { typ: "Bearer" }, false],
    ["keycloak", { typ: "DPoP" }, false],
    ["keycloak", { typ: "Bearer", nonce: "before version 24" }, false],
    ["keycloak", { nonce: "n" }, true],
    ["keycloak", {}, false],
    ["generic", { nonce: "n" }, true],
    ["okta", { at_hash: "h" }, true],
    ["entra", { events: {} }, true],
    ["auth0", {}, false],
  ] as const)("%s %j is another token: %s", (dialect, claims, other) => {
    expect(dialects[dialect].isOtherToken(claims)).toBe(other);
  });
});

describe("claim mappings", () => {
  test("dotted paths, several of them, and names that hold dots", () => {
    const mapping = {
      claims: {
        groups: ["https://example.com/groups", "a.b.c"],
        roles: "resource_access.api.roles",
        scope: "permissions",
      },
    };
    const claims = { a: { b: { c: ["deep"] } }, resource_access: { api: { roles: ["r"] } }, permissions: ["p"] };
    expect(read(claims, "generic", mapping)).toMatchObject({ groups: ["deep"], roles: ["r"], scopes: ["p"] });
    expect(read({ ...claims, "https://example.com/groups": ["named"] }, "generic", mapping).groups).toEqual(["named"]);
  });

  test("inherited members are no claims", () => {
    for (const path of ["constructor.name", "__proto__.x", "toString", "a.length"]) {
      const identity = read({ a: ["x"] }, "generic", { claims: { groups: path, email: path } });
      expect(identity).toMatchObject({ groups: [], groupsState: "absent", email: undefined });
    }
  });
});

describe("groups", () => {
  test.each([
    [{ groups: ["a", "b"] }, "listed", ["a", "b"]],
    [{ groups: [] }, "listed", []],
    [{}, "absent", []],
    [{ groups: "litellm-admins" }, "malformed", []],
    [{ groups: ["a", 1] }, "malformed", []],
    [{ groups: { a: true } }, "malformed", []],
    [{ groups: null }, "malformed", []],
    [{ _claim_names: { groups: "src1" }, _claim_sources: { src1: { endpoint: "https://graph" } } }, "overage", []],
    [{ hasgroups: true }, "overage", []],
    [{ _claim_names: { other: "src1" } }, "absent", []],
  ] as const)("%j: %s", (claims, state, groups) => {
    expect(read(claims)).toMatchObject({ groupsState: state, groups, groupsOverage: state === "overage" });
  });

  test("a plain string is one group where the issuer is said to write it, and never split", () => {
    const identity = read({ groups: "staff, admins" }, "generic", { groupsMayBeString: true });
    expect(identity).toMatchObject({ groupsState: "listed", groups: ["staff, admins"] });
  });
});

describe("act (RFC 8693 section 4.1)", () => {
  test("is read nearest first, and gives no rights", () => {
    const act = { sub: "voicebox", iss: "https://a", scp: ["admin"], groups: ["admins"], act: { sub: "launchpad" } };
    const identity = read({ act, scp: ["read"] });
    expect(identity.actors).toEqual([
      { subject: "voicebox", issuer: "https://a" },
      { subject: "launchpad", issuer: undefined },
    ]);
    expect(identity).toMatchObject({ subject: "alice", scopes: ["read"], groups: [] });
  });

  test("ten deep is read, eleven is refused", () => {
    const chain = (depth: number): object => (depth === 0 ? { sub: "a" } : { sub: "a", act: chain(depth - 1) });
    expect(read({ act: chain(9) }).actors).toHaveLength(10);
    expect(() => read({ act: chain(10) })).toThrow(AuthError);
  });
});

describe("for any claims whatever", () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  const names = [
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "scp",
    "scope",
    "groups",
    "roles",
    "act",
    "cid",
    "email",
    "_claim_names",
  ];
  const anyClaims = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), json);

  test("the outcome is an identity of the right types, or a refusal; never another error", () => {
    const strings = (list: readonly unknown[]) => list.every((one) => typeof one === "string");
    fc.assert(
      fc.property(anyClaims, fc.constantFrom(...(Object.keys(dialects) as Dialect[])), (claims, dialect) => {
        try {
          const identity = read(claims, dialect);
          return (
            typeof identity.subject === "string" &&
            identity.subject !== "" &&
            identity.audience.includes("api") &&
            Number.isFinite(identity.expiresAt) &&
            strings([...identity.audience, ...identity.scopes, ...identity.groups, ...identity.roles]) &&
            (identity.groups.length === 0 || identity.groupsState === "listed")
          );
        } catch (error) {
          return error instanceof AuthError;
        }
      }),
      { numRuns: 500 },
    );
  });

  test("no time outside the window is ever accepted", () => {
    const seconds = fc.double({ noNaN: true });
    fc.assert(
      fc.property(seconds, seconds, seconds, (exp, nbf, iat) => {
        try {
          read({ exp, nbf, iat });
        } catch (error) {
          return error instanceof AuthError;
        }
        return exp > NOW - 60 && nbf <= NOW + 60 && iat <= NOW + 60 && Number.isFinite(exp);
      }),
      { numRuns: 500 },
    );
  });
});
