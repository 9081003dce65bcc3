import { setTimeout as sleep } from "node:timers/promises";
import { createTestIssuer } from "@onbehalf/shared-auth/testing";
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

    test("a key is its issuer's person's: one of the same name at another issuer has no part in it", async () => {
      const partner = await createTestIssuer({ path: "/oauth2/partner" });
      const trusted = `  - { issuer: "${partner.issuer}", audience: llm-gateway, dialect: okta }\n`;
      const both = await startTestGateway({ yaml: yaml.replace(models, trusted + models), env: await engine.fresh() });
      const twin = await partner.mint({ aud: "llm-gateway", sub: "alice", groups: ["users"] });
      const alice = await both.token();
      const { json: made } = await both.call("/key/generate", { token: alice, body: { key_alias: "hers" } });
      const named = { token: twin, body: { key: "hers" } };
      const refused = [
        await both.call("/key/info?key=hers", { token: twin }),
        await both.call("/key/block", named),
        await both.call("/key/update", named),
        await both.call("/key/delete", { token: twin, body: { keys: [made.token_id] } }),
      ];
      expect(refused.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
      const listed = async (token: string) => (await both.call("/key/list", { token })).json.total_count;
      expect([await listed(twin), await listed(alice)]).toEqual([0, 1]);
      const seen = (await both.call("/audit/events", { token: twin })).json.events;
      expect(new Set(seen.map(({ issuer }: { issuer: string }) => issuer))).toEqual(new Set([partner.issuer]));
      expect((await both.chat(made.key)).status).toBe(200);
      await both.close();
      await partner.close();
    });

    test("a key that is replaced works no longer than it was given, whatever grace is asked for", async () => {
      const made = (await generate(await admin(), { duration: "1h" })).json;
      const body = { key: made.token_id, grace_period: "30d" };
      const { json } = await gateway.call("/key/regenerate", { token: await admin(), body });
      expect([json.replaced.expires, json.expires]).toEqual([made.expires, made.expires]);
    });

    test("a key is shown by its last four characters, where it is shown", async () => {
      const made = (await generate(masterKey, { key_alias: "hinted" })).json;
      expect((await gateway.call("/key/info?key=hinted", { token: masterKey })).json.info.key_name).toBe(
        `sk-...${made.key.slice(-4)}`,
      );
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

    test("a customer is shown his own key and his models, and no other's", async () => {
      const open = await startTestGateway({ yaml: issuers + models, env: await engine.fresh() });
      const made = async (body: object) =>
        (await open.call("/key/generate", { token: masterKey, body: { models: ["claude"], ...body } })).json;
      const [his, other] = [await made({ user_role: "customer" }), await made({})];
      const ask = (path: string) => open.call(path, { token: his.key });
      expect((await ask("/key/info")).json.key).toBe(his.token_id);
      expect((await ask(`/key/info?key=${other.token_id}`)).status).toBe(404);
      const { data } = (await ask("/model/info")).json;
      expect(data.map(({ model_name }: { model_name: string }) => model_name)).toEqual(["claude"]);
      expect((await ask("/team/info?team_id=crew-7")).status).toBe(403);
      expect((await ask("/key/list")).status).toBe(403);
      await open.close();
    });

    test("a team's keys are shown to administrators; a member is shown his own", async () => {
      const member = (sub: string) => gateway.token({ sub, groups: ["users"], team: "crew-7" });
      const [alice, bob] = [await member("alice-7"), await member("bob-7")];
      const [hers, his] = [(await generate(alice)).json, (await generate(bob)).json];
      expect([hers.team_id, his.team_id]).toEqual(["crew-7", "crew-7"]);
      const shown = async (token: string): Promise<string[]> => {
        const { json } = await gateway.call("/team/info?team_id=crew-7", { token });
        return json.keys.map((key: { token_id: string }) => key.token_id).sort();
      };
      expect(await shown(alice)).toEqual([hers.token_id]);
      expect(await shown(await admin())).toEqual([hers.token_id, his.token_id].sort());
    });

    test("an expired, a deleted and a mistyped key are 401, each in its words", async () => {
      const brief = (await generate(masterKey, { duration: "1s" })).json.key;
      const gone = (await generate(masterKey)).json;
      await gateway.call("/key/delete", { token: masterKey, body: { keys: [gone.token_id] } });
      await sleep(1_100);
      expect((await gateway.chat(brief)).json.error.message).toMatch(/expired at/);
      expect((await gateway.chat(gone.key)).json.error.message).toMatch(/not known here/);
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

    test("null takes limits and names away, and opens nothing", async () => {
      const bounds = {
        user_id: "u-null",
        team_id: "t-null",
        user_role: "viewer",
        models: ["claude"],
        allowed_routes: ["/v1/models"],
        duration: "1h",
        blocked: true,
        budget_duration: "1d",
        max_budget: 5,
      };
      const made = (await generate(masterKey, { ...bounds, key_alias: "nulled", metadata: { a: 1 }, rpm_limit: 3 }))
        .json;
      const changed = async (body: object) =>
        (await gateway.call("/key/update", { token: masterKey, body: { key: made.token_id, ...body } })).json;
      const nothing = { ...Object.fromEntries(Object.keys(bounds).map((name) => [name, null])), key_type: null };
      const { duration: _, ...kept } = bounds;
      expect(await changed({ ...nothing, max_budget: 5 })).toMatchObject({ ...kept, expires: made.expires });
      const taken = { key_alias: null, metadata: null, rpm_limit: null, max_budget: null };
      expect(await changed(taken)).toMatchObject({ key_alias: null, metadata: {}, rpm_limit: null, max_budget: null });
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
