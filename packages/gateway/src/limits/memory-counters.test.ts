import { expect, test } from "vitest";
import { countersContract } from "./counters.contract.ts";
import { memoryCounters } from "./memory-counters.ts";

countersContract("counters in memory", async () => {
  let now = 0;
  const counters = memoryCounters({ now: () => now });
  return {
    counters,
    other: counters,
    async pass(ms) {
      now += ms;
    },
  };
});

test("a step of the wall clock opens no window", async () => {
  const counters = memoryCounters();
  const bucket = { kind: "window", key: "k", max: 1, amount: 1, windowMs: 60_000 } as const;
  await counters.charge([bucket]);
  const wall = Date.now;
  try {
    Date.now = () => wall() + 3_600_000;
    expect((await counters.charge([bucket])).kind).toBe("refused");
    Date.now = () => wall() - 3_600_000;
    expect((await counters.charge([bucket])).kind).toBe("refused");
  } finally {
    Date.now = wall;
  }
});

test("what is held is bounded", async () => {
  const counters = memoryCounters({ maxBuckets: 10 });
  const bucket = (key: string) => ({ kind: "window", key, max: 1, amount: 1, windowMs: 60_000 }) as const;
  for (let index = 0; index < 100; index += 1) await counters.charge([bucket(String(index))]);
  expect((await counters.charge([bucket("99")])).kind).toBe("refused");
  expect((await counters.charge([bucket("0")])).kind).toBe("granted");
});

test("a settlement whose bucket made room for others touches none that came later", async () => {
  const counters = memoryCounters({ maxBuckets: 1 });
  const window = (key: string) => ({ kind: "window", key, max: 10, amount: 5, windowMs: 60_000 }) as const;
  const gauge = (key: string) => ({ kind: "gauge", key, max: 1, leaseMs: 60_000 }) as const;
  const first = await counters.charge([window("a"), gauge("a")]);
  if (first.kind !== "granted") throw new Error(first.kind);
  await counters.charge([window("b"), gauge("b")]);
  await counters.charge([window("a"), gauge("a")]);
  await counters.settle(first, [-5, 0]);
  expect(await counters.charge([window("a")])).toMatchObject({ kind: "granted", states: [{ used: 10 }] });
  expect((await counters.charge([gauge("a")])).kind).toBe("refused");
});
