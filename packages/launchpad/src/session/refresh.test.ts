import { HttpError, memoryStore } from "@onbehalf/service-kit";
import { describe, expect, it } from "vitest";
import { createKeepFresh, RefreshRefused } from "./refresh.ts";
import { createSeal } from "./seal.ts";
import type { SessionTokens } from "./session.ts";
import { createSessions, type Login } from "./sessions.ts";
import { keyValueSessionStore } from "./store-key-value.ts";

const second = 1_000;

/** Two replicas on one store, a clock of our own, and a provider whose refresh tokens work once. */
function stage(provider: (tokens: SessionTokens) => Promise<SessionTokens>) {
  let nowMs = 1_000_000 * second;
  const now = (): number => nowMs;
  const store = { ...keyValueSessionStore(memoryStore({ maxEntries: 100 })) };
  const options = { seal: createSeal("0123456789abcdef0123456789abcdef", "session"), now };
  const lifetimes = { absoluteSeconds: 10_000, idleSeconds: 10_000 };
  const sessions = createSessions({ store, lifetimes, providers: new Set(["okta"]), ...options });
  const replica = () => createKeepFresh({ sessions, store, now, refresh: ({ tokens }) => provider(tokens) });
  const login: Login = {
    provider: "okta",
    user: { issuer: "https://id.example", subject: "alice", name: undefined, email: undefined, groups: [] },
    providerSession: undefined,
    tokens: {
      access: "access-0",
      accessExpiresAt: nowMs / second + 100,
      obtainedAt: nowMs / second,
      refresh: "0",
      id: undefined,
      scopes: [],
    },
    claims: {},
  };
  const later = (seconds: number): void => {
    nowMs += seconds * second;
  };
  return { store, sessions, one: replica(), other: replica(), login, later, now };
}

describe("keeping a login fresh", () => {
  it("asks the provider once, however many requests in both replicas need it", async () => {
    const spent = new Set<string>();
    const { sessions, one, other, login, later, now } = stage(async ({ refresh = "" }) => {
      if (spent.has(refresh)) throw new RefreshRefused("used twice");
      spent.add(refresh);
      await new Promise((resolve) => setTimeout(resolve, 30));
      const next = String(spent.size);
      return {
        ...login.tokens,
        access: `access-${next}`,
        refresh: next,
        obtainedAt: now() / second,
        accessExpiresAt: now() / second + 100,
      };
    });
    const { session } = await sessions.open(login, "");
    expect((await one(session)).tokens.access).toBe("access-0");
    later(60);
    const all = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? one : other)(session)));
    expect(new Set(all.map(({ tokens }) => tokens.access))).toEqual(new Set(["access-1"]));
    expect(spent.size).toBe(1);
    // Refused by a service below although it looks good: renewed, and again only once.
    const rejected = await Promise.all([one(all[0] ?? session, "access-1"), other(all[1] ?? session, "access-1")]);
    expect(rejected.map(({ tokens }) => tokens.access)).toEqual(["access-2", "access-2"]);
    expect(spent.size).toBe(2);
  });

  it.each([
    ["takes nothing for a moment", 2, 0],
    ["took them and did not say so", 0, 1],
  ])("loses no tokens that the provider gave once, when the store %s", async (_, refused, unsaid) => {
    let nothing = refused;
    let silence = unsaid;
    const { store, sessions, one, login, later, now } = stage(async ({ refresh }) => {
      if (refresh !== "0") throw new RefreshRefused("used twice");
      const at = now() / second;
      return { ...login.tokens, access: "access-1", refresh: "1", obtainedAt: at, accessExpiresAt: at + 100 };
    });
    const { replace } = store;
    store.replace = async (session) => {
      nothing -= 1;
      if (nothing >= 0) throw new HttpError(503, "store_unavailable", "The store is away.");
      const replaced = await replace(session);
      silence -= 1;
      if (silence >= 0) throw new HttpError(503, "store_unavailable", "The store is away.");
      return replaced;
    };
    const { session } = await sessions.open(login, "");
    later(60);
    expect((await one(session)).tokens.access).toBe("access-1");
    expect((await sessions.reload(session.id))?.tokens.refresh).toBe("1");
  });

  it("reads the record again before it asks: a request may still hold the one from before", async () => {
    let asked = 0;
    const { sessions, one, other, login, later, now } = stage(async () => {
      asked += 1;
      const at = now() / second;
      return { ...login.tokens, access: `access-${asked}`, refresh: "next", obtainedAt: at, accessExpiresAt: at + 100 };
    });
    const { session } = await sessions.open(login, "");
    later(60);
    expect((await one(session)).tokens.access).toBe("access-1");
    expect((await other(session)).tokens.access).toBe("access-1");
    expect(asked).toBe(1);
  });

  it("ends the session when the provider will give no more", async () => {
    const { sessions, one, login, later } = stage(() => Promise.reject(new RefreshRefused("gone")));
    const { session, cookie } = await sessions.open(login, "");
    later(60);
    await expect(one(session)).rejects.toMatchObject({ status: 401, error: "session_expired" });
    expect(await sessions.find(cookie)).toBeUndefined();
  });

  it("goes on with what is still good while the provider is away, and says so when nothing is", async () => {
    const away = new HttpError(503, "provider_unavailable", "away", { retryAfterSeconds: 5 });
    const { sessions, one, login, later } = stage(() => Promise.reject(away));
    const { session, cookie } = await sessions.open(login, "");
    later(60);
    expect((await one(session)).tokens.access).toBe("access-0");
    await expect(one(session, "access-0")).rejects.toBe(away);
    later(60);
    await expect(one(session)).rejects.toBe(away);
    expect(await sessions.find(cookie)).toBeDefined();
  });

  it("ends with the token where the provider gave no refresh token", async () => {
    const { sessions, one, login, later } = stage(() => Promise.reject(new Error("not asked")));
    const { session } = await sessions.open({ ...login, tokens: { ...login.tokens, refresh: undefined } }, "");
    later(99);
    expect((await one(session)).tokens.access).toBe("access-0");
    later(2);
    await expect(one(session)).rejects.toMatchObject({ error: "session_expired" });
  });
});
