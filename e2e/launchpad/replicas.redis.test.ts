import { startRedis } from "@onbehalf/service-kit/testing";
import { describe, expect, it } from "vitest";
import { replicaSuite } from "./replicas.ts";
import { startStage } from "./stage.ts";

replicaSuite("Redis", async () => {
  const server = await startRedis();
  const env = { REDIS_URL: server.url, ENCRYPTION_SECRET: "a-secret-for-what-lies-in-redis-0123456789" };
  return { env, stop: () => server.stop() };
});

describe("the trail of two replicas on one Redis", () => {
  it("is one: B shows its owner what A did, and nobody else", async () => {
    const server = await startRedis();
    const env = { REDIS_URL: server.url, ENCRYPTION_SECRET: "a-secret-for-what-lies-in-redis-0123456789" };
    const stage = await startStage({ replicas: 2, env });
    try {
      const [alice, bob] = [stage.person(), stage.person()];
      await alice.signIn("alice");
      await bob.signIn("bob");
      const asked = await alice.post("/api/v1/voicebox/ask", { query: "x" });
      const traceId = asked.headers.get("traceparent")?.split("-")[1];
      stage.voicebox.behave((c, { path }) => (path.startsWith("/api/trail/") ? c.json({ hops: [] }) : undefined));
      const seen = async (who: typeof alice): Promise<unknown[]> => {
        const answer = await who.fetch(`${stage.replicas[1]?.url}/api/trail/${traceId}`);
        return ((await answer.json()) as { hops: unknown[] }).hops;
      };
      await expect
        .poll(() => seen(alice), { timeout: 5_000 })
        .toMatchObject([{ service: "launchpad", identity: { subject: "alice" } }]);
      expect(await seen(bob)).toEqual([]);
    } finally {
      await stage.close();
      await server.stop();
    }
  });
});

describe("limits of two replicas on one Redis", () => {
  it("are counted together", async () => {
    const server = await startRedis();
    const env = {
      REDIS_URL: server.url,
      ENCRYPTION_SECRET: "a-secret-for-what-lies-in-redis-0123456789",
      API_CLIENT_RPM: "4",
    };
    const stage = await startStage({ replicas: 2, env });
    try {
      const alice = stage.person();
      await alice.signIn("alice");
      const statuses: number[] = [];
      for (let at = 0; at < 6; at += 1) {
        const url = `${stage.replicas[at % 2]?.url}/api/v1/voicebox/ask`;
        const headers = { origin: stage.publicUrl, "content-type": "application/json" };
        statuses.push((await alice.fetch(url, { method: "POST", headers, body: '{"query":"x"}' })).status);
      }
      expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    } finally {
      await stage.close();
      await server.stop();
    }
  });
});

describe("with Redis down", () => {
  it("says 503 and why it is not ready, lets nobody in by mistake, and recovers by itself", async () => {
    const server = await startRedis();
    const env = { REDIS_URL: server.url, ENCRYPTION_SECRET: "a-secret-for-what-lies-in-redis-0123456789" };
    const stage = await startStage({ env });
    try {
      const alice = stage.person();
      await alice.signIn("alice");
      const token = await stage.tokenOf("alice");
      const program = { authorization: `Bearer ${token}`, "x-voicebox-app-key": stage.appKey, "x-client-id": "test" };
      await server.down();
      const answer = await alice.fetch(`${stage.publicUrl}/api/session`);
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      // A program brings all it needs: it goes on, each replica counting for itself.
      const headers = { ...program, "content-type": "application/json" };
      const asked = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
        method: "POST",
        headers,
        body: '{"query":"x"}',
      });
      expect(asked.status).toBe(200);
      const ready = async () =>
        (await (await fetch(`${stage.publicUrl}/system/ready`)).json()) as { causes: Record<string, string> };
      await expect.poll(async () => Object.keys((await ready()).causes), { timeout: 5_000 }).toContain("sessions");
      await server.up();
      await expect
        .poll(async () => (await fetch(`${stage.publicUrl}/system/ready`)).status, { timeout: 15_000 })
        .toBe(200);
    } finally {
      await stage.close();
      await server.stop();
    }
  });
});
