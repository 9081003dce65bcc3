import { memoryStore } from "@onbehalf/service-kit";
import { describe, expect, it } from "vitest";
import { createSeal } from "./seal.ts";
import { createSessions, type Login } from "./sessions.ts";
import type { StoredSession } from "./store.ts";
import { keyValueSessionStore } from "./store-key-value.ts";

const secret = "0123456789abcdef0123456789abcdef";
const login = (subject: string): Login => ({
  provider: "okta",
  user: { issuer: "https://id.example", subject, name: "Same Name", email: "same@example.com", groups: ["g"] },
  providerSession: "sid",
  tokens: {
    access: "access-token",
    accessExpiresAt: 2e9,
    obtainedAt: 1e9,
    refresh: "refresh-token",
    id: "id-token",
    scopes: [],
  },
  claims: { sub: subject },
});

function stage() {
  let nowMs = 1e12;
  const now = (): number => nowMs;
  const written: StoredSession[] = [];
  const inner = keyValueSessionStore(memoryStore({ maxEntries: 100 }), now);
  const store = {
    ...inner,
    create: (session: StoredSession) => {
      written.push(session);
      return inner.create(session);
    },
  };
  const lifetimes = { absoluteSeconds: 1_000, idleSeconds: 100 };
  const providers = new Set(["okta"]);
  const sessions = createSessions({ store, seal: createSeal(secret, "session"), lifetimes, providers, now });
  const later = (seconds: number): void => {
    nowMs += seconds * 1000;
  };
  return { store, inner, sessions, written, later, lifetimes, providers, now };
}

describe("sessions", () => {
  it("give back who signed in, under an id that cannot be made from what is stored", async () => {
    const { sessions, written } = stage();
    const { cookie, session } = await sessions.open(login("alice"), "a browser");
    expect(await sessions.find(cookie)).toEqual(session);
    const stored = JSON.stringify(written);
    for (const text of [
      cookie,
      "access-token",
      "refresh-token",
      "id-token",
      "alice",
      "same@example.com",
      "https://id.example",
    ]) {
      expect(stored).not.toContain(text);
    }
    expect(await sessions.find(session.id)).toBeUndefined();
    expect(await sessions.find("")).toBeUndefined();
  });

  it("end when nobody comes for a while, and at their absolute end", async () => {
    const { sessions, later } = stage();
    const idle = await sessions.open(login("alice"), "");
    later(99);
    expect(await sessions.find(idle.cookie)).toBeDefined();
    later(99);
    expect(await sessions.find(idle.cookie)).toBeDefined();
    later(101);
    expect(await sessions.find(idle.cookie)).toBeUndefined();
    const busy = await sessions.open(login("alice"), "");
    for (let at = 0; at < 19; at += 1) {
      later(50);
      expect(await sessions.find(busy.cookie)).toBeDefined();
    }
    later(50);
    expect(await sessions.find(busy.cookie)).toBeUndefined();
  });

  it("do not open a record that was put in another's place, or sealed by another secret", async () => {
    const { sessions, inner, written, lifetimes, providers, now } = stage();
    const alice = await sessions.open(login("alice"), "");
    const mallory = await sessions.open(login("mallory"), "");
    const [hers, his] = written;
    if (hers === undefined || his === undefined) throw new Error("two sessions were opened");
    await inner.create({ ...his, sealed: hers.sealed });
    expect(await sessions.find(mallory.cookie)).toBeUndefined();
    const another = createSeal(`${secret}x`, "session");
    const elsewhere = createSessions({ store: inner, seal: another, lifetimes, providers, now });
    expect(await elsewhere.find(alice.cookie)).toBeUndefined();
    expect(await sessions.find(alice.cookie)).toBeDefined();
  });

  it("are none where the provider they began at is configured no more", async () => {
    const { sessions, inner, lifetimes, now } = stage();
    const { cookie, session } = await sessions.open(login("alice"), "");
    const seal = createSeal(secret, "session");
    const without = createSessions({ store: inner, seal, lifetimes, providers: new Set(["keycloak"]), now });
    expect([await without.find(cookie), await without.list(session.user)]).toEqual([undefined, []]);
    expect(await sessions.find(cookie)).toBeDefined();
  });

  it("belong to issuer and subject, whatever name and address say", async () => {
    const { sessions } = stage();
    const [alice, bob] = [await sessions.open(login("alice"), ""), await sessions.open(login("bob"), "")];
    const elsewhere = login("alice");
    const twin = await sessions.open(
      { ...elsewhere, user: { ...elsewhere.user, issuer: "https://other.example" } },
      "",
    );
    expect((await sessions.list(alice.session.user)).map(({ id }) => id)).toEqual([alice.session.id]);
    expect(await sessions.endAll(alice.session.user)).toBe(1);
    expect(await sessions.find(bob.cookie)).toBeDefined();
    expect(await sessions.find(twin.cookie)).toBeDefined();
    // The same `sid` at another issuer is another session.
    expect(await sessions.endProviderSession("https://other.example", "sid")).toBe(1);
    expect(await sessions.find(bob.cookie)).toBeDefined();
  });
});
