import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

const yaml = `${issuers}${models}
access:
  groups:
    users: { models: [claude], routes: [llm_routes, info_routes, own_routes, "/key/*"] }
    admins: { models: ["*"], role: admin }
  keys: { batch: { rpm: 2 }, fast: { rpm: 100 }, "*": { rpm: 50 } }
`;

/** Nobody gives more than he has, whichever way he tries. */
export function boundsSuite(engine: Engine): void {
  describe(`what a key may be given (${engine.name})`, () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await startTestGateway({ yaml, env: await engine.fresh() });
    });
    afterAll(() => gateway.close());
    const generate = (token: string, body: object = {}) => gateway.call("/key/generate", { token, body });

    test("a user's key never has more than he has", async () => {
      const alice = await gateway.token({ sub: "alice", groups: ["users"] });
      const refused = [
        [{ models: ["nova"] }, /the model nova is beyond what you have/],
        [{ models: ["*"] }, /beyond what you have/],
        [{ models: ["claude*"] }, /beyond what you have/],
        [{ allowed_routes: ["management_routes"] }, /beyond what you have|the route/],
        [{ allowed_routes: ["*"] }, /the route/],
        [{ user_id: "bob" }, /administrator only/],
        [{ team_id: "finance" }, /administrator only/],
        [{ user_role: "proxy_admin" }, /its maker's role/],
      ] as const;
      for (const [body, words] of refused.filter(([body]) => !("allowed_routes" in body))) {
        const answer = await generate(alice, body);
        expect(answer.status, JSON.stringify(body)).toBe(403);
        expect(answer.json.message).toMatch(words);
      }
      const mine = (await generate(alice, { models: ["claude"] })).json;
      expect((await gateway.chat(mine.key)).status).toBe(200);
      expect((await gateway.chat(mine.key, { model: "nova" })).status).toBe(403);
      const rows = await gateway.call("/audit/events?outcome=ok", { token: alice });
      expect(
        rows.json.events.some(
          (row: { key_id: string; subject: string }) => row.key_id === mine.token_id && row.subject === "alice",
        ),
      ).toBe(true);
    });

    test("a user sees and changes his own keys only, and does not undo a block", async () => {
      const alice = await gateway.token({ sub: "alice-2", groups: ["users"] });
      const bob = await gateway.token({ sub: "bob-2", groups: ["users"] });
      const hers = (await generate(alice)).json;
      expect((await gateway.call(`/key/info?key=${hers.token_id}`, { token: bob })).status).toBe(404);
      expect((await gateway.call("/key/block", { token: bob, body: { key: hers.token_id } })).status).toBe(404);
      expect((await gateway.call("/key/list", { token: bob })).json.keys).not.toContain(hers.token_id);
      expect((await gateway.call("/key/list", { token: alice })).json.keys).toEqual([hers.token_id]);
      expect((await gateway.call("/key/block", { token: alice, body: { key: hers.token_id } })).status).toBe(200);
      expect((await gateway.call("/key/unblock", { token: alice, body: { key: hers.token_id } })).status).toBe(403);
      expect(
        (await gateway.call("/key/update", { token: alice, body: { key: hers.token_id, blocked: false } })).status,
      ).toBe(403);
      expect((await gateway.call("/key/regenerate", { token: alice, body: { key: hers.token_id } })).status).toBe(403);
      expect((await gateway.call("/key/unblock", { token: masterKey, body: { key: hers.token_id } })).status).toBe(200);
    });

    test("a key that makes keys hands on its own bounds", async () => {
      const maker = (
        await generate(masterKey, {
          models: ["nova"],
          allowed_routes: ["/key/generate", "/chat/completions"],
          duration: "1h",
        })
      ).json;
      const child = (await generate(maker.key)).json;
      expect(child).toMatchObject({
        models: ["nova"],
        allowed_routes: ["/key/generate", "/chat/completions"],
        expires: maker.expires,
      });
      expect((await generate(maker.key, { models: ["claude"] })).status).toBe(403);
      expect((await generate(maker.key, { allowed_routes: ["/key/delete"] })).status).toBe(403);
      expect((await gateway.chat(child.key, { model: "claude" })).status).toBe(403);
      expect((await gateway.chat(child.key, { model: "nova" })).status).toBe(200);
    });

    test("a key that may manage keys does not escape its own bounds", async () => {
      const operator = (fields: object) =>
        generate(masterKey, {
          user_id: "bob",
          allowed_routes: ["/key/*", "llm_api_routes"],
          models: ["nova"],
          ...fields,
        });
      const strong = (await generate(masterKey, { user_id: "bob", user_role: "admin" })).json;
      const wide = (await generate(masterKey, { user_id: "bob", models: ["*"] })).json;
      const free = (await operator({})).json;
      const limited = (await operator({ rpm_limit: 2, max_budget: 0.01 })).json;
      const post = (path: string, token: string, body: object) => gateway.call(path, { token, body });
      for (const other of [strong, wide]) {
        expect((await post("/key/regenerate", free.key, { key: other.token_id })).status).toBe(403);
        expect((await post("/key/update", free.key, { key: other.token_id, metadata: {} })).status).toBe(403);
      }
      expect((await post("/key/update", free.key, { key: free.token_id, models: ["*"] })).status).toBe(403);
      expect((await post("/key/update", free.key, { key: free.token_id, models: [] })).json.models).toEqual(["nova"]);
      expect((await post("/key/update", free.key, { key: free.token_id, user_role: "admin" })).status).toBe(403);
      expect(
        (await post("/key/update", free.key, { key: limited.token_id, rpm_limit: null, max_budget: null })).status,
      ).toBe(403);
      expect(
        (await post("/key/update", limited.key, { key: limited.token_id, max_budget: null, rpm_limit: 1_000_000 }))
          .status,
      ).toBe(403);
      expect((await generate(limited.key)).json.message).toMatch(/limits of its own/);
      expect((await post("/key/regenerate", limited.key, { key: limited.token_id })).status).toBe(403);
      expect((await generate(free.key, { models: ["nova"] })).status).toBe(200);
    });

    test("an administrator's key hands on no more than it names", async () => {
      const bound = (
        await generate(masterKey, { user_role: "admin", models: ["nova"], allowed_routes: ["/key/*"], duration: "1h" })
      ).json;
      const child = await generate(bound.key, { user_role: "admin" });
      expect(child.json).toMatchObject({
        models: ["nova"],
        allowed_routes: ["/key/*"],
        expires: bound.expires,
        user_role: "admin",
      });
      expect((await generate(bound.key, { models: ["*"] })).status).toBe(403);
      expect((await generate(bound.key, { allowed_routes: ["*"] })).status).toBe(403);
      expect((await generate(bound.key, { duration: "30d" })).status).toBe(403);
      const limited = (await generate(masterKey, { user_role: "admin", max_budget: 1 })).json;
      expect((await generate(limited.key)).status).toBe(403);
    });

    test("no length of time is long enough to come before the end that was set", async () => {
      const alice = await gateway.token({ sub: "alice-4", groups: ["users"] });
      const maker = (await generate(masterKey, { allowed_routes: ["/key/*"], duration: "1h" })).json;
      const hers = (await generate(alice, { duration: "1h" })).json;
      // Beyond the year 9999, which ISO 8601 writes with a sign before it.
      for (const duration of ["999999d", "999999w", "999999mo"]) {
        const prolonged = await gateway.call("/key/update", { token: alice, body: { key: hers.token_id, duration } });
        expect(prolonged.status, duration).toBe(403);
        expect((await generate(maker.key, { duration })).status, duration).toBe(403);
      }
      const rotated = await gateway.call("/key/regenerate", {
        token: alice,
        body: { key: hers.token_id, grace_period: "999999w" },
      });
      expect(rotated.json).toMatchObject({ expires: hers.expires, replaced: { expires: hers.expires } });
    });

    test("a limit that goes by the alias is not left behind with it", async () => {
      const post = (path: string, token: string, body: object) => gateway.call(path, { token, body });
      const alice = await gateway.token({ sub: "alice-5", groups: ["users"] });
      const chosen = await generate(alice, { key_alias: "fast" });
      expect(chosen.json.message).toMatch(/alias under which its limits are looser/);
      const hers = (await generate(alice, { key_alias: "batch" })).json;
      for (const alias of ["fast", "other", null]) {
        const renamed = await post("/key/update", alice, { key: hers.token_id, key_alias: alias });
        expect(renamed.status, String(alias)).toBe(403);
      }
      expect((await post("/key/update", masterKey, { key: hers.token_id, key_alias: "other" })).status).toBe(200);

      const operator = { key_alias: "batch", user_id: "bob", allowed_routes: ["/key/*", "llm_api_routes"] };
      const limited = (await generate(masterKey, operator)).json;
      expect((await generate(limited.key)).json.message).toMatch(/limits of its own/);
      expect((await post("/key/update", limited.key, { key: limited.token_id, key_alias: "fast" })).status).toBe(403);
      const free = (await generate(masterKey, { ...operator, key_alias: "free" })).json;
      expect((await generate(free.key)).status).toBe(200);
      expect((await generate(free.key, { key_alias: "fast" })).json.message).toMatch(/looser than those of this key/);
    });

    test("rotated, a key that is limited by its alias stays so while it still works", async () => {
      const old = (await generate(masterKey, { key_alias: "batch-2" })).json;
      await gateway.call("/key/update", { token: masterKey, body: { key: "batch", key_alias: "was-batch" } });
      await gateway.call("/key/update", { token: masterKey, body: { key: old.token_id, key_alias: "batch" } });
      const next = (await gateway.call("/key/regenerate", { token: masterKey, body: { key: "batch" } })).json;
      const answers = [];
      for (const { key } of [old, old, old, next]) answers.push(await gateway.chat(key));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 429]);
    });

    test("a user's own limit is loosened by administrators only", async () => {
      const alice = await gateway.token({ sub: "alice-3", groups: ["users"] });
      const hers = (await generate(alice, { rpm_limit: 10 })).json;
      const update = (token: string, fields: object) =>
        gateway.call("/key/update", { token, body: { key: hers.token_id, ...fields } });
      expect((await update(alice, { rpm_limit: 20 })).status).toBe(403);
      expect((await update(alice, { rpm_limit: 5 })).json.rpm_limit).toBe(5);
      const { expires } = (await update(alice, { duration: "1h" })).json;
      expect((await update(alice, { duration: "2h" })).json.message).toMatch(/only an administrator prolongs/);
      expect((await update(alice, { duration: "-1" })).status).toBe(403);
      expect((await update(alice, { duration: null })).json.expires).toBe(expires);
      expect((await update(masterKey, { rpm_limit: 20 })).json).toMatchObject({ rpm_limit: 20, user_id: hers.user_id });
      expect((await gateway.chat(hers.key)).status).toBe(200);
    });
  });
}
