import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Counters, GaugeBucket, SumBucket } from "./counters.ts";
import { CountersUnavailable } from "./counters.ts";
import { guardedCounters } from "./guarded-counters.ts";
import { createLimiter } from "./limiter.ts";
import type { Limit } from "./limits.ts";
import { memoryCounters } from "./memory-counters.ts";

const log = { warn: () => {}, info: () => {} };
const place: GaugeBucket = { kind: "gauge", key: "place", max: 1, leaseMs: 900_000 };

/** A store of many replicas that a test takes away, or makes slow. */
function sharedStore() {
  const store = memoryCounters();
  const state = { away: false, slowMs: 0 };
  const asked = async <T>(question: () => T | Promise<T>): Promise<T> => {
    if (state.away) throw new CountersUnavailable("away");
    const answer = await question();
    if (state.slowMs > 0) await sleep(state.slowMs);
    return answer;
  };
  const counters: Counters = {
    ...store,
    charge: (buckets) => asked(() => store.charge(buckets)),
    settle: (charged, deltas) => asked(() => store.settle(charged, deltas)),
    seed: (bucket, used) => asked(() => store.seed(bucket, used)),
    forget: (bucket) => asked(() => store.forget(bucket)),
  };
  return { counters, state };
}

function guarded(shared: Counters, whenUnavailable: "closed" | "local") {
  return guardedCounters(shared, memoryCounters(), { whenUnavailable, localShare: 1, timeoutMs: 30, log });
}

test("a small share of a small limit is still one, or nobody would be let through", async () => {
  const { counters, state } = sharedStore();
  const options = { whenUnavailable: "local", localShare: 0.1, timeoutMs: 10_000, log } as const;
  const limits = guardedCounters(counters, memoryCounters(), options);
  state.away = true;
  const minute = { kind: "window", key: "minute", max: 3, amount: 1, windowMs: 60_000 } as const;
  const kinds = [];
  for (let turn = 0; turn < 2; turn += 1) kinds.push((await limits.charge([minute])).kind);
  expect(kinds).toEqual(["granted", "refused"]);
});

describe("a store that comes back is told", () => {
  test("of a place that could not be given back", async () => {
    const { counters, state } = sharedStore();
    const limits = guarded(counters, "closed");
    const held = await limits.charge([place]);
    if (held.kind !== "granted") throw new Error(held.kind);
    state.away = true;
    await expect(limits.settle(held, [0])).rejects.toBeInstanceOf(CountersUnavailable);
    state.away = false;
    await vi.waitFor(async () => expect((await limits.charge([place])).kind).toBe("granted"), 10_000);
  });

  test("of a charge that its caller no longer waited for", async () => {
    const { counters, state } = sharedStore();
    const limits = guarded(counters, "closed");
    const sum: SumBucket = { kind: "sum", key: "sum", max: 100, amount: 100, remainingMs: 60_000, leaseMs: 60_000 };
    await limits.seed(sum, 0);
    state.slowMs = 60;
    await expect(limits.charge([place, sum])).rejects.toBeInstanceOf(CountersUnavailable);
    state.slowMs = 0;
    await vi.waitFor(async () => expect((await limits.charge([place, sum])).kind).toBe("granted"), 10_000);
  });
});

describe("a budget that each replica grants by itself while the store is away", () => {
  const budget = { usd: 100, period: "day", warnAt: 1 } as const;
  const limit: Limit = {
    rpm: undefined,
    tpm: undefined,
    maxParallel: undefined,
    budget,
    scope: "user",
    name: "user a",
    id: "user:a",
    subject: { value: "a" },
  };

  test("begins each time with what the record says, and what was spent meanwhile is known afterwards", async () => {
    const { counters, state } = sharedStore();
    let recorded = 0;
    const limiter = createLimiter({
      counters: guarded(counters, "local"),
      spentUsd: async () => recorded,
      onUnchecked: (_, error) => expect.fail(String(error)),
      longestMs: () => 600_000,
    });
    const spend = async (costUsd: number): Promise<boolean> => {
      const reserved = await limiter.reserve([limit], { tokens: 1, costUsd });
      if (!reserved.allowed) return false;
      recorded += costUsd;
      await reserved.settle({ tokens: 1, costUsd });
      return true;
    };
    expect(await spend(60)).toBe(true);
    state.away = true;
    expect(await spend(50)).toBe(false);
    expect(await spend(10)).toBe(true);
    state.away = false;
    await vi.waitFor(async () => {
      await spend(0);
      expect(await spend(35)).toBe(false);
    }, 10_000);
    expect(await spend(20)).toBe(true);
    state.away = true;
    expect(await spend(15)).toBe(false);
    expect(await spend(10)).toBe(true);
  });

  test("and what a call that outlasted the outage used, too", async () => {
    const { counters, state } = sharedStore();
    const limiter = createLimiter({
      counters: guarded(counters, "local"),
      spentUsd: async () => 0,
      onUnchecked: (_, error) => expect.fail(String(error)),
      longestMs: () => 600_000,
    });
    const reserve = (costUsd: number) => limiter.reserve([limit], { tokens: 1, costUsd });
    state.away = true;
    const long = await reserve(60);
    if (!long.allowed) throw new Error("refused");
    state.away = false;
    // Until the store is asked again and the sum has begun anew there, with what the record says.
    const other = await reserve(1);
    if (!other.allowed) throw new Error("refused");
    await other.settle(undefined);
    await long.settle({ tokens: 1, costUsd: 60 });
    expect((await reserve(50)).allowed).toBe(false);
    expect((await reserve(40)).allowed).toBe(true);
  });
});
