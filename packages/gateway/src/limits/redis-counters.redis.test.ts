import { setTimeout as sleep } from "node:timers/promises";
import { type RedisServer, startRedis } from "@onbehalf/service-kit/testing";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { countersContract } from "./counters.contract.ts";
import { CountersUnavailable } from "./counters.ts";
import { guardedCounters } from "./guarded-counters.ts";
import { memoryCounters } from "./memory-counters.ts";
import { redisCounters } from "./redis-counters.ts";

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

const log = { warn: () => {}, info: () => {} };

async function connected() {
  const counters = redisCounters({ url: redis.url, log });
  await vi.waitFor(() => counters.ready(), 10_000);
  return counters;
}

countersContract("counters in Redis", async () => ({
  counters: await connected(),
  other: await connected(),
  pass: async (ms) => void (await sleep(ms + 50)),
}));

const bucket = { kind: "window", key: "guarded", max: 10, amount: 1, windowMs: 60_000 } as const;

test("a window lasts no longer when the clock of Redis is set back an hour", async () => {
  const counters = await connected();
  const client = createClient({ url: redis.url });
  await client.connect();
  // Long enough for a busy machine to do all of this within it.
  const window = { ...bucket, key: "set-back", max: 1, windowMs: 2_000 };
  expect((await counters.charge([window])).kind).toBe("granted");
  // What a clock that goes back does to a key that ends at a moment of it.
  const [key = ""] = await client.keys("*set-back");
  expect(await client.pExpire(key, 3_600_000)).toBe(1);
  expect(await counters.charge([window])).toMatchObject({ kind: "refused", states: [{ used: 1, resetMs: 2_000 }] });
  await sleep(2_050);
  expect((await counters.charge([window])).kind).toBe("granted");
  await client.close();
  await counters.close();
});

test("what a process that died had reserved of a sum is given back in time; what a late one used counts all the same", async () => {
  const counters = await connected();
  const sum = { kind: "sum", key: "lost", max: 1000, amount: 400, remainingMs: 60_000, leaseMs: 300 } as const;
  await counters.seed(sum, 0);
  const lost = await counters.charge([sum]);
  expect((await counters.charge([{ ...sum, amount: 700 }])).kind).toBe("refused");
  await sleep(350);
  expect(await counters.charge([{ ...sum, amount: 700 }])).toMatchObject({ kind: "granted", states: [{ used: 700 }] });
  if (lost.kind !== "granted") throw new Error(lost.kind);
  await counters.settle(lost, [-250]);
  expect(await counters.charge([{ ...sum, amount: 150 }])).toMatchObject({ kind: "granted", states: [{ used: 1000 }] });
  await counters.close();
});

test("a sum that Redis evicted is unknown, whatever was reserved of it", async () => {
  const counters = await connected();
  const sum = { kind: "sum", key: "evicted", max: 1000, amount: 400, remainingMs: 60_000, leaseMs: 100 } as const;
  await counters.seed(sum, 0);
  await counters.charge([sum]);
  const client = await createClient({ url: redis.url }).connect();
  expect(await client.del(await client.keys("*evicted"))).toBe(1);
  await sleep(150);
  expect((await counters.charge([sum])).kind).toBe("unseeded");
  await counters.seed(sum, 300);
  expect(await counters.charge([sum])).toMatchObject({ kind: "granted", states: [{ used: 700 }] });
  client.destroy();
  await counters.close();
});

test("nothing stays in Redis for longer than its sum, window or lease", async () => {
  const counters = await connected();
  const buckets = [
    { kind: "sum", key: "kept:sum", max: 10, amount: 1, remainingMs: 60_000, leaseMs: 5_000 },
    { kind: "window", key: "kept:window", max: 10, amount: 1, windowMs: 5_000 },
    { kind: "gauge", key: "kept:gauge", max: 10, leaseMs: 5_000 },
  ] as const;
  await counters.seed(buckets[0], 0);
  await counters.charge(buckets);
  const client = await createClient({ url: redis.url }).connect();
  const keys = (await client.keys("*kept:*")).sort();
  const lives = await Promise.all(keys.map((key) => client.pTTL(key)));
  expect(keys.map((key) => key.slice(key.indexOf("kept:")))).toEqual([
    "kept:gauge",
    "kept:sum",
    "kept:sum:held",
    "kept:window",
  ]);
  for (const life of lives) expect(life).toBeGreaterThan(0);
  client.destroy();
  await counters.close();
});

