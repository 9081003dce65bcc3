import { describe, expect, it } from "vitest";
import type { Caller } from "./caller.ts";
import { createLimit } from "./limit.ts";

type Limited = Pick<Caller, "app" | "identity" | "clientId">;
const app = (id: string, requests_per_minute: number | null = null) => ({ id, requests_per_minute }) as Caller["app"];
const person = (subject: string, issuer = "https://id.example") =>
  ({ kind: "user", issuer, subject }) as Caller["identity"];
const nobody = { kind: "app", issuer: "launchpad", subject: "app:a" } as Caller["identity"];

/** How many of `tries` are let through. */
async function passed(
  limit: (caller: Limited) => Promise<void>,
  tries: number,
  caller: (at: number) => Limited,
): Promise<number> {
  const results = await Promise.allSettled(Array.from({ length: tries }, (_, at) => limit(caller(at))));
  return results.filter(({ status }) => status === "fulfilled").length;
}

describe("limits", () => {
  it("count the person, whatever the client calls itself, and leave the application to the others", async () => {
    const limit = createLimit({ appRequestsPerMinute: 20, clientRequestsPerMinute: 5 });
    const greedy = await passed(limit, 100, (at) => ({
      app: app("a"),
      identity: person("mallory"),
      clientId: String(at),
    }));
    expect(greedy).toBe(5);
    expect(await passed(limit, 5, () => ({ app: app("a"), identity: person("alice"), clientId: "x" }))).toBe(5);
  });

  it("count a person by issuer and subject, in each application apart", async () => {
    const limit = createLimit({ appRequestsPerMinute: 100, clientRequestsPerMinute: 5 });
    const tries = (id: string, identity: Caller["identity"]) =>
      passed(limit, 8, () => ({ app: app(id), identity, clientId: "x" }));
    expect(await tries("a", person("alice"))).toBe(5);
    expect(await tries("b", person("alice"))).toBe(5);
    expect(await tries("a", person("alice", "https://other.example"))).toBe(5);
    expect(await tries("a", person("alice"))).toBe(0);
  });

  it("count one client where no person is known", async () => {
    const limit = createLimit({ appRequestsPerMinute: 20, clientRequestsPerMinute: 5 });
    expect(await passed(limit, 8, () => ({ app: app("a"), identity: nobody, clientId: "one" }))).toBe(5);
    expect(await passed(limit, 8, () => ({ app: app("a"), identity: nobody, clientId: "two" }))).toBe(5);
  });

  it("count an application as a whole, by its own figure where it has one, apart from every other", async () => {
    const limit = createLimit({ appRequestsPerMinute: 6, clientRequestsPerMinute: 100 });
    const crowd = (id: string, own: number | null) =>
      passed(limit, 10, (at) => ({ app: app(id, own), identity: person(`p${at}`), clientId: "x" }));
    expect([await crowd("a", null), await crowd("b", 3), await crowd("c", 8)]).toEqual([6, 3, 8]);
  });

  it("name the limit and when to come again", async () => {
    const limit = createLimit({ appRequestsPerMinute: 1, clientRequestsPerMinute: 100 });
    const caller = { app: app("a"), identity: person("alice"), clientId: "x" };
    await limit(caller);
    const refused = await limit(caller).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      status: 429,
      error: "rate_limited",
      message: expect.stringContaining("application a"),
    });
    expect((refused as { retryAfterSeconds: number }).retryAfterSeconds).toBeGreaterThanOrEqual(1);
  });
});
