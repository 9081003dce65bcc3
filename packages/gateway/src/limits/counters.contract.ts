import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Bucket, Charged, Counters, GaugeBucket, SumBucket, WindowBucket } from "./counters.ts";

interface CountersUnderTest {
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
      leaseMs: 60_000,
    });
    const charge = (bucket: Bucket, counters = store.counters) => counters.charge([bucket]);
    const granted = async (bucket: Bucket, counters = store.counters): Promise<Charged> => {
      const verdict = await charge(bucket, counters);
      if (verdict.kind !== "granted") throw new Error(verdict.kind);
      return verdict;
    };

    test("500 at once against a limit of 100, over two processes: exactly 100", async () => {
      const asked = Array.from({ length: 500 }, (_, index) =>
        charge(window(100), index % 2 === 0 ? store.counters : store.other),
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
      await store.counters.charge([window(10, 5), gauge(1), full]);
      expect(await charge(window(10, 1))).toMatchObject({ kind: "granted", states: [{ used: 1 }] });
      expect(await charge(gauge(1))).toMatchObject({ kind: "granted", states: [{ used: 1 }] });
    });

    test("a bucket that stands twice in a charge is charged twice", async () => {
      await store.counters.charge([window(10, 2), window(10, 2)]);
      expect(await charge(window(10, 1))).toMatchObject({ kind: "granted", states: [{ used: 5 }] });
    });

    test("a settlement replaces the estimate by what was used", async () => {
      const charged = await granted(window(100, 80));
      await store.other.settle(charged, [-70]);
      expect(await charge(window(100, 85))).toMatchObject({ kind: "granted", states: [{ used: 95 }] });
    });

    test("each bucket is corrected by its own difference", async () => {
      const second = { ...window(100, 20), key: `second:${unique}` };
      const verdict = await store.counters.charge([window(100, 80), gauge(1), second]);
      if (verdict.kind !== "granted") throw new Error(verdict.kind);
      await store.counters.settle(verdict, [-70, 0, 5]);
      expect((await granted(window(100, 1))).states).toMatchObject([{ used: 11 }]);
      expect((await granted(second)).states).toMatchObject([{ used: 45 }]);
      expect((await granted(gauge(1))).states).toMatchObject([{ used: 1 }]);
    });

    test("a settlement that comes after its window gives nothing to the next one", async () => {
      const charged = await granted(window(100, 80, 300));
      await store.pass(320);
      await charge(window(100, 50, 300));
      await store.counters.settle(charged, [-80]);
      expect((await charge(window(100, 60, 300))).kind).toBe("refused");
    });

    test("a count never falls below nothing", async () => {
      await store.counters.settle(await granted(window(10, 1)), [-50]);
      expect((await charge(window(10, 11))).kind).toBe("refused");
      expect(await charge(window(10, 10))).toMatchObject({ kind: "granted", states: [{ used: 10 }] });
    });

    test("so many at once; a place is free when its lease was settled", async () => {
      const first = await granted(gauge(2));
      expect((await charge(gauge(2), store.other)).kind).toBe("granted");
      expect((await charge(gauge(2))).kind).toBe("refused");
      await store.other.settle(first, [0]);
      expect((await charge(gauge(2))).kind).toBe("granted");
      // It was one place, and it is taken again.
      await store.other.settle(first, [0]);
      expect((await charge(gauge(2))).kind).toBe("refused");
    });

    test("leases end in any order, each frees one place", async () => {
      const leases: Charged[] = [];
      for (let index = 0; index < 4; index += 1) leases.push(await granted(gauge(4)));
      for (const index of [1, 2, 0, 3]) {
        expect((await charge(gauge(4))).kind).toBe("refused");
        const ended = leases[index];
        if (ended !== undefined) await store.counters.settle(ended, [0]);
        expect((await granted(gauge(4))).states).toMatchObject([{ used: 4 }]);
      }
    });

    test("the lease of a process that died ends by itself, and settled late frees nobody else's place", async () => {
      const lost = await granted(gauge(1, 300));
      expect((await charge(gauge(1, 300))).kind).toBe("refused");
      await store.pass(320);
      expect((await charge(gauge(1, 300))).kind).toBe("granted");
      await store.counters.settle(lost, [0]);
      expect((await charge(gauge(1, 300))).kind).toBe("refused");
    });

    test("only the leases that are over end by themselves", async () => {
      const early = await granted(gauge(3, 1_000));
      await charge(gauge(3, 1_000));
      await store.counters.settle(early, [0]);
      await store.pass(500);
      await charge(gauge(3, 1_000));
      expect((await granted(gauge(3, 1_000))).states).toMatchObject([{ used: 3 }]);
      await store.pass(520);
      expect((await granted(gauge(3, 1_000))).states).toMatchObject([{ used: 3 }]);
      expect((await charge(gauge(3, 1_000))).kind).toBe("refused");
    });

    test("a sum that nobody knows yet asks for its start, once", async () => {
      expect(await charge(sum(1000, 10))).toEqual({ kind: "unseeded", indices: [0] });
      await Promise.all([store.counters.seed(sum(1000, 0), 990), store.other.seed(sum(1000, 0), 990)]);
      expect(await charge(sum(1000, 10))).toMatchObject({ kind: "granted", states: [{ used: 1000 }] });
      expect((await charge(sum(1000, 1), store.other)).kind).toBe("refused");
    });

    test("a sum that is forgotten is unknown again, and what a charge of before gives back is not taken from the new one", async () => {
      await store.counters.seed(sum(1000, 0), 0);
      const before = await granted(sum(1000, 400));
      await store.counters.forget(sum(1000, 0));
      expect(await charge(sum(1000, 10))).toEqual({ kind: "unseeded", indices: [0] });
      await store.counters.seed(sum(1000, 0), 700);
      await store.counters.settle(before, [-400]);
      expect((await granted(sum(1000, 100))).states).toMatchObject([{ used: 800 }]);
    });

    test("what a charge of before used is missing in no sum that began anew meanwhile", async () => {
      await store.counters.seed(sum(1000, 0), 0);
      const before = await granted(sum(1000, 400));
      await store.counters.forget(sum(1000, 0));
      await store.counters.seed(sum(1000, 0), 700);
      await store.counters.settle(before, [-250]);
      expect((await granted(sum(1000, 100))).states).toMatchObject([{ used: 950 }]);
    });

    test("a settlement begins no sum that nobody knows", async () => {
      await store.counters.seed(sum(1000, 0), 0);
      const before = await granted(sum(1000, 400));
      await store.counters.forget(sum(1000, 0));
      await store.counters.settle(before, [-250]);
      expect(await charge(sum(1000, 10))).toEqual({ kind: "unseeded", indices: [0] });
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
