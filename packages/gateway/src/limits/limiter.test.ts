import { describe, expect, test, vi } from "vitest";
import { type Counters, CountersUnavailable } from "./counters.ts";
import { limitHeaders } from "./limit-headers.ts";
import { createLimiter } from "./limiter.ts";
import type { Limit, LimitRule } from "./limits.ts";
import { memoryCounters } from "./memory-counters.ts";
import { periodAt } from "./period.ts";

const none: LimitRule = { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined };

function limit(name: string, rule: Partial<LimitRule>): Limit {
  return { ...none, ...rule, scope: "user", name: `user ${name}`, id: `user:${name}`, subject: { value: name } };
}

/** As a shared store does: what it is asked is looked at only after a while. */
function slow(counters: Counters): Counters {
  return {
    ...counters,
    charge: async (buckets) => {
      await Promise.resolve();
      return counters.charge(buckets);
    },
  };
}

function setup(spent = 0, around = (counters: Counters): Counters => counters, longestMs = 600_000) {
  let now = 0;
  let wall = Date.parse("2026-11-22T10:00:00Z");
  const counters = around(memoryCounters({ now: () => now }));
  const record = { spent: async (): Promise<number> => spent, asked: 0, unchecked: [] as string[] };
  const limiter = createLimiter({
    counters,
    spentUsd: () => {
      record.asked += 1;
      return record.spent();
    },
    onUnchecked: ({ name }) => void record.unchecked.push(name),
    wallMs: () => wall,
    now: () => now,
    longestMs: () => longestMs,
  });
  return {
    limiter,
    record,
    pass: (ms: number) => {
      now += ms;
      wall += ms;
    },
  };
}

const free = { tokens: 10, costUsd: 0.01 };

test("of several limits that are full, the one that makes wait longest is named, whichever is looked at first", async () => {
  const month = limit("month", { budget: { usd: 0.01, period: "month", warnAt: 1 } });
  const minute = limit("minute", { rpm: 1 });
  for (const limits of [
    [month, minute],
    [minute, month],
  ]) {
    const { limiter } = setup();
    expect((await limiter.reserve(limits, free)).allowed).toBe(true);
    const refused = await limiter.reserve(limits, free);
    if (refused.allowed) throw new Error("both are full");
    expect(refused.strictest.bucket.limit.name).toBe("user month");
    expect(refused.retryAfterSeconds).toBeGreaterThan(86_400);
  }
});

test("a used-up budget lets through no call of a model whose price nobody knows", async () => {
  const { limiter } = setup(5);
  const limits = [limit("a", { budget: { usd: 5, period: "month", warnAt: 1 } })];
  expect((await limiter.reserve(limits, { tokens: 10, costUsd: null })).allowed).toBe(false);
});

