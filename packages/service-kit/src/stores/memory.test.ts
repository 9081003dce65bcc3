import { describe, expect, test } from "vitest";
import { memoryStore } from "./memory.ts";
import { storeContract } from "./store.contract.ts";

describe("in memory", () => {
  storeContract(async () => {
    let clock = 1_000;
    const store = memoryStore({ maxEntries: 100, now: () => clock });
    const pass = async (ms: number): Promise<void> => {
      clock += ms;
    };
    return { store, replica: store, pass };
  });

  test("entries are bounded: the least recently used one makes room", async () => {
    const store = memoryStore({ maxEntries: 2 });
    for (const key of ["a", "b"]) await store.set(key, key, { ttlSeconds: 60 });
    await store.get("a");
    await store.set("c", "c", { ttlSeconds: 60 });
    expect([await store.get("a"), await store.get("b"), await store.get("c")]).toEqual(["a", undefined, "c"]);
  });

  test("is always ready, and empty once closed", async () => {
    const store = memoryStore({ maxEntries: 2 });
    await store.set("a", "a", { ttlSeconds: 60 });
    await store.ready();
    await store.close();
    expect(await store.get("a")).toBeUndefined();
  });
});
