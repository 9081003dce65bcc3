import { describe, expect, test } from "vitest";
import { type KeyValueStore, maxMembers } from "./store.ts";

/** A store as its contract needs it: seen twice, and with a clock that can be moved. */
interface StoreUnderTest {
  readonly store: KeyValueStore;
  /** Another replica's view of the same state; the store itself where there is only one. */
  readonly replica: KeyValueStore;
  /** Lets time pass for the store. */
  pass(ms: number): Promise<void>;
}

const lifetime = { ttlSeconds: 60 };
const soon = { ttlSeconds: 0.6 };

/** What every store must do. */
export function storeContract(open: () => Promise<StoreUnderTest>): void {
  const key = () => `key-${crypto.randomUUID()}`;

  describe("a value", () => {
    test.each(["", "plain", "ünï — 文字 🜁", '{"a":"\\u0000"}', "x".repeat(100_000)])(
      "is given back as it was",
      async (value) => {
        const { store, replica } = await open();
        const k = key();
        expect(await store.get(k)).toBeUndefined();
        await store.set(k, value, lifetime);
        expect(await replica.get(k)).toBe(value);
      },
    );

    test("is gone after its time, which starts anew with each set", async () => {
      const { store, pass } = await open();
      const k = key();
      await store.set(k, "a", soon);
      await pass(400);
      await store.set(k, "b", soon);
      await pass(400);
      expect(await store.get(k)).toBe("b");
      await pass(400);
      expect(await store.get(k)).toBeUndefined();
      expect(await store.add(k, "c", lifetime)).toBe(true);
    });

    test("is deleted once", async () => {
      const { store, replica } = await open();
      const k = key();
      await store.set(k, "a", lifetime);
      expect([await replica.delete(k), await store.delete(k), await store.get(k)]).toEqual([true, false, undefined]);
    });

    test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("cannot live %s seconds", async (ttlSeconds) => {
      const { store } = await open();
      await expect(store.set(key(), "a", { ttlSeconds })).rejects.toThrow(TypeError);
    });
  });

  describe("of many at once, one only", () => {
    const all = async <T>({ store, replica }: StoreUnderTest, act: (at: KeyValueStore, index: number) => Promise<T>) =>
      Promise.all(Array.from({ length: 20 }, (_, index) => act(index % 2 === 0 ? store : replica, index)));

    test("adds", async () => {
      const under = await open();
      const k = key();
      const added = await all(under, (at, index) => at.add(k, String(index), lifetime));
      expect(added.filter(Boolean)).toHaveLength(1);
      expect(await under.replica.get(k)).toBe(String(added.indexOf(true)));
    });

    test("takes", async () => {
      const under = await open();
      const k = key();
      await under.store.set(k, "once", lifetime);
      const taken = await all(under, (at) => at.take(k));
      expect(taken.filter((value) => value !== undefined)).toEqual(["once"]);
    });

    test("replaces the expected value", async () => {
      const under = await open();
      const k = key();
      expect(await under.store.replace(k, "a", "b", lifetime)).toBe(false);
      await under.store.set(k, "a", lifetime);
      const replaced = await all(under, (at, index) => at.replace(k, "a", `b${index}`, lifetime));
      expect(replaced.filter(Boolean)).toHaveLength(1);
      expect(await under.store.get(k)).toBe(`b${replaced.indexOf(true)}`);
    });

    test("holds a lease", async () => {
      const under = await open();
      const k = key();
      const leases = await all(under, (at) => at.lease(k, lifetime));
      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    });
  });

  describe("a lease", () => {
    test("ends when it is given back, or by itself", async () => {
      const { store, replica, pass } = await open();
      const k = key();
      const first = await store.lease(k, lifetime);
      expect(await replica.lease(k, lifetime)).toBeUndefined();
      await first?.release();
      expect(await replica.lease(k, soon)).toBeDefined();
      await pass(700);
      expect(await store.lease(k, lifetime)).toBeDefined();
    });

    test("that has passed to another is not given back by the first", async () => {
      const { store, replica, pass } = await open();
      const k = key();
      const first = await store.lease(k, soon);
      await pass(700);
      await replica.lease(k, lifetime);
      await first?.release();
      expect(await store.lease(k, lifetime)).toBeUndefined();
    });
  });

  describe("a set", () => {
    test("has each member once, as long as it lives", async () => {
      const { store, replica, pass } = await open();
      const k = key();
      await store.addMember(k, "long", lifetime);
      await replica.addMember(k, "short", soon);
      await store.addMember(k, "long", lifetime);
      await store.addMember(k, "removed", lifetime);
      await replica.removeMember(k, "removed");
      expect([...(await store.members(k))].sort()).toEqual(["long", "short"]);
      await pass(700);
      expect(await replica.members(k)).toEqual(["long"]);
      expect(await replica.members(key())).toEqual([]);
    });

    test("is bounded: what ends first makes room", async () => {
      const { store } = await open();
      const k = key();
      await store.addMember(k, "first to end", { ttlSeconds: 30 });
      await Promise.all(Array.from({ length: maxMembers }, (_, index) => store.addMember(k, `m${index}`, lifetime)));
      const members = await store.members(k);
      expect(members).toHaveLength(maxMembers);
      expect(members).not.toContain("first to end");
    });

    test("and a value of the same key are two things", async () => {
      const { store } = await open();
      const k = key();
      await store.set(k, "value", lifetime);
      await store.addMember(k, "member", lifetime);
      expect(await store.lease(k, lifetime)).toBeDefined();
      expect([await store.get(k), await store.members(k)]).toEqual(["value", ["member"]]);
    });
  });
}
