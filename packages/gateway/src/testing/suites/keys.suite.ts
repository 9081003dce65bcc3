import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

const yaml = `${issuers}${models}
access:
  groups:
    users: { models: [claude], routes: [llm_routes, info_routes, own_routes, "/key/*"] }
    admins: { models: ["*"], role: admin }
`;

export function keysSuite(engine: Engine): void {
  describe(`keys (${engine.name})`, () => {
    let gateway: TestGateway;
    beforeAll(async () => {
      gateway = await startTestGateway({ yaml, env: await engine.fresh() });
    });
    afterAll(() => gateway.close());

    const generate = (token: string, body: object = {}) => gateway.call("/key/generate", { token, body });
    const admin = () => gateway.token({ sub: "carol", groups: ["admins"] });

    test("an administrator's JWT makes a key, and the key calls a model", async () => {
      const made = await generate(await admin(), {
        key_alias: "app-1",
        models: ["claude"],
        duration: "30d",
        metadata: { team: "x" },
      });
      expect(made.status).toBe(200);
      expect(made.json).toMatchObject({
        key: expect.stringMatching(/^sk-[\w-]{43}$/),
        key_alias: "app-1",
        models: ["claude"],
        user_id: "app-1",
        blocked: false,
      });
      expect(Date.parse(made.json.expires)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
      expect((await gateway.chat(made.json.key)).status).toBe(200);
      expect((await gateway.chat(made.json.key, { model: "nova" })).status).toBe(403);
      expect(
        (
          await gateway.call("/v1/chat/completions", {
            headers: { "x-api-key": made.json.key },
            body: { model: "claude", messages: [{ role: "user", content: "x" }] },
          })
        ).status,
      ).toBe(200);
    });

    test("a key is seen once: no answer shows it or its hash again, and the hash opens nothing", async () => {
      const made = (await generate(masterKey, { key_alias: "once" })).json;
      const texts = [];
      for (const path of [
        `/key/info?key=${made.token_id}`,
        "/key/list?return_full_object=true",
        "/user/info?user_id=once",
        "/audit/events?limit=1000",
        "/spend/logs",
      ]) {
        const answer = await gateway.call(path, { token: masterKey });
        expect(answer.status, path).toBe(200);
        texts.push(answer.text);
      }
      const shown = texts.join("\n");
      expect(shown).toContain(made.token_id);
      expect(shown).not.toContain(made.key);
      expect(shown).not.toMatch(/\b[0-9a-f]{64}\b.*key_hash|key_hash/);
      expect(gateway.logs.text()).not.toContain(made.key);
      expect((await gateway.chat(made.token_id)).status).toBe(401);
    });

    test("what a key is called by: itself, its id, its alias", async () => {
      const made = (await generate(masterKey, { key_alias: "named", user_id: "u-7", team_id: "t-7" })).json;
      for (const name of [made.key, made.token_id, "named"]) {
        const info = await gateway.call(`/key/info?key=${name}`, { token: masterKey });
        expect(info.json).toMatchObject({ key: made.token_id, info: { user_id: "u-7", team_id: "t-7", spend: 0 } });
      }
      expect((await gateway.call("/key/info", { token: made.key })).json.key).toBe(made.token_id);
      expect((await gateway.call("/key/info?key=named", { token: (await generate(masterKey)).json.key })).status).toBe(
        404,
      );
    });

    test("rotation: both work while they overlap, then only the new one", async () => {
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

    test("an expired, a deleted and a mistyped key are 401, each in its words", async () => {
      const brief = (await generate(masterKey, { duration: "1s" })).json.key;
      const gone = (await generate(masterKey)).json;
      await gateway.call("/key/delete", { token: masterKey, body: { keys: [gone.token_id] } });
      await sleep(1_100);
      expect((await gateway.chat(brief)).json.error.message).toMatch(/expired at/);
      expect((await gateway.chat(gone.key)).json.error.message).toMatch(/not known here/);
    });

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

    test("a user's own limit is loosened by administrators only", async () => {
      const alice = await gateway.token({ sub: "alice-3", groups: ["users"] });
      const hers = (await generate(alice, { rpm_limit: 10 })).json;
      const update = (token: string, fields: object) =>
        gateway.call("/key/update", { token, body: { key: hers.token_id, ...fields } });
      expect((await update(alice, { rpm_limit: 20 })).status).toBe(403);
      expect((await update(alice, { rpm_limit: 5 })).json.rpm_limit).toBe(5);
      expect((await update(masterKey, { rpm_limit: 20 })).json).toMatchObject({ rpm_limit: 20, user_id: hers.user_id });
      expect((await gateway.chat(hers.key)).status).toBe(200);
    });

    test("an update changes what it names and nothing else", async () => {
      const made = (
        await generate(masterKey, {
          key_alias: "changing",
          user_id: "u",
          models: ["claude"],
          rpm_limit: 10,
          max_budget: 5,
          budget_duration: "1d",
        })
      ).json;
      const changed = await gateway.call("/key/update", {
        token: masterKey,
        body: { key: made.token_id, rpm_limit: 20 },
      });
      expect(changed.json).toMatchObject({
        key_alias: "changing",
        user_id: "u",
        models: ["claude"],
        rpm_limit: 20,
        max_budget: 5,
        budget_duration: "1d",
      });
      expect((await generate(masterKey, { key_alias: "changing" })).json.message).toMatch(/alias changing is taken/);
    });

    test.each([
      [{ budget_duration: "17d", max_budget: 1 }, /budgets are renewed by the calendar/],
      [{ duration: "soon" }, /duration: expected/],
      [{ allowed_routes: ["/nowhere"] }, /names no route/],
      [{ user_role: "king" }, /is no role/],
      [{ model_max_budget: {} }, /model_max_budget|Unrecognized/],
      [{ rpm_limit: -1 }, /rpm_limit/],
    ])("%j is refused with what to do", async (body, words) => {
      const answer = await generate(masterKey, body);
      expect(answer.status).toBe(400);
      expect(answer.json.message).toMatch(words);
    });

    test("every change is in the record: who, what, which key", async () => {
      const made = (await generate(await admin(), { key_alias: "audited" })).json;
      await gateway.call("/key/block", { token: masterKey, body: { key: made.token_id } });
      const { json } = await gateway.call("/audit/events", { token: masterKey });
      const of = (route: string) =>
        json.events.find(
          (row: { route: string; detail: { admin?: { keys: string[] } } }) =>
            row.route === route && row.detail.admin?.keys.includes(made.token_id),
        );
      expect(of("POST /key/generate")).toMatchObject({
        subject: "carol",
        credential: "jwt",
        role: "admin",
        detail: { admin: { action: "generate" } },
      });
      expect(of("POST /key/block")).toMatchObject({
        subject: "master-key",
        credential: "master-key",
        detail: { admin: { action: "block" } },
      });
    });

    test("Bearer and x-api-key may agree, not differ", async () => {
      const body = { model: "claude", messages: [{ role: "user", content: "x" }] };
      const both = (apiKey: string) =>
        gateway.call("/v1/chat/completions", { token: masterKey, headers: { "x-api-key": apiKey }, body });
      expect((await both(masterKey)).status).toBe(200);
      expect((await both("sk-something-else-entirely")).status).toBe(400);
      const two = { "x-api-key": masterKey, "api-key": "sk-something-else-entirely" };
      expect((await gateway.call("/v1/chat/completions", { headers: two, body })).status).toBe(400);
    });
  });

  describe(`a block on two replicas (${engine.name})`, () => {
    test("works everywhere within two seconds, for administrators' keys too", async () => {
      const env = await engine.fresh();
      const first = await startTestGateway({ yaml, env });
      const options = { yaml, env, issuer: first.issuer, upstream: first.upstream };
      const second = await startTestGateway(engine.shared ? options : { ...options, dataDir: first.dataDir });
      try {
        for (const body of [{}, { user_role: "proxy_admin" }]) {
          const made = (await first.call("/key/generate", { token: masterKey, body })).json;
          expect((await second.chat(made.key)).status).toBe(200);
          await first.call("/key/block", { token: masterKey, body: { key: made.token_id } });
          const blockedAt = performance.now();
          await vi.waitFor(async () => expect((await second.chat(made.key)).status).toBe(401), {
            timeout: 3_000,
            interval: 50,
          });
          expect(performance.now() - blockedAt).toBeLessThan(2_000);
        }
      } finally {
        await second.close();
        await first.close();
      }
    });
  });
}