describe("while Redis is away", () => {
  test("closed: nothing is granted, at once", async () => {
    const away = redisCounters({ url: "redis://127.0.0.1:1", log });
    const guarded = guardedCounters(away, memoryCounters(), {
      whenUnavailable: "closed",
      localShare: 0.5,
      timeoutMs: 100,
      log,
    });
    await expect(guarded.charge([bucket])).rejects.toBeInstanceOf(CountersUnavailable);
    await expect(guarded.ready()).rejects.toBeInstanceOf(CountersUnavailable);
    await guarded.close();
  });

  test("local: each replica grants its share, and settles it where it was granted", async () => {
    const away = redisCounters({ url: "redis://127.0.0.1:1", log });
    const guarded = guardedCounters(away, memoryCounters(), {
      whenUnavailable: "local",
      localShare: 0.5,
      timeoutMs: 100,
      log,
    });
    const verdicts = [];
    for (let index = 0; index < 10; index += 1) verdicts.push(await guarded.charge([bucket]));
    expect(verdicts.filter(({ kind }) => kind === "granted")).toHaveLength(5);
    const [first] = verdicts;
    if (first?.kind !== "granted") throw new Error(first?.kind);
    await guarded.settle(first, [-1]);
    expect((await guarded.charge([bucket])).kind).toBe("granted");
    expect((await guarded.charge([bucket])).kind).toBe("refused");
    await guarded.close();
  });

  test("a Redis that hangs costs a few requests the time limit, then none: the breaker is open", async () => {
    const hanging = { ...memoryCounters(), charge: vi.fn(() => new Promise<never>(() => {})) };
    const guarded = guardedCounters(hanging, memoryCounters(), {
      whenUnavailable: "local",
      localShare: 1,
      timeoutMs: 20,
      log,
    });
    for (let index = 0; index < 50; index += 1) await guarded.charge([{ ...bucket, max: 1000 }]);
    expect(hanging.charge.mock.calls.length).toBeLessThanOrEqual(6);
  });

  test("when Redis is back it is asked again", async () => {
    const own = await startRedis();
    const shared = redisCounters({ url: own.url, log });
    await vi.waitFor(() => shared.ready(), 10_000);
    const guarded = guardedCounters(shared, memoryCounters(), {
      whenUnavailable: "closed",
      localShare: 1,
      timeoutMs: 100,
      log,
    });
    expect((await guarded.charge([bucket])).kind).toBe("granted");
    await own.down();
    const refused = async (): Promise<unknown> => guarded.charge([bucket]);
    for (let index = 0; index < 8; index += 1) await refused().catch(() => undefined);
    await expect(guarded.charge([bucket])).rejects.toBeInstanceOf(CountersUnavailable);
    await own.up();
    await vi.waitFor(async () => expect((await guarded.charge([bucket])).kind).toBe("granted"), {
      timeout: 10_000,
      interval: 200,
    });
    await guarded.close();
    await own.stop();
  });

  test.each(["closed", "local"] as const)(
    "%s: a Redis that is full is away, whether or not it knows the script",
    async (policy) => {
      const own = await startRedis();
      const admin = createClient({ url: own.url });
      await admin.connect();
      const shared = redisCounters({ url: own.url, log });
      await vi.waitFor(() => shared.ready(), 10_000);
      const guarded = guardedCounters(shared, memoryCounters(), {
        whenUnavailable: policy,
        localShare: 1,
        timeoutMs: 1_000,
        log,
      });
      expect((await guarded.charge([bucket])).kind).toBe("granted");
      await admin.configSet("maxmemory", "1");
      await admin.scriptFlush();
      const charged = guarded.charge([bucket]);
      if (policy === "local") await expect(charged).resolves.toMatchObject({ kind: "granted" });
      else await expect(charged).rejects.toBeInstanceOf(CountersUnavailable);
      await admin.close();
      await guarded.close();
      await own.stop();
    },
  );
});
