import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bucket, Counters, GaugeBucket, SumBucket, WindowBucket } from "./counters.ts";

export interface CountersUnderTest {
  readonly counters: Counters;
  /** Another process's view of the same counts; the same one where there is only one process. */
  readonly other: Counters;
  /** Lets so much time pass, by the store's own clock. */
  pass(ms: number): Promise<void>;
}

/** What every store of counts must do; run once per store. */
export function countersContract(name: string, open: () => Promise<CountersUnderTest>): void {
  describe(name, () => {
    let store: CountersUnderTest;
    let unique: string;
    beforeEach(async () => {
      store = await open();
      unique = randomUUID();
    });
    afterEach(async () => {
      await Promise.all([store.counters.close(), store.other.close()]);
    });
    const window = (max: number, amount = 1, windowMs = 60_000): WindowBucket => ({
      kind: "window",
      key: `w:${unique}`,
      max,
      amount,
      windowMs,
    });
    const gauge = (max: number, leaseMs = 60_000): GaugeBucket => ({ kind: "gauge", key: `g:${unique}`, max, leaseMs });
    const sum = (max: number, amount: number): SumBucket => ({
      kind: "sum",
      key: `s:${unique}`,
      max,
      amount,
      remainingMs: 60_000,
    });
    const charge = (bucket: Bucket, lease: string = randomUUID(), counters = store.counters) =>
      counters.charge({ lease, buckets: [bucket] });

    test("500 at once against a limit of 100, over two processes: exactly 100", async () => {
      const asked = Array.from({ length: 500 }, (_, index) =>
        charge(window(100), randomUUID(), index % 2 === 0 ? store.counters : store.other),
      );
      const verdicts = await Promise.all(asked);
      expect(verdicts.filter(({ kind }) => kind === "granted")).toHaveLength(100);
    });

    test("a window ends, and the next one is empty", async () => {
      expect((await charge(window(1, 1, 300))).kind).toBe("granted");
      expect(await charge(window(1, 1, 300))).toMatchObject({ kind: "refused", states: [{ used: 1, room: false }] });
      await store.pass(320);
      expect((await charge(window(1, 1, 300))).kind).toBe("granted");
    });

    test("a refusal says how long it lasts", async () => {
      await charge(window(1));
      const verdict = await charge(window(1));
      if (verdict.kind !== "refused") throw new Error(verdict.kind);
      expect(verdict.states[0]?.resetMs).toBeGreaterThan(50_000);
      expect(verdict.states[0]?.resetMs).toBeLessThanOrEqual(60_000);
    });

    test("all or nothing: what one bucket refuses is charged to none", async () => {
      const full = { ...window(1), key: `full:${unique}` };
      await charge(full);
      await store.counters.charge({ lease: randomUUID(), buckets: [window(10, 5), full] });
      expect(await charge(window(10, 1))).toMatchObject({ kind: "granted", states: [{ used: 1 }] });
    });

    test("a settlement replaces the estimate by what was used", async () => {
      const lease = randomUUID();
      const granted = await charge(window(100, 80), lease);
      if (granted.kind !== "granted") throw new Error(granted.kind);
      const correction = { bucket: window(100, 80), window: granted.states[0]?.window ?? "", delta: -70 };
      await store.other.settle({ lease, corrections: [correction] });
      expect(await charge(window(100, 85))).toMatchObject({ kind: "granted", states: [{ used: 95 }] });
    });

    test("a settlement that comes after its window gives nothing to the next one", async () => {
      const lease = randomUUID();
      const granted = await charge(window(100, 80, 300), lease);
      if (granted.kind !== "granted") throw new Error(granted.kind);
      await store.pass(320);
      await charge(window(100, 50, 300));
      const correction = { bucket: window(100, 80, 300), window: granted.states[0]?.window ?? "", delta: -80 };
      await store.counters.settle({ lease, corrections: [correction] });
      expect((await charge(window(100, 60, 300))).kind).toBe("refused");
    });

    test("a count never falls below nothing", async () => {
      const lease = randomUUID();
      const granted = await charge(window(10, 1), lease);
      if (granted.kind !== "granted") throw new Error(granted.kind);
      const correction = { bucket: window(10, 1), window: granted.states[0]?.window ?? "", delta: -50 };
      await store.counters.settle({ lease, corrections: [correction] });
      expect((await charge(window(10, 11))).kind).toBe("refused");
      expect(await charge(window(10, 10))).toMatchObject({ kind: "granted", states: [{ used: 10 }] });
    });

    test("so many at once; a place is free when its lease was settled", async () => {
      const [first, second] = [randomUUID(), randomUUID()];
      expect((await charge(gauge(2), first)).kind).toBe("granted");
      expect((await charge(gauge(2), second, store.other)).kind).toBe("granted");
      expect((await charge(gauge(2))).kind).toBe("refused");
      await store.other.settle({ lease: first, corrections: [{ bucket: gauge(2), window: "", delta: 0 }] });
      expect((await charge(gauge(2))).kind).toBe("granted");
    });

    test("the lease of a process that died ends by itself", async () => {
      expect((await charge(gauge(1, 300))).kind).toBe("granted");
      expect((await charge(gauge(1, 300))).kind).toBe("refused");
      await store.pass(320);
      expect((await charge(gauge(1, 300))).kind).toBe("granted");
    });

    test("a sum that nobody knows yet asks for its start, once", async () => {
      expect(await charge(sum(1000, 10))).toEqual({ kind: "unseeded", indices: [0] });
      await Promise.all([store.counters.seed(sum(1000, 0), 990), store.other.seed(sum(1000, 0), 990)]);
      expect(await charge(sum(1000, 10))).toMatchObject({ kind: "granted", states: [{ used: 1000 }] });
      expect((await charge(sum(1000, 1), randomUUID(), store.other)).kind).toBe("refused");
    });

    test("one bucket's end is not another's", async () => {
      await charge(window(1));
      expect((await charge({ ...window(1), key: `other:${unique}` })).kind).toBe("granted");
    });

    test("it is ready", async () => {
      await expect(store.counters.ready()).resolves.toBeUndefined();
    });
  });
}
