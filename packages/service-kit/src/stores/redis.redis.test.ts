import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type RedisServer, startRedis } from "../testing/redis.ts";
import { StoreUnavailable } from "../unavailable.ts";
import { redisStore } from "./redis.ts";
import { openRedis } from "./redis-connection.ts";
import { storeContract } from "./store.contract.ts";
import type { KeyValueStore } from "./store.ts";
import { redisTokenStore } from "./token-store.ts";

let redis: RedisServer;
const opened: { close(): Promise<void> }[] = [];
beforeAll(async () => {
  redis = await startRedis();
});
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));
afterAll(() => redis.stop());

const encryptionSecret = "e".repeat(32);

async function open(overrides: Partial<Parameters<typeof redisStore>[0]> = {}): Promise<KeyValueStore> {
  const store = await redisStore({ url: redis.url, prefix: "test", encryptionSecret, timeoutMs: 500, ...overrides });
  opened.push(store);
  return store;
}

describe("in Redis", () => {
  storeContract(async () => {
    const patient = { timeoutMs: 15_000 };
    return { store: await open(patient), replica: await open(patient), pass: (ms) => sleep(ms) };
  });

  test("neither keys nor values can be read, and everything ends by itself", async () => {
    const store = await open();
    await store.set("canary-key", "canary-value", { ttlSeconds: 60 });
    await store.addMember("canary-set", "canary-member", { ttlSeconds: 60 });
    await store.lease("canary-lease", { ttlSeconds: 60 });
    const raw = await openRedis({ url: redis.url });
    opened.push(raw);
    const keys = await raw.client.keys("*");
    expect(keys.length).toBeGreaterThanOrEqual(3);
    for (const key of keys) {
      expect(key).toMatch(/^test:[\w-]{43}$/);
      expect(await raw.client.pTTL(key)).toBeGreaterThan(0);
      const dump = String(await raw.client.dump(key));
      expect(key + dump).not.toContain("canary");
    }
  });

  test("prefixes keep services apart, and a value moved from one name to another counts as absent", async () => {
    let unreadable = 0;
    const [a, b] = [await open({ prefix: "a", onUnreadable: () => (unreadable += 1) }), await open({ prefix: "b" })];
    await a.set("mine", "a", { ttlSeconds: 60 });
    await a.set("other", "b", { ttlSeconds: 60 });
    expect(await b.get("mine")).toBeUndefined();
    const raw = await openRedis({ url: redis.url });
    opened.push(raw);
    const [first = "", second = ""] = await raw.client.keys("a:*");
    await raw.client.rename(first, second);
    expect([await a.get("mine"), await a.get("other")]).toEqual([undefined, undefined]);
    expect(unreadable).toBe(1);
  });

  test("under another secret nothing is found", async () => {
    await (await open()).set("k", "v", { ttlSeconds: 60 });
    expect(await (await open({ encryptionSecret: "f".repeat(32) })).get("k")).toBeUndefined();
  });

  test("tokens wait for all replicas", async () => {
    const options = { url: redis.url, prefix: "tokens", encryptionSecret };
    const [one, two] = [await redisTokenStore(options), await redisTokenStore(options)];
    opened.push(one, two);
    await one.set("digest", "token", 60);
    expect(await two.get("digest")).toBe("token");
    await two.delete("digest");
    expect(await one.get("digest")).toBeUndefined();
    await one.ready();
  });
});

describe("a Redis that is away", () => {
  test("is told at once, while the service goes on, and used again when it is back", async () => {
    const errors: Error[] = [];
    const store = await open({ onError: (error) => errors.push(error), what: "session store" });
    await store.set("k", "v", { ttlSeconds: 60 });
    await redis.down();
    for (let attempt = 0; attempt < 20; attempt += 1) {
      await expect(store.get("k")).rejects.toMatchObject({
        status: 503,
        error: "store_unavailable",
        message: expect.stringContaining("session store"),
      });
    }
    await expect(store.ready()).rejects.toBeInstanceOf(StoreUnavailable);
    expect(errors.length).toBeGreaterThan(0);
    await redis.up();
    await expect
      .poll(
        () =>
          store.ready().then(
            () => "ready",
            () => "away",
          ),
        { timeout: 10_000 },
      )
      .toBe("ready");
    expect(await store.get("k")).toBeUndefined();
  });

  test("does not keep a service from starting", async () => {
    await redis.down();
    const store = await open();
    await expect(store.ready()).rejects.toBeInstanceOf(StoreUnavailable);
    await redis.up();
    await expect
      .poll(
        () =>
          store.ready().then(
            () => "ready",
            () => "away",
          ),
        { timeout: 10_000 },
      )
      .toBe("ready");
  });

  test("and one that hangs is not waited for", async () => {
    const store = await open({ timeoutMs: 100 });
    const blocker = await openRedis({ url: redis.url });
    opened.push(blocker);
    await blocker.client.sendCommand(["CLIENT", "PAUSE", "1500", "ALL"]);
    await expect(store.get("k")).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringContaining("100 ms") }),
    });
  });
});
