import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SessionStore, StoredSession } from "./store.ts";

/** An open store of one kind, and a second connection to the same data, as another replica has it. */
interface StorePair {
  readonly one: SessionStore;
  readonly other: SessionStore;
  close(): Promise<void>;
}

const far = 4_000_000_000;
let counter = 0;
function example(fields: Partial<StoredSession> = {}): StoredSession {
  counter += 1;
  return {
    id: `id-${counter}`,
    owner: `owner-${counter}`,
    providerSession: undefined,
    createdAt: 1_000,
    lastSeenAt: 1_000,
    expiresAt: far,
    generation: 0,
    sealed: `sealed-${counter}`,
    ...fields,
  };
}

/** What every session store does, whatever is underneath. */
export function sessionStoreContract(name: string, open: () => Promise<StorePair>): void {
  describe(`session store: ${name}`, () => {
    let pair: StorePair;
    beforeAll(async () => {
      pair = await open();
    });
    afterAll(() => pair?.close());

    it("gives back what was created, in every replica", async () => {
      const session = example({ providerSession: "p" });
      await pair.one.create(session);
      expect(await pair.other.find(session.id)).toEqual(session);
      expect(await pair.one.find("no-such-id")).toBeUndefined();
    });

    it("replaces only the generation before, so that of two writers one loses", async () => {
      const session = example();
      await pair.one.create(session);
      const next = { ...session, generation: 1, sealed: "renewed" };
      const both = await Promise.all([pair.one.replace(next), pair.other.replace({ ...next, sealed: "late" })]);
      expect(both.filter(Boolean)).toHaveLength(1);
      const kept = await pair.one.find(session.id);
      expect(kept?.generation).toBe(1);
      expect(kept?.sealed).toBe(both[0] ? "renewed" : "late");
      expect(await pair.one.replace(next)).toBe(false);
      expect(await pair.one.replace({ ...example(), id: "gone", generation: 1 })).toBe(false);
    });

    it("moves the last-seen time forwards only, and keeps a renewal that happens meanwhile", async () => {
      const session = example();
      await pair.one.create(session);
      await Promise.all([
        pair.one.touch(session.id, 2_000),
        pair.other.replace({ ...session, generation: 1, sealed: "renewed" }),
        pair.other.touch(session.id, 1_500),
      ]);
      await pair.one.touch(session.id, 1_700);
      const kept = await pair.other.find(session.id);
      expect(kept).toMatchObject({ lastSeenAt: 2_000, generation: 1, sealed: "renewed" });
    });

    it("lists and removes all sessions of an owner, and nobody else's", async () => {
      const mine = [example({ owner: "me" }), example({ owner: "me" })];
      const other = example({ owner: "you" });
      for (const session of [...mine, other]) await pair.one.create(session);
      const ids = (await pair.other.ofOwner("me")).map(({ id }) => id).sort();
      expect(ids).toEqual(mine.map(({ id }) => id).sort());
      expect(await pair.other.removeOwner("me")).toBe(2);
      expect(await pair.one.ofOwner("me")).toEqual([]);
      expect(await pair.one.find(mine[0]?.id ?? "")).toBeUndefined();
      expect(await pair.one.find(other.id)).toEqual(other);
    });

    it("removes by the provider's session", async () => {
      const [first, second] = [example({ providerSession: "sid-1" }), example({ providerSession: "sid-2" })];
      await pair.one.create(first);
      await pair.one.create(second);
      expect(await pair.other.removeProviderSession("sid-1")).toBe(1);
      expect(await pair.one.find(first.id)).toBeUndefined();
      expect(await pair.one.find(second.id)).toEqual(second);
      expect(await pair.other.removeProviderSession("unknown")).toBe(0);
    });

    it("removes one, once and for all", async () => {
      const session = example({ owner: "single", providerSession: "single" });
      await pair.one.create(session);
      await pair.one.remove(session.id);
      await pair.one.remove(session.id);
      expect(await pair.other.find(session.id)).toBeUndefined();
      expect(await pair.other.ofOwner("single")).toEqual([]);
    });

    it("gives a lock to one holder in all replicas, until it is released or its time is over", async () => {
      const session = example();
      await pair.one.create(session);
      const tries = await Promise.all(
        Array.from({ length: 10 }, (_, at) => (at % 2 ? pair.one : pair.other).lease(session.id, { ttlSeconds: 1 })),
      );
      const held = tries.filter((lease) => lease !== undefined);
      expect(held).toHaveLength(1);
      await held[0]?.release();
      const again = await pair.other.lease(session.id, { ttlSeconds: 1 });
      expect(again).toBeDefined();
      // A late release by a holder whose time was over does not free the next one's lock.
      await held[0]?.release();
      expect(await pair.one.lease(session.id, { ttlSeconds: 1 })).toBeUndefined();
      await expect.poll(() => pair.one.lease(session.id, { ttlSeconds: 5 }), { timeout: 5_000 }).toBeDefined();
    });

    it("answers its health question, and forgets what has ended", async () => {
      await expect(pair.one.ping()).resolves.toBeUndefined();
      const ended = example({ expiresAt: 1_500 });
      await pair.one.create(ended);
      await pair.one.sweep(2_000);
      await expect.poll(() => pair.other.find(ended.id), { timeout: 5_000 }).toBeUndefined();
    });
  });
}
