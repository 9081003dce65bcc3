import { describe, expect, test } from "vitest";
import { createFindKey, type FindKeyOptions, trustMs } from "./find-key.ts";
import type { VirtualKey } from "./virtual-key.ts";

const key = { id: "key_1", blocked: false, expiresAt: undefined } as VirtualKey;

/** A store that answers when it is told to, and a clock that stands still. */
function stage(options: Partial<FindKeyOptions> = {}) {
  let now = 0;
  let found: VirtualKey | undefined = key;
  let failure: Error | undefined;
  let gate = Promise.resolve();
  let asked = 0;
  const find = createFindKey({
    store: {
      byHash: async () => {
        asked += 1;
        const answer = found;
        await gate;
        if (failure !== undefined) throw failure;
        return answer;
      },
    },
    hash: async () => (token) => `hash of ${token}`,
    keepWithoutDatabase: false,
    now: () => now,
    wallMs: () => now,
    ...options,
  });
  return {
    find,
    asked: () => asked,
    later: (ms: number) => {
      now += ms;
    },
    change: (to: VirtualKey | undefined) => {
      found = to;
    },
    breakDown: (error: Error | undefined) => {
      failure = error;
    },
    hold: () => {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return held.resolve;
    },
  };
}

const code = (work: Promise<unknown>) => work.then(() => "found").catch((error: { code?: string }) => error.code);

describe("what is known of a key", () => {
  test("is looked up once by many at once, and again when its second is over", async () => {
    const { find, asked, later } = stage();
    await Promise.all(Array.from({ length: 50 }, () => find("sk-1")));
    later(trustMs - 1);
    await find("sk-1");
    expect(asked()).toBe(1);
    later(1);
    await find("sk-1");
    expect(asked()).toBe(2);
  });

  test("is as old as the question: a key blocked while the answer was on its way is not trusted longer", async () => {
    const { find, asked, later, hold, change } = stage();
    const release = hold();
    const first = find("sk-1");
    await expect.poll(asked).toBe(1);
    change({ ...key, blocked: true });
    later(trustMs);
    release();
    await first;
    expect(await code(find("sk-1"))).toBe("token_inactive");
  });
});

describe("while the database is away", () => {
  const away = new Error("away");

  test("nobody knows: neither an unknown key nor a known one is called wrong, and none is let in", async () => {
    const { find, later, breakDown } = stage();
    await find("sk-1");
    breakDown(away);
    later(trustMs);
    expect([await code(find("sk-1")), await code(find("sk-2"))]).toEqual(["keys_unavailable", "keys_unavailable"]);
    breakDown(undefined);
    expect(await code(find("sk-1"))).toBe("found");
  });

  test("keys known before go on where that is wished, for ten minutes; others do not", async () => {
    const { find, later, breakDown } = stage({ keepWithoutDatabase: true });
    await find("sk-1");
    breakDown(away);
    later(599_999);
    expect([await code(find("sk-1")), await code(find("sk-2"))]).toEqual(["found", "keys_unavailable"]);
    later(1);
    expect(await code(find("sk-1"))).toBe("keys_unavailable");
  });

  test("nor does a key that was unknown become known", async () => {
    const { find, later, breakDown, change } = stage({ keepWithoutDatabase: true });
    change(undefined);
    expect(await code(find("sk-1"))).toBe("token_inactive");
    breakDown(away);
    later(trustMs);
    expect(await code(find("sk-1"))).toBe("keys_unavailable");
  });
});

test.each([
  [{ blocked: true }, "token_inactive"],
  [{ expiresAt: new Date(1_000).toISOString() }, "found"],
  [{ expiresAt: new Date(0).toISOString() }, "token_inactive"],
] as const)("a key that is %j: %s", async (change, expected) => {
  const { find, change: answer } = stage();
  answer({ ...key, ...change });
  expect(await code(find("sk-1"))).toBe(expected);
});
