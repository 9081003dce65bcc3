import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { AuthError } from "./errors.ts";
import type { AuthEvent } from "./events.ts";
import type { Exchange, ExchangeTarget, ScopedToken, Subject } from "./exchange/exchange.ts";
import { testClock } from "./fixtures/clock.ts";
import { refusal, refusalCode } from "./fixtures/refusal.ts";
import { type CacheOptions, cached } from "./token-cache.ts";
import { digestOf } from "./token-key.ts";
import { lifetime } from "./token-lifetime.ts";
import { memoryTokenStore, type TokenStore } from "./token-store.ts";

let clock: ReturnType<typeof testClock>;
let events: AuthEvent[];
beforeEach(() => {
  clock = testClock();
  events = [];
});

const target: ExchangeTarget = {
  profile: "okta",
  server: "https://as.example",
  clientId: "voicebox",
  audience: ["llm-gateway"],
  resource: [],
  scopes: ["llm-gateway"],
  subjectTokenType: "access_token",
  withActor: false,
  boundTo: undefined,
};
const subject = (more: Partial<Subject["identity"]> & { token?: string } = {}): Subject => {
  const { token = "token-of-alice", ...identity } = more;
  return {
    token,
    identity: { issuer: "https://i", subject: "alice", expiresAt: clock.now() / 1000 + 86_400, ...identity },
  };
};

/** An exchange that issues a new token each time, and says for whom. */
function counting({ expiresIn = 3600 as number | undefined, wait = Promise.resolve() as Promise<unknown> } = {}) {
  const calls: Subject[] = [];
  const exchange: Exchange = async (caller) => {
    calls.push(caller);
    const number = calls.length;
    await wait;
    const expiresAt = expiresIn === undefined ? undefined : clock.now() / 1000 + expiresIn;
    return Object.freeze({
      accessToken: `${caller.identity.issuer} ${caller.identity.subject} ${caller.token} #${number}`,
      tokenType: "Bearer",
      expiresAt,
      audience: "llm-gateway",
      scopes: ["llm-gateway"],
      issuer: "https://as.example",
      clientId: "voicebox",
      source: "fresh",
    });
  };
  return { exchange, calls };
}
const keep = (exchange: Exchange, options: CacheOptions = {}) =>
  cached(exchange, { now: clock.now, steadyNow: clock.steadyNow, onEvent: (event) => events.push(event), ...options });
const deferred = () => {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { gate, open: () => open() };
};

describe("one user never gets another's token", () => {
  test("same sub at two issuers, same prefixes, fields that run into each other", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    const callers = [
      subject(),
      subject({ issuer: "https://other" }),
      subject({ subject: "alice2" }),
      subject({ token: "token-of-alice2" }),
      subject({ issuer: "https://ialice", subject: "" }),
      subject({ issuer: "https://", subject: "ialice" }),
      subject({ token: "token-of-alice".toUpperCase() }),
    ];
    const tokens = [];
    for (const caller of callers) tokens.push((await keeper(caller)).accessToken);
    expect(new Set(tokens).size).toBe(callers.length);
    expect(calls).toHaveLength(callers.length);
  });

  test("10,000 interleaved requests of 200 users: 0 crossings", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    const crossings = await Promise.all(
      Array.from({ length: 10_000 }, async (_, index) => {
        const who = `user-${(index * 7919) % 200}`;
        const { accessToken } = await keeper(subject({ subject: who, token: `shared-prefix-${who}` }));
        return accessToken.startsWith(`https://i ${who} shared-prefix-${who} #`) ? 0 : 1;
      }),
    );
    expect(crossings.reduce<number>((sum, one) => sum + one, 0)).toBe(0);
    expect(calls).toHaveLength(200);
  });

  test("different lists of fields never have one digest", () => {
    const fields = fc.array(fc.string({ unit: "binary", maxLength: 6 }), { maxLength: 4 });
    fc.assert(
      fc.property(
        fields,
        fields,
        (one, two) =>
          (digestOf("k", ...one) === digestOf("k", ...two)) === (JSON.stringify(one) === JSON.stringify(two)),
      ),
      { numRuns: 2000 },
    );
    expect(digestOf("k", "a", "")).not.toBe(digestOf("k", "a"));
    expect(digestOf("k", "\ud800")).not.toBe(digestOf("k", "\ud801"));
    expect(digestOf("k", "1:a")).not.toBe(digestOf("k", "1", "a"));
  });
});

