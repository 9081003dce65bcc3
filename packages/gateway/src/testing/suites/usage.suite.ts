import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProgram } from "../../commands/program.ts";
import { createQueries } from "../../record/queries.ts";
import { verifyRecord } from "../../record/verify.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../../sql/open.ts";
import { masterKey, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

/** What the record tells: sums, exports, LiteLLM's views, the guides' query. */
export function usageSuite(engine: Engine): void {
  describe(`usage (${engine.name})`, () => {
    let gateway: TestGateway;
    let database: GatewayDatabase;
    beforeEach(async () => {
      gateway = await startTestGateway({ env: await engine.fresh() });
      database = await openGatewayDatabase({ url: gateway.env.DATABASE_URL, dataDir: gateway.dataDir });
    });
    afterEach(async () => {
      await database.close();
      await gateway.close();
    });

    const fill = async (count: number): Promise<void> => {
      const token = await gateway.token();
      for (let index = 0; index < count; index += 1) await gateway.chat(token);
      await gateway.gateway.flush(10_000);
    };

    test("keys made on the command line are recorded, and work", async () => {
      const lines: string[] = [];
      const io = { print: (text: string) => void lines.push(text), write: () => {}, setExitCode: () => {} };
      const run = (...args: string[]) => createProgram(gateway.env, io).parseAsync(["node", "gateway", ...args]);
      await run("keys", "generate", "--alias", "from-cli", "--models", "claude", "--rpm", "5");
      const made = JSON.parse(lines.join(""));
      expect(made).toMatchObject({ key_alias: "from-cli", models: ["claude"], rpm_limit: 5 });
      expect((await gateway.chat(made.key)).status).toBe(200);
      await run("keys", "block", "from-cli");
      const { json } = await gateway.call("/audit/events?limit=1000", { token: masterKey });
      const routes = json.events.map(({ route }: { route: string }) => route);
      expect(routes).toEqual(expect.arrayContaining(["CLI keys generate", "CLI keys block"]));
      expect((await verifyRecord(database)).findings).toEqual([]);
    });

    test("sums by day, model, user; own rows only for others; LiteLLM's summary", async () => {
      await fill(3);
      await gateway.chat(await gateway.token({ sub: "bob", email: "bob@example.com", groups: ["developers"] }), {
        model: "nova",
      });
      const today = new Date().toISOString().slice(0, 10);
      const report = await gateway.call("/spend/report?group_by=day,model,user", { token: masterKey });
      expect(report.json.rows).toEqual(
        expect.arrayContaining([
          expect.objectContaining({
            group: { day: today, model: "claude", user: "alice@example.com" },
            requests: 3,
            tokens: 54,
            unpriced: 0,
          }),
          expect.objectContaining({
            group: { day: today, model: "nova", user: "bob@example.com" },
            requests: 1,
            tokens: 18,
          }),
        ]),
      );
      const own = await gateway.call("/spend/report?group_by=user", { token: await gateway.token() });
      expect(own.json.rows.map(({ group }: { group: { user: string } }) => group.user)).toEqual(["alice@example.com"]);
      const logs = await gateway.call("/spend/logs?limit=1000", { token: await gateway.token() });
      expect(logs.json.find(({ total_tokens: tokens }: { total_tokens: number }) => tokens > 0)).toMatchObject({
        user: "alice@example.com",
        model_group: "claude",
        prompt_tokens: 11,
        completion_tokens: 7,
        spend: expect.any(Number),
        startTime: expect.any(String),
      });
      const summary = await gateway.call(`/spend/logs?start_date=${today}&end_date=${today}`, { token: masterKey });
      expect(summary.json).toEqual([
        {
          startTime: today,
          spend: expect.any(Number),
          users: expect.objectContaining({ "alice@example.com": expect.any(Number) }),
          models: expect.objectContaining({ claude: expect.any(Number) }),
        },
      ]);
    });

    test("users called as every object's properties are have their sums like anybody else", async () => {
      await fill(1);
      const [row] = await database.kysely.selectFrom("request_logs").selectAll().execute();
      if (row === undefined) throw new Error("no row");
      for (const [index, name] of ["constructor", "__proto__"].entries()) {
        const mine = { id: name, user_id: name, model: name, cost_usd: 1, request_time: "2026-01-01T00:00:00.000Z" };
        const added = { ...row, ...mine, writer_seq: 1000 + index };
        await database.kysely.insertInto("request_logs").values(added).execute();
      }
      const { json } = await gateway.call("/spend/logs?start_date=2026-01-01&end_date=2026-01-01", {
        token: masterKey,
      });
      const sums = [
        ["__proto__", 1],
        ["constructor", 1],
      ];
      expect(Object.entries(json[0].users).sort()).toEqual(sums);
      expect(Object.entries(json[0].models).sort()).toEqual(sums);
    });

    test("an export holds every row, and a spreadsheet finds no formula in it", async () => {
      await fill(2);
      await gateway.chat(await gateway.token({ sub: "eve", email: "=cmd|' /C calc'!A0", groups: ["users"] }));
      const jsonl = await gateway.call("/audit/events?format=jsonl", { token: masterKey });
      const events = jsonl.text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(events.filter(({ route }) => route === "POST /v1/chat/completions")).toHaveLength(3);
      const csv = await gateway.call("/audit/events?format=csv", { token: masterKey });
      expect(csv.headers.get("content-type")).toContain("text/csv");
      expect(csv.text.split("\r\n")[0]).toMatch(/^id,request_time,user_id/);
      expect(csv.text).toContain("'=cmd|' /C calc'!A0");
    });

    test("an export names no row twice, and leaves none out, also when rows come late", async () => {
      await fill(1);
      const [row] = await database.kysely.selectFrom("request_logs").selectAll().execute();
      if (row === undefined) throw new Error("no row");
      const ids: string[] = [];
      const put = (second: number) => {
        const request_time = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
        const added = { ...row, id: `row ${ids.length}`, writer_seq: 1000 + ids.length, request_time };
        ids.push(added.id);
        return database.kysely.insertInto("request_logs").values(added).execute();
      };
      // Several of one moment, so that the pages have to end within one.
      for (let index = 0; index < 9; index += 1) await put(index >> 2);
      const { pages } = createQueries(database, async () => {});
      const seen: string[] = [];
      for await (const page of pages({ readable: { kind: "all" } }, 2)) {
        seen.push(...page.map(({ id }) => id));
        if (seen.length <= 4) await put(100);
      }
      expect(seen).toHaveLength(new Set(seen).size);
      expect(seen).toEqual(expect.arrayContaining([row.id, ...ids.slice(0, 9)]));
    });

    test("an unknown price is null and said, not nothing", async () => {
      await gateway.close();
      const yaml = `
issuers: [{ issuer: "{issuer}", audience: llm-gateway }]
model_list: [{ model_name: own, litellm_params: { model: bedrock/acme.unknown-v1:0, aws_region_name: us-east-1 } }, { model_name: priced, litellm_params: { model: bedrock/acme.other-v1:0, aws_region_name: us-east-1 } }]
prices: { "acme.other-v1:0": { input: 1000000, output: 2000000 } }
`;
      const other = await startTestGateway({ yaml, env: await engine.fresh() });
      try {
        const token = await other.token();
        await other.chat(token, { model: "own" });
        await other.chat(token, { model: "priced" });
        const { json } = await other.call("/audit/events", { token });
        const cost = Object.fromEntries(
          json.events
            .filter(({ model }: { model: string }) => model !== null)
            .map((row: { model: string; cost_usd: number }) => [row.model, row.cost_usd]),
        );
        expect(cost).toEqual({ own: null, priced: 11 + 2 * 7 });
        expect(other.logs.text()).toContain("no price is known");
        expect((await other.call("/spend/report?group_by=model", { token })).json.rows).toEqual(
          expect.arrayContaining([expect.objectContaining({ group: { model: "own" }, unpriced: 1 })]),
        );
      } finally {
        await other.close();
        gateway = await startTestGateway({ env: await engine.fresh() });
      }
    });

    test("the query of the guides works as it stands", async () => {
      await fill(2);
      const text = "SELECT user_id, model, request_time, tokens FROM request_logs ORDER BY request_time DESC LIMIT 10;";
      const { rows: found } = await sql
        .raw<{ user_id: string; model: string; tokens: number }>(text)
        .execute(database.kysely);
      expect(found.filter(({ model }) => model === "claude")).toHaveLength(2);
      expect(found[found.length - 1]).toMatchObject({ user_id: "alice@example.com", model: "claude", tokens: 18 });
    });
  });
}
