import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { createSeal } from "../session/seal.ts";
import { type Attempt, createAttempts } from "./attempt.ts";

/** A browser that begins logins and comes back, and a clock. */
function stage() {
  let now = Date.UTC(2026, 0, 1);
  const attempts = createAttempts(createSeal("s".repeat(40), "login"), false, () => now);
  const app = new Hono()
    .get("/begin/:provider", async (c) => c.json(await attempts.begin(c, c.req.param("provider"), "/")))
    .get("/take/:provider/:state", async (c) =>
      c.json((await attempts.take(c, c.req.param("provider"), c.req.param("state"))) ?? null),
    );
  let cookie = "";
  const visit = async (path: string) => {
    const answer = await app.request(path, { headers: { cookie } });
    const [line] = answer.headers.getSetCookie();
    if (line !== undefined) cookie = line.split(";")[0] ?? "";
    return (await answer.json()) as Attempt | null;
  };
  return {
    begin: async (provider: string) => (await visit(`/begin/${provider}`))?.state ?? "",
    take: (provider: string, state: string) => visit(`/take/${provider}/${state}`),
    later: (ms: number) => {
      now += ms;
    },
    cookie: () => cookie,
  };
}

describe("a login on its way", () => {
  it("is found by provider and state, once, and leaves nothing behind", async () => {
    const { begin, take, cookie } = stage();
    const [first, second] = [await begin("okta"), await begin("okta")];
    expect(await take("okta", first)).toMatchObject({ state: first, provider: "okta" });
    expect(await take("okta", first)).toBeNull();
    expect(await take("okta", second)).toMatchObject({ state: second });
    expect(cookie()).toBe("onbehalf_login=");
  });

  it("is not found at another provider's callback", async () => {
    const { begin, take } = stage();
    const state = await begin("okta");
    expect(await take("keycloak", state)).toBeNull();
    expect(await take("okta", state)).toMatchObject({ state });
  });

  it("is over after ten minutes, also for a browser that keeps its cookie longer", async () => {
    const { begin, take, later } = stage();
    const [early, late] = [await begin("okta"), await begin("okta")];
    later(599_999);
    expect(await take("okta", early)).toMatchObject({ state: early });
    later(1);
    expect(await take("okta", late)).toBeNull();
  });

  it("makes room for newer ones, so that the cookie stays one that browsers keep", async () => {
    const { begin, take, cookie } = stage();
    const states = [];
    for (let index = 0; index < 20; index += 1) states.push(await begin("okta"));
    expect(cookie().length).toBeLessThan(3_800);
    expect(await take("okta", states.at(-4) ?? "")).toBeNull();
    expect(await take("okta", states.at(-3) ?? "")).toMatchObject({ state: states.at(-3) });
  });
});
