import { afterEach, describe, expect, it } from "vitest";
import { type Jar, step, walkToCallback } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage | undefined;
afterEach(async () => {
  await stage?.close();
  stage = undefined;
});

const ready = async (of: Stage): Promise<{ status: string; causes: Record<string, string> }> =>
  (await fetch(`${of.publicUrl}/system/ready`)).json() as never;

describe("with the identity provider down", () => {
  it("answers whose token is cached, says 503 to a new exchange, and recovers by itself", async () => {
    stage = await startStage();
    const [alice, bob] = [stage.person(), stage.person()];
    await alice.signIn("alice");
    await bob.signIn("bob");
    expect((await alice.post("/api/v1/voicebox/ask", { query: "x" })).status).toBe(200);
    await stage.stopProvider();

    expect((await alice.post("/api/v1/voicebox/ask", { query: "x" })).status).toBe(200);
    const refused = await bob.post("/api/v1/voicebox/ask", { query: "x" });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(((await refused.json()) as { message: string }).message).toMatch(/[a-z ]{20}/i);

    await stage.startProvider();
    await expect
      .poll(async () => (await bob.post("/api/v1/voicebox/ask", { query: "x" })).status, {
        timeout: 15_000,
        interval: 300,
      })
      .toBe(200);
  });

  it("says to who comes back from it that nothing but time is missing, and when to come again", async () => {
    stage = await startStage();
    const busy: Jar = new Map();
    const callback = new URL(await walkToCallback(stage, busy, "alice"));
    const answered = new URL(callback);
    answered.searchParams.delete("code");
    answered.searchParams.set("error", "temporarily_unavailable");
    const refused = await step(busy, answered.href);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);

    const jar: Jar = new Map();
    const back = await walkToCallback(stage, jar, "alice");
    await stage.stopProvider();
    const failed = await step(jar, back);
    expect([failed.status, failed.headers.get("retry-after")]).toEqual([503, "5"]);
    const again = await step(jar, back);
    expect([again.status, again.headers.get("retry-after")]).toEqual([400, null]);
  });

  it("starts without it, says why it is not ready, shows the sign-in page, and gets ready by itself", async () => {
    stage = await startStage({ providerDown: true });
    const state = await ready(stage);
    expect(state.status).toBe("not_ready");
    expect(state.causes.okta).toContain("cannot be reached");
    expect((await fetch(`${stage.publicUrl}/`)).status).toBe(200);
    const login = await fetch(`${stage.publicUrl}/login`, { redirect: "manual" });
    expect([login.status, login.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await login.text()).toContain("cannot be reached at the moment");

    await stage.startProvider();
    const running = stage;
    await expect.poll(async () => (await ready(running)).status, { timeout: 20_000, interval: 300 }).toBe("ready");
    const alice = stage.person();
    expect((await alice.signIn("alice")).status).toBe(200);
  });

  it("refuses to start when the provider names another issuer", async () => {
    await expect(
      startStage({ env: { OKTA_DOMAIN: "http://localhost:1" } }).then((started) => started.close()),
    ).resolves.toBeUndefined();
    const real = await startStage();
    stage = real;
    const { port } = new URL(real.provider().issuerUrl("default"));
    // 127.0.0.1 reaches the same server, whose document says localhost.
    await expect(startStage({ env: { OKTA_DOMAIN: `http://127.0.0.1:${port}` } })).rejects.toThrow(
      /names another issuer/,
    );
  });
});

describe("with Voicebox down", () => {
  it("says that the question was not asked, and when to come again", async () => {
    stage = await startStage();
    const alice = stage.person();
    await alice.signIn("alice");
    await stage.voicebox.service.close();
    const answer = await alice.post("/api/v1/voicebox/ask", { query: "x" });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await answer.json()).toMatchObject({ error: "voicebox_unavailable" });

    const carol = stage.person();
    await carol.signIn("carol");
    const page = await (await carol.fetch(`${stage.publicUrl}/admin`)).text();
    expect(page).toContain("The chain has a problem");
    expect(page).toContain("Voicebox cannot be reached at the moment");
  });
});

describe("with the provider's keys just rotated", () => {
  it("lets people in at the first try, before and after", async () => {
    stage = await startStage();
    const base = new URL(stage.provider().issuerUrl("default")).origin;
    await stage.person().signIn("alice");
    const rotation = await fetch(`${base}/sandbox/keys/rotate`, { method: "POST", body: '{"keepOld": false}' });
    expect(rotation.status).toBe(200);
    const bob = stage.person();
    expect((await bob.signIn("bob")).status).toBe(200);
    expect((await bob.post("/api/v1/voicebox/ask", { query: "x" })).status).toBe(200);
  });
});

describe("with the provider's keys out of reach", () => {
  it("does not spend a login's refresh token while the keys that verify the answer cannot be had", async () => {
    stage = await startStage({ provider: { lifetimes: { accessTokenSeconds: 10 } } });
    const alice = stage.person();
    await alice.signIn("alice");
    // Past half of its life the token is renewed before it is used; a process that has just started has no keys yet.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    await stage.restart();
    const faults = `${stage.provider().url}/sandbox/faults`;
    const fault = JSON.stringify({ endpoint: "keys", fault: "5xx", count: 100 });
    await fetch(faults, { method: "POST", headers: { "content-type": "application/json" }, body: fault });
    await alice.post("/api/v1/voicebox/ask", { query: "x" });
    await fetch(faults, { method: "DELETE" });
    await expect
      .poll(async () => (await alice.post("/api/v1/voicebox/ask", { query: "x" })).status, { timeout: 15_000 })
      .toBe(200);
  });
});
