import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

const yaml = `${issuers}${models}`;

/** A key that takes over from another. */
export function rotationSuite(engine: Engine): void {
  describe(`rotation of keys (${engine.name})`, () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await startTestGateway({ yaml, env: await engine.fresh() });
    });
    afterAll(() => gateway.close());

    const generate = (token: string, body: object = {}) => gateway.call("/key/generate", { token, body });

    test("both work while they overlap, then only the new one", async () => {
      const old = (await generate(masterKey, { key_alias: "rotating", models: ["claude"], rpm_limit: 50 })).json;
      const next = await gateway.call("/key/regenerate", {
        token: masterKey,
        body: { key: "rotating", grace_period: "2s" },
      });
      expect(next.json).toMatchObject({
        key_alias: "rotating",
        models: ["claude"],
        rpm_limit: 50,
        replaces: old.token_id,
      });
      expect((await gateway.chat(old.key)).status).toBe(200);
      expect((await gateway.chat(next.json.key)).status).toBe(200);
      await vi.waitFor(async () => expect((await gateway.chat(old.key)).status).toBe(401), {
        timeout: 6_000,
        interval: 250,
      });
      expect((await gateway.chat(next.json.key)).status).toBe(200);
    });

    test("who has used up his key's limits has used up the next one's", async () => {
      const budget = { max_budget: 0.0001, budget_duration: "1mo" };
      const first = (await generate(masterKey, { ...budget, key_alias: "spent", rpm_limit: 50 })).json;
      const rotate = async () =>
        (await gateway.call("/key/regenerate", { token: masterKey, body: { key: "spent", grace_period: "0s" } })).json;
      expect((await gateway.chat(first.key)).status).toBe(200);
      const second = await rotate();
      expect(second.spend).toBeGreaterThan(0.0001);
      const refused = await gateway.chat(second.key);
      expect(refused.status).toBe(429);
      expect(refused.json.error.message).toMatch(/budget/);
      await gateway.call("/key/delete", { token: masterKey, body: { keys: [first.token_id] } });
      const third = await rotate();
      expect((await gateway.chat(third.key)).status).toBe(429);
      const { json } = await gateway.call(`/key/info?key=${third.token_id}`, { token: masterKey });
      expect(json.info.spend).toBe(second.spend);

      const busy = (await generate(masterKey, { key_alias: "busy", rpm_limit: 2 })).json;
      expect((await gateway.chat(busy.key)).status).toBe(200);
      const next = await gateway.call("/key/regenerate", { token: masterKey, body: { key: "busy" } });
      expect([(await gateway.chat(next.json.key)).status, (await gateway.chat(busy.key)).status]).toEqual([200, 429]);
    });

    test("what was spent is remembered over a restart, also of a key that is deleted", async () => {
      const env = await engine.fresh();
      const first = await startTestGateway({ yaml, env });
      try {
        const call = (path: string, body: object) => first.call(path, { token: masterKey, body });
        const old = (await call("/key/generate", { max_budget: 0.0001, budget_duration: "1mo" })).json;
        expect((await first.chat(old.key)).status).toBe(200);
        const next = (await call("/key/regenerate", { key: old.token_id, grace_period: "0s" })).json;
        await call("/key/delete", { keys: [old.token_id] });
        await first.gateway.close();
        // Other counters, the same record.
        const { DATABASE_URL } = first.env;
        const again = await startTestGateway({
          yaml,
          env: { ...(await engine.fresh()), ...(DATABASE_URL === undefined ? {} : { DATABASE_URL }) },
          issuer: first.issuer,
          upstream: first.upstream,
          dataDir: first.dataDir,
        });
        expect((await again.chat(next.key)).status).toBe(429);
        await again.close();
      } finally {
        await first.close();
      }
    });
  });
}