describe("one entry is for one thing asked", () => {
  test.each([
    [{ scopes: ["other"] }],
    [{ scopes: ["llm-gateway", "more"] }],
    [{ audience: ["other"] }],
    [{ resource: ["llm-gateway"] }],
    [{ audience: [], resource: ["llm-gateway"] }],
    [{ clientId: "launchpad" }],
    [{ server: "https://other" }],
    [{ profile: "rfc8693" }],
    [{ subjectTokenType: "id_token" }],
    [{ withActor: true }],
    [{ boundTo: "thumbprint" }],
  ])("another target in the same store: %j", async (change) => {
    const store = memoryTokenStore();
    const { exchange, calls } = counting();
    await keep(exchange, { store, target })(subject());
    await keep(exchange, { store, target: { ...target, ...change } })(subject());
    expect(calls).toHaveLength(2);
    await keep(exchange, { store, target })(subject());
    expect(calls).toHaveLength(2);
  });

  test("a shared store without a target is refused", () => {
    expect(() => keep(counting().exchange, { store: memoryTokenStore() })).toThrow(TypeError);
  });
});

describe("how long", () => {
  const seconds = (rules: Partial<Parameters<typeof lifetime>[0]>) => {
    const all = {
      now: 1000,
      ttlSeconds: 3600,
      expiryBufferSeconds: 300,
      tokenExpiresAt: 1e12,
      subjectExpiresAt: 1e12,
      ...rules,
    };
    const life = lifetime(all);
    return life === undefined ? undefined : Math.round(life.usableUntil - all.now);
  };

  test.each([
    ["TTL", {}, 3300],
    ["the token's end", { tokenExpiresAt: 1000 + 1000 }, 700],
    ["the subject's end", { subjectExpiresAt: 1000 + 900 }, 600],
    ["a token shorter than the buffer: a fifth of it", { tokenExpiresAt: 1000 + 100 }, 20],
    ["a little longer than the buffer", { tokenExpiresAt: 1000 + 310 }, 62],
    ["10 seconds", { tokenExpiresAt: 1010 }, 2],
    ["4 seconds: not worth it", { tokenExpiresAt: 1004 }, undefined],
    ["nothing left", { tokenExpiresAt: 1000 }, undefined],
    ["in the past", { tokenExpiresAt: 1 }, undefined],
    ["the subject's end in the past", { subjectExpiresAt: 1 }, undefined],
    ["an end that nobody knows", { tokenExpiresAt: undefined }, undefined],
    ["an end that is no number", { tokenExpiresAt: Number.NaN }, undefined],
    ["no buffer", { expiryBufferSeconds: 0 }, 3600],
    ["TTL 0", { ttlSeconds: 0 }, undefined],
  ])("%s", (_name, rules, expected) => {
    expect(seconds(rules)).toBe(expected);
  });

  test("never past any of the three ends, whatever they are", () => {
    const end = fc.integer({ min: -1e6, max: 1e13 });
    fc.assert(
      fc.property(
        end,
        end,
        fc.nat(1e6),
        fc.nat(1e6),
        (tokenExpiresAt, subjectExpiresAt, ttlSeconds, expiryBufferSeconds) => {
          const life = lifetime({ now: 0, tokenExpiresAt, subjectExpiresAt, ttlSeconds, expiryBufferSeconds });
          if (life === undefined) return true;
          const least = Math.min(tokenExpiresAt, subjectExpiresAt, ttlSeconds);
          return life.usableUntil <= least && life.usableUntil >= 1 && (life.renewFrom ?? 0) <= life.usableUntil;
        },
      ),
    );
  });

  test.each([0, 10, 1e12, undefined])("expires_in %s: never given out past either end", async (expiresIn) => {
    const { exchange } = counting({ expiresIn });
    const keeper = keep(exchange);
    const caller = subject({ expiresAt: clock.now() / 1000 + 500 });
    for (let step = 0; step < 49; step += 1) {
      const { expiresAt, source } = await keeper(caller);
      if (source === "cached") expect(expiresAt ?? 0).toBeGreaterThan(clock.now() / 1000);
      clock.advance(10);
    }
    clock.advance(20);
    expect((await keeper(caller)).source).toBe("fresh");
  });

  test("not for a subject whose own token has ended", async () => {
    const keeper = keep(counting().exchange);
    await keeper(subject());
    expect((await keeper(subject())).source).toBe("cached");
    expect((await keeper(subject({ expiresAt: clock.now() / 1000 }))).source).toBe("fresh");
  });

  test("a wall clock that is set back does not lengthen an entry's life", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    await keeper(subject());
    clock.advance(3301);
    clock.stepWall(-3600);
    await keeper(subject());
    expect(calls).toHaveLength(2);
  });
});