describe("reserve and settle", () => {
  test("tokens: many at once overshoot by at most one request", async () => {
    const { limiter } = setup();
    const limits = [limit("a", { tpm: 1000 })];
    // Each reserves 100 and really uses 150: twice as dear as said.
    const asked = await Promise.all(
      Array.from({ length: 50 }, () => limiter.reserve(limits, { tokens: 100, costUsd: null })),
    );
    const granted = asked.filter(({ allowed }) => allowed);
    expect(granted).toHaveLength(10);
    for (const one of granted) if (one.allowed) await one.settle({ tokens: 150, costUsd: null });
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: null })).allowed).toBe(false);
  });

  test("a call that asks for more than the whole limit passes alone, and shuts the window", async () => {
    const { limiter, pass } = setup();
    const limits = [limit("a", { tpm: 100 })];
    const first = await limiter.reserve(limits, { tokens: 5000, costUsd: null });
    expect(first.allowed).toBe(true);
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: null })).allowed).toBe(false);
    pass(60_001);
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: null })).allowed).toBe(true);
  });

  test.each([
    ["at once", (counters: Counters) => counters],
    ["after a while", slow],
  ])("each call reserves and settles its own, whatever runs beside it; counters answer %s", async (_, around) => {
    const { limiter } = setup(0, around);
    const limits = [limit("a", { rpm: 10, tpm: 1000, budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    const reserve = async (tokens: number, costUsd: number) => {
      const one = await limiter.reserve(limits, { tokens, costUsd });
      if (!one.allowed) throw new Error("refused");
      return one;
    };
    const [first, second] = await Promise.all([reserve(100, 0.1), reserve(30, 0.02)]);
    expect(first.states.map(({ used }) => used)).toEqual([1, 100, 100_000]);
    expect(second.states.map(({ used }) => used)).toEqual([2, 130, 120_000]);
    await first.settle({ tokens: 60, costUsd: 0.05 });
    await second.settle({ tokens: 31, costUsd: 0.03 });
    expect((await reserve(1, 0.001)).states.map(({ used }) => used)).toEqual([3, 92, 81_000]);
  });

  test("what a failed call did not use is given back, the request itself is not", async () => {
    const { limiter } = setup();
    const limits = [limit("a", { rpm: 2, tpm: 100, maxParallel: 1, budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    const first = await limiter.reserve(limits, { tokens: 100, costUsd: 1 });
    if (!first.allowed) throw new Error("refused");
    await first.settle(undefined);
    await first.settle({ tokens: 999, costUsd: 9 }); // only the first settlement counts
    const second = await limiter.reserve(limits, { tokens: 100, costUsd: 1 });
    expect(second).toMatchObject({ allowed: true });
    if (second.allowed) await second.settle(undefined);
    expect(await limiter.reserve(limits, free)).toMatchObject({
      allowed: false,
      strictest: { bucket: { dimension: "requests" } },
    });
  });

  test("the strictest limit is named: the one that makes the caller wait longest", async () => {
    const { limiter } = setup(5);
    const limits = [limit("a", { rpm: 1 }), limit("b", { budget: { usd: 5, period: "month", warnAt: 0.8 } })];
    const refused = await limiter.reserve(limits, free);
    if (refused.allowed) throw new Error("granted");
    expect(refused.strictest).toMatchObject({ bucket: { dimension: "budget", limit: { name: "user b" } } });
    expect(refused.retryAfterSeconds).toBeGreaterThan(8 * 86_400);
  });

  test("one user's end is not another's", async () => {
    const { limiter } = setup();
    expect((await limiter.reserve([limit("a", { rpm: 1 })], free)).allowed).toBe(true);
    expect((await limiter.reserve([limit("a", { rpm: 1 })], free)).allowed).toBe(false);
    expect((await limiter.reserve([limit("b", { rpm: 1 })], free)).allowed).toBe(true);
  });

  test("a budget begins with what the record says was spent, and ends at its sum", async () => {
    const { limiter } = setup(0.95);
    const limits = [limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    const first = await limiter.reserve(limits, { tokens: 1, costUsd: 0.03 });
    if (!first.allowed) throw new Error("refused");
    expect(limitHeaders(first.states, 0, "openai")["x-onbehalf-budget-warning"]).toBe(
      "user a has used 98 % of its day budget",
    );
    await first.settle({ tokens: 1, costUsd: 0.05 });
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: 0.000_01 })).allowed).toBe(false);
  });

  test("many at once ask the record once", async () => {
    const { limiter, record } = setup(0.5);
    const limits = [limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    await Promise.all(Array.from({ length: 100 }, () => limiter.reserve(limits, free)));
    expect(record.asked).toBe(1);
  });

  test("nobody waits for a record that is locked; what it says at last counts from then on", async () => {
    const { limiter, record } = setup();
    const limits = [limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    let answer = (_spent: number): void => {};
    record.spent = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    const before = performance.now();
    expect(await limiter.reserve(limits, free)).toMatchObject({ allowed: true });
    expect(performance.now() - before).toBeLessThan(4_000);
    expect(record.unchecked).toEqual(["user a"]);
    answer(1);
    await vi.waitFor(async () => expect(await limiter.reserve(limits, free)).toMatchObject({ allowed: false }));
    expect(record.asked).toBe(1);
  });

  test("while the record is away an unknown budget goes unchecked, and that is said; other limits hold", async () => {
    const { limiter, record, pass } = setup(2);
    const known = record.spent;
    record.spent = () => Promise.reject(new Error("away"));
    const limits = [limit("a", { rpm: 3, budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    for (let index = 0; index < 3; index += 1) expect((await limiter.reserve(limits, free)).allowed).toBe(true);
    expect(await limiter.reserve(limits, free)).toMatchObject({
      allowed: false,
      strictest: { bucket: { dimension: "requests" } },
    });
    expect(record.unchecked).toHaveLength(4);
    expect(record.asked).toBe(1);
    record.spent = known;
    pass(60_001);
    expect(await limiter.reserve(limits, free)).toMatchObject({
      allowed: false,
      strictest: { bucket: { dimension: "budget" } },
    });
  });

  test("what an unchecked call used counts against a budget that became known before the call's end", async () => {
    const { limiter, record, pass } = setup(0);
    const known = record.spent;
    record.spent = () => Promise.reject(new Error("away"));
    const limits = [limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    const [long, alone] = [await limiter.reserve(limits, free), await limiter.reserve(limits, free)];
    // While the budget is unknown there is nothing to charge: the record will have it.
    if (alone.allowed) await alone.settle({ tokens: 1, costUsd: 5 });
    record.spent = known;
    pass(60_001);
    expect((await limiter.reserve(limits, free)).allowed).toBe(true);
    if (long.allowed) await long.settle({ tokens: 1, costUsd: 0.98 });
    expect((await limiter.reserve(limits, free)).allowed).toBe(true);
    expect((await limiter.reserve(limits, free)).allowed).toBe(false);
  });

  test.each([
    ["once: it begins once more", 1],
    ["each time: the counters are away", Number.POSITIVE_INFINITY],
  ])("a sum that is lost between its start and its charge, %s", async (_, times) => {
    let left = times;
    const { limiter } = setup(0, (counters) => ({
      ...counters,
      async seed(bucket, used) {
        await counters.seed(bucket, used);
        left -= 1;
        if (left >= 0) await counters.forget(bucket);
      },
    }));
    const reserved = limiter.reserve([limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })], free);
    if (times === 1) expect(await reserved).toMatchObject({ allowed: true });
    else await expect(reserved).rejects.toBeInstanceOf(CountersUnavailable);
  });

  test("a new day is a new budget", async () => {
    const { limiter, pass } = setup(0);
    const limits = [limit("a", { budget: { usd: 1, period: "day", warnAt: 0.8 } })];
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: 1 })).allowed).toBe(true);
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: 1 })).allowed).toBe(false);
    pass(14 * 3_600_000);
    expect((await limiter.reserve(limits, { tokens: 1, costUsd: 1 })).allowed).toBe(true);
  });

  test("a retry-after is at least a second", async () => {
    const { limiter } = setup();
    const limits = [limit("a", { maxParallel: 1 })];
    await limiter.reserve(limits, free);
    expect(await limiter.reserve(limits, free)).toMatchObject({
      allowed: false,
      retryAfterSeconds: 1,
      strictest: { bucket: { dimension: "parallel" } },
    });
  });
});

