import { afterAll, beforeAll, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.close());

const question = { query: "Who is Bob?" };

it("without the identity provider: cached tokens go on, a new exchange is refused in words, and all recovers by itself", async () => {
  const [alice, bob] = [chain.person(), chain.person()];
  await Promise.all([alice.signIn("alice"), bob.signIn("bob")]);
  expect((await alice.post("/api/v1/voicebox/ask", question)).status).toBe(200);

  await chain.sandbox.stopIdentityProvider();
  try {
    const cached = await alice.post("/api/v1/voicebox/ask", question);
    expect(cached.status).toBe(200);
    expect(((await cached.json()) as { result: string }).result).toContain("Bob");

    const fresh = await bob.post("/api/v1/voicebox/ask", question);
    expect(fresh.status).toBe(503);
    expect(Number(fresh.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    const { message } = (await fresh.json()) as { message: string };
    expect(message).toMatch(/\w+ \w+ \w+/);
    expect(message).not.toMatch(/ECONNREFUSED|fetch failed|undefined/);
  } finally {
    await chain.sandbox.startIdentityProvider();
  }
  await expect
    .poll(async () => (await bob.post("/api/v1/voicebox/ask", question)).status, { timeout: 45_000, interval: 1_000 })
    .toBe(200);
}, 90_000);

it("keys rotated under way: tokens of the new key are accepted at once", async () => {
  const rotated = await fetch(`${chain.urls.identityProvider}/sandbox/keys/rotate`, { method: "POST" });
  expect(rotated.status).toBeLessThan(300);
  const carol = chain.person();
  await carol.signIn("carol");
  expect((await carol.post("/api/v1/voicebox/ask", question)).status).toBe(200);
});