describe("one flight per entry", () => {
  test("stampede: 200 at once, 1 call", async () => {
    const { gate, open } = deferred();
    const { exchange, calls } = counting({ wait: gate });
    const keeper = keep(exchange);
    const all = Promise.all(Array.from({ length: 200 }, () => keeper(subject())));
    await expect.poll(() => calls.length).toBe(1);
    open();
    expect(new Set((await all).map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(calls).toHaveLength(1);
    expect(keeper.stats()).toMatchObject({ misses: 200, flights: 1 });
  });

  test("the one who started it gives up; the others still get their token", async () => {
    const { gate, open } = deferred();
    const { exchange, calls } = counting({ wait: gate });
    const keeper = keep(exchange);
    const controller = new AbortController();
    const first = keeper(subject(), { signal: controller.signal });
    await expect.poll(() => calls.length).toBe(1);
    const second = keeper(subject());
    controller.abort(new Error("gone"));
    await expect(first).rejects.toThrow("gone");
    open();
    expect((await second).accessToken).toMatch(/#1$/);
    await expect(keeper(subject(), { signal: controller.signal })).rejects.toThrow("gone");
  });

  test("a failure is everybody's, once", async () => {
    let calls = 0;
    const keeper = keep(async () => {
      calls += 1;
      throw new AuthError("exchange_unavailable", "down");
    });
    const codes = await Promise.all(Array.from({ length: 50 }, () => refusalCode(keeper(subject()))));
    expect(new Set(codes)).toEqual(new Set(["exchange_unavailable"]));
    expect(calls).toBe(1);
  });
});

describe("refusals are remembered for a moment", () => {
  test("and then asked again; another subject's are not", async () => {
    let calls = 0;
    const keeper = keep(async () => {
      calls += 1;
      throw new AuthError("subject_rejected", "no");
    });
    for (let index = 0; index < 10; index += 1) await refusal(keeper(subject()));
    expect(calls).toBe(1);
    await refusal(keeper(subject({ subject: "bob" })));
    expect(calls).toBe(2);
    clock.advance(3);
    await refusal(keeper(subject()));
    expect(calls).toBe(3);
    expect(keeper.stats().refusals).toBe(9);
  });

  test("not at all, if so wished; and never an error that is not a refusal", async () => {
    let calls = 0;
    const refusing = async () => {
      calls += 1;
      throw new AuthError("subject_rejected", "no");
    };
    const keeper = keep(refusing, { negativeTtlSeconds: 0 });
    await refusal(keeper(subject()));
    await refusal(keeper(subject()));
    expect(calls).toBe(2);
    const broken = keep(async () => {
      calls += 1;
      throw new TypeError("a mistake");
    });
    await expect(broken(subject())).rejects.toThrow("a mistake");
    await expect(broken(subject())).rejects.toThrow("a mistake");
    expect(calls).toBe(4);
  });
});

describe("renewal ahead of the end", () => {
  test("nobody waits for it, and it happens once", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    await keeper(subject());
    clock.advance(2700);
    const hits = await Promise.all(Array.from({ length: 20 }, () => keeper(subject())));
    expect(hits.every(({ accessToken, source }) => source === "cached" && accessToken.endsWith("#1"))).toBe(true);
    await expect.poll(async () => (await keeper(subject())).accessToken).toMatch(/#2$/);
    expect(calls).toHaveLength(2);
    expect(keeper.stats()).toMatchObject({ renewals: 1, flights: 2, misses: 1 });
  });

  test("its failure is nobody's; the entry serves to its end", async () => {
    const { exchange } = counting();
    let down = false;
    const keeper = keep((...call) =>
      down ? Promise.reject(new AuthError("exchange_unavailable", "down")) : exchange(...call),
    );
    await keeper(subject());
    down = true;
    clock.advance(2700);
    expect((await keeper(subject())).source).toBe("cached");
    clock.advance(500);
    expect((await keeper(subject())).source).toBe("cached");
    clock.advance(101);
    expect(await refusalCode(keeper(subject()))).toBe("exchange_unavailable");
  });

  test("where the subject's own end is the limit there is nothing to gain, and no call", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    const caller = subject({ expiresAt: clock.now() / 1000 + 1000 });
    await keeper(caller);
    clock.advance(690);
    await keeper(caller);
    expect(calls).toHaveLength(1);
  });
});

describe("the next hop answers 401", () => {
  test("the entry is dropped and exchanged once more; a second refusal in a row ends it", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    const first = await keeper(subject());
    const second = await keeper(subject(), { rejected: first.accessToken });
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(await refusalCode(keeper(subject(), { rejected: second.accessToken }))).toBe("subject_rejected");
    expect(calls).toHaveLength(2);
    clock.advance(11);
    expect((await keeper(subject(), { rejected: second.accessToken })).source).toBe("fresh");
    expect(keeper.stats().evictions).toBe(2);
  });

  test("a server that issues the refused token again has nothing better", async () => {
    const { exchange } = counting();
    const issued = await exchange(subject());
    const keeper = keep(async () => issued);
    await keeper(subject());
    expect(await refusalCode(keeper(subject(), { rejected: issued.accessToken }))).toBe("subject_rejected");
  });

  test("200 callers with one refused token: one exchange; who comes late gets the new one", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange);
    const { accessToken } = await keeper(subject());
    const renewed = await Promise.all(Array.from({ length: 200 }, () => keeper(subject(), { rejected: accessToken })));
    expect(new Set(renewed.map((token) => token.accessToken)).size).toBe(1);
    expect((await keeper(subject(), { rejected: accessToken })).accessToken).toBe(renewed[0]?.accessToken);
    expect(calls).toHaveLength(2);
  });
});