test("a call has its place as long as it may last, and that of a process that died is free a while later", async () => {
  const { limiter, pass } = setup(0, undefined, 3_600_000);
  const limits = [limit("a", { maxParallel: 1 })];
  expect((await limiter.reserve(limits, free)).allowed).toBe(true);
  pass(3_600_000);
  expect((await limiter.reserve(limits, free)).allowed).toBe(false);
  pass(600_000);
  expect((await limiter.reserve(limits, free)).allowed).toBe(true);
});

describe("calendar spans, UTC", () => {
  test.each([
    ["day", "2026-11-22T23:59:59.999Z", "2026-11-22", "2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
    ["week", "2026-11-22T12:00:00Z", "2026-W47", "2026-11-16T00:00:00.000Z", "2026-11-23T00:00:00.000Z"],
    ["week", "2027-01-01T12:00:00Z", "2026-W53", "2026-12-28T00:00:00.000Z", "2027-01-04T00:00:00.000Z"],
    ["month", "2026-12-31T12:00:00Z", "2026-12", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["month", "2028-02-29T12:00:00Z", "2028-02", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
  ] as const)("%s of %s is %s", (period, at, id, start, end) => {
    expect(periodAt(period, Date.parse(at))).toEqual({ id, start: Date.parse(start), end: Date.parse(end) });
  });
});

describe("headers", () => {
  const state = (name: string, dimension: "requests" | "tokens", max: number, used: number) => ({
    bucket: { kind: "window", key: name, max, amount: 1, windowMs: 61_000, dimension, limit: limit(name, {}) } as const,
    used,
    resetMs: 61_000,
    room: true,
    hold: undefined,
  });
  const now = Date.parse("2026-11-22T10:00:00Z");
  const states = [state("a", "requests", 100, 10), state("b", "requests", 10, 9), state("a", "tokens", 1000, 1)];
  const everybodys = {
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": "1",
    "x-ratelimit-reset-requests": "1m1s",
    "x-ratelimit-limit-tokens": "1000",
    "x-ratelimit-remaining-tokens": "999",
    "x-ratelimit-reset-tokens": "1m1s",
  };

  test("are about the strictest limit of each kind", () => {
    expect(limitHeaders(states, now, "openai")).toEqual(everybodys);
  });

  test("for Anthropic's clients say the same under their names too", () => {
    expect(limitHeaders(states, now, "anthropic")).toEqual({
      ...everybodys,
      "anthropic-ratelimit-requests-limit": "10",
      "anthropic-ratelimit-requests-remaining": "1",
      "anthropic-ratelimit-requests-reset": "2026-11-22T10:01:01.000Z",
      "anthropic-ratelimit-tokens-limit": "1000",
      "anthropic-ratelimit-tokens-remaining": "999",
      "anthropic-ratelimit-tokens-reset": "2026-11-22T10:01:01.000Z",
    });
  });
});
