import { startRedis } from "@onbehalf/service-kit/testing";
import { createClient } from "redis";
import { describe, expect, test, vi } from "vitest";
import { issuers, models, startTestGateway } from "../testing/gateway.ts";

const yaml = (limits: string) => `${issuers}${models}\naccess: { users: { "*": { rpm: 10 } } }\nlimits: ${limits}\n`;

describe("a gateway whose Redis goes away", () => {
  test("closed: 503 with when to come back, until it is back; what needs no limit goes on", async () => {
    const redis = await startRedis();
    const gateway = await startTestGateway({
      yaml: yaml("{ when_unavailable: closed }"),
      env: { REDIS_URL: redis.url },
    });
    try {
      const token = await gateway.token();
      await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(200), 10_000);
      await redis.down();
      await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(503), 10_000);
      const refused = await gateway.chat(token);
      expect(refused.status).toBe(503);
      expect(refused.headers.get("retry-after")).toBe("1");
      expect(refused.json.error.message).toMatch(/Limits cannot be checked right now/);
      expect((await gateway.call("/v1/models", { token })).status).toBe(200);
      await redis.up();
      await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(200), {
        timeout: 10_000,
        interval: 200,
      });
    } finally {
      await gateway.close();
      await redis.stop();
    }
  });

  test("a budget whose sum Redis has lost begins with all that this gateway has recorded, be it on its way", async () => {
    const redis = await startRedis();
    const budget = "access: { users: { '*': { budget: { usd: 0.0001, period: month } } } }";
    const yaml = `${issuers}${models}\n${budget}\nlimits: { timeout_ms: 10000 }\n`;
    const gateway = await startTestGateway({ yaml, env: { REDIS_URL: redis.url } });
    try {
      const token = await gateway.token();
      await vi.waitFor(async () => expect((await gateway.chat(token)).status).toBe(200), 10_000);
      const client = await createClient({ url: redis.url }).connect();
      await client.flushAll();
      client.destroy();
      expect((await gateway.chat(token)).status).toBe(429);
    } finally {
      await gateway.close();
      await redis.stop();
    }
  });

  test("local: each replica grants its share, and says that it does", async () => {
    const redis = await startRedis();
    const gateway = await startTestGateway({
      yaml: yaml("{ when_unavailable: local, local_share: 0.3 }"),
      env: { REDIS_URL: redis.url },
    });
    try {
      const warm = await gateway.token({ sub: "warm", email: "warm@example.com" });
      await vi.waitFor(async () => expect((await gateway.chat(warm)).status).toBe(200), 10_000);
      await redis.down();
      const token = await gateway.token();
      const seen: number[] = [];
      const said: (string | null)[] = [];
      for (let index = 0; index < 8; index += 1) {
        const { status, headers } = await gateway.chat(token);
        seen.push(status);
        said.push(headers.get("x-ratelimit-remaining-requests"));
      }
      expect(seen).toEqual([200, 200, 200, 429, 429, 429, 429, 429]);
      expect(said).toEqual(["2", "1", "0", "0", "0", "0", "0", "0"]);
      await vi.waitFor(() => expect(gateway.logs.text()).toContain("the shared store is away"), 10_000);
    } finally {
      await gateway.close();
      await redis.stop();
    }
  });
});