describe("purge", () => {
  test("forgets every token of the subject, and nobody else's, in all replicas", async () => {
    const store = memoryTokenStore();
    const { exchange, calls } = counting();
    const [one, two] = [keep(exchange, { store, target }), keep(exchange, { store, target })];
    const callers = [
      subject(),
      subject({ token: "second-token" }),
      subject({ subject: "bob" }),
      subject({ issuer: "https://other" }),
    ];
    for (const caller of callers) await one(caller);
    clock.advance(1);
    await one.purge({ issuer: "https://i", subject: "alice" });
    clock.advance(1);
    for (const caller of callers) await two(caller);
    expect(calls).toHaveLength(6);
    expect((await two(subject())).source).toBe("cached");
  });

  test("holds for as long as what it forgot could have served", async () => {
    const store = memoryTokenStore({ steadyNow: clock.steadyNow });
    const { exchange, calls } = counting();
    const keeper = keep(exchange, { store, target });
    await keeper(subject());
    await keeper.purge({ issuer: "https://i", subject: "alice" });
    clock.advance(2000);
    expect((await keeper(subject())).source).toBe("fresh");
    expect(calls).toHaveLength(2);
  });

  test("catches an exchange that was under way", async () => {
    const { gate, open } = deferred();
    const { exchange, calls } = counting({ wait: gate });
    const keeper = keep(exchange);
    const work = keeper(subject());
    await expect.poll(() => calls.length).toBe(1);
    await keeper.purge({ issuer: "https://i", subject: "alice" });
    open();
    await work;
    clock.advance(1);
    await keeper(subject());
    expect(calls).toHaveLength(2);
  });
});

