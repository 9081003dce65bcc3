import { describe, expect, test } from "vitest";
import type { Caller } from "../caller.ts";
import { type LimitTables, limitsFor } from "./limits.ts";

const rule = { rpm: 1, tpm: undefined, maxParallel: undefined, budget: undefined };
const tables: LimitTables = {
  user: { "*": rule },
  group: { staff: rule },
  team: { "*": rule },
  key: { "*": rule },
  app: { "*": rule },
  model: { "*": rule },
};
const caller = {
  credential: "jwt",
  kind: "user",
  issuer: "https://i",
  subject: "alice",
  userId: "alice@example.com",
  teamId: "red",
  clientId: "desk",
  groups: ["staff"],
  key: undefined,
} as unknown as Caller;

const ids = (change: Partial<Caller> = {}, model = "nova") =>
  limitsFor(tables, { ...caller, ...change }, model).map(({ id }) => id);
const idOf = (scope: string, change: Partial<Caller>) => ids(change).find((id) => id.startsWith(`${scope}:`));

describe("what is counted together", () => {
  test("nothing of two kinds, though it has one name", () => {
    const all = ids({ userId: "x", subject: "x", issuer: "", teamId: "x", clientId: "x", groups: ["staff"] }, "x");
    expect(all).toHaveLength(5);
    expect(new Set(all).size).toBe(5);
  });

  test.each([
    ["the same subject at another issuer", { issuer: "https://other" }],
    ["another subject with the same e-mail address", { subject: "bob" }],
    ["names that run into each other", { issuer: "https://ia", subject: "lice" }],
    ["names that hold what stands between them", { issuer: "https://i5:alice", subject: "" }],
  ])("not %s", (_, change) => {
    expect(idOf("user", change)).not.toBe(idOf("user", {}));
  });

  test("a person, whatever their e-mail address is by now", () => {
    expect(idOf("user", { userId: "alice@other.example" })).toBe(idOf("user", {}));
  });

  test("a call once, also where the token names its group twice", () => {
    expect(ids({ groups: ["staff", "staff"] })).toEqual(ids());
  });

  test("a key by its id: another may have had its alias before", () => {
    const key = (id: string) =>
      ({ key: { id, former: [], alias: "ours", limits: rule } }) as unknown as Partial<Caller>;
    const [one, two] = [ids(key("key_1")), ids(key("key_2"))].map((all) => all.filter((id) => id.startsWith("key:")));
    expect(one).toHaveLength(2);
    expect([...(one ?? []), ...(two ?? [])].filter((id, at, list) => list.indexOf(id) === at)).toHaveLength(4);
  });
});