describe("a store that fails", () => {
  const broken = (error: unknown): TokenStore => ({
    get: () => Promise.reject(error),
    set: () => Promise.reject(error),
    delete: () => Promise.reject(error),
  });

  test("costs an exchange, not the request; only a purge must not seem done", async () => {
    const { exchange, calls } = counting();
    const keeper = keep(exchange, { store: broken(new Error("store down")), target });
    expect((await keeper(subject())).source).toBe("fresh");
    expect((await keeper(subject())).source).toBe("fresh");
    expect(calls).toHaveLength(2);
    expect(events.map((event) => (event.type === "store_failed" ? event.operation : event.type))).toEqual([
      "get",
      "set",
      "get",
      "set",
    ]);
    await expect(keeper.purge({ issuer: "https://i", subject: "alice" })).rejects.toThrow("store down");
  });

  test.each(["", "null", "{}", "[]", '{"usableUntil":1e99}', '{"usableUntil":1e99,"askedAt":1,"token":{}}', "\u0000"])(
    "what somebody else wrote is no token: %j",
    async (text) => {
      const { exchange } = counting();
      const store: TokenStore = { get: async () => text, set: async () => undefined, delete: async () => undefined };
      expect((await keep(exchange, { store, target })(subject())).source).toBe("fresh");
    },
  );

  test("a store that gives out too long is not believed", async () => {
    const kept = new Map<string, string>();
    const store: TokenStore = {
      get: async (key) => kept.get(key),
      set: async (key, value) => void kept.set(key, value),
      delete: async (key) => void kept.delete(key),
    };
    const { exchange, calls } = counting();
    const keeper = keep(exchange, { store, target });
    await keeper(subject());
    clock.advance(3301);
    // Not merely renewed behind the caller's back.
    expect((await keeper(subject())).source).toBe("fresh");
    expect(calls).toHaveLength(2);
  });

  test("keys give nothing away", async () => {
    const keys: string[] = [];
    const store: TokenStore = {
      get: async (key) => void keys.push(key),
      set: async (key) => void keys.push(key),
      delete: async () => undefined,
    };
    await keep(counting().exchange, { store, target })(subject());
    expect(keys.length).toBeGreaterThan(2);
    for (const key of keys) expect(key).toMatch(/^[\w-]{43}$/);
  });
});

test("what comes out of the cache is what went in, frozen, and says where it comes from", async () => {
  const { exchange } = counting();
  const keeper = keep(exchange);
  const fresh: ScopedToken = await keeper(subject());
  const again = await keeper(subject());
  expect(again).toEqual({ ...fresh, source: "cached" });
  expect(Object.isFrozen(again)).toBe(true);
  expect(keeper.stats()).toEqual({ hits: 1, misses: 1, flights: 1, renewals: 0, evictions: 0, refusals: 0 });
});

test.each([
  { ttlSeconds: -1 },
  { expiryBufferSeconds: Number.NaN },
  { negativeTtlSeconds: -0.5 },
  { ttlSeconds: "3600" as never },
])("%j is refused at construction", (options) => {
  expect(() => keep(counting().exchange, options)).toThrow(TypeError);
});

test("the store in memory is bounded", async () => {
  const store = memoryTokenStore({ maxEntries: 10 });
  for (let index = 0; index < 100; index += 1) await store.set(String(index), "x", 60);
  const left = await Promise.all(Array.from({ length: 100 }, (_, index) => store.get(String(index))));
  expect(left.filter((value) => value !== undefined)).toHaveLength(10);
});
