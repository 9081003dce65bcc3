import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createProgram } from "../../commands/program.ts";
import { removeOldRows } from "../../record/retention.ts";
import { verifyRecord } from "../../record/verify.ts";
import { type GatewayDatabase, openGatewayDatabase } from "../../sql/open.ts";
import { masterKey, startTestGateway, type TestGateway } from "../gateway.ts";
import type { Engine } from "./engine.ts";

export function recordSuite(engine: Engine): void {
  describe(`the record (${engine.name})`, () => {
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

    const fill = async (count: number): Promise<string[]> => {
      const token = await gateway.token();
      for (let index = 0; index < count; index += 1) await gateway.chat(token);
      const { json } = await gateway.call("/audit/events", { token: masterKey });
      return json.events.map(({ id }: { id: string }) => id).reverse();
    };
    const rows = () => database.kysely.selectFrom("request_logs").selectAll().orderBy("writer_seq").execute();

    test("an untouched record is intact", async () => {
      await fill(5);
      expect(await verifyRecord(database)).toMatchObject({ findings: [], lost: [], writers: 1 });
    });

    test("an altered row is named, whichever column", async () => {
      await fill(3);
      const [, second] = await rows();
      for (const change of [
        { user_id: "mallory" },
        { cost_usd: 0 },
        { tokens: 1 },
        { request_time: "2020-01-01T00:00:00.000Z" },
        { stream: true },
      ]) {
        const before = await database.kysely
          .selectFrom("request_logs")
          .selectAll()
          .where("id", "=", second?.id ?? "")
          .executeTakeFirstOrThrow();
        await database.kysely.updateTable("request_logs").set(change).where("id", "=", before.id).execute();
        const { findings } = await verifyRecord(database);
        expect(findings, JSON.stringify(change)).toEqual([
          expect.objectContaining({ seq: 2, id: before.id, problem: expect.stringContaining("altered or moved") }),
        ]);
        const back = Object.fromEntries(
          Object.keys(change).map((column) => [column, before[column as keyof typeof before]]),
        );
        await database.kysely.updateTable("request_logs").set(back).where("id", "=", before.id).execute();
        expect((await verifyRecord(database)).findings).toEqual([]);
      }
    });

    test("a deleted row, in the middle and at the end, is missed", async () => {
      await fill(4);
      const all = await rows();
      await database.kysely
        .deleteFrom("request_logs")
        .where("id", "=", all[1]?.id ?? "")
        .execute();
      expect((await verifyRecord(database)).findings).toEqual([
        expect.objectContaining({ seq: 2, problem: "row 2 is missing" }),
      ]);
      await database.kysely.deleteFrom("request_logs").where("writer_seq", ">", 2).execute();
      expect((await verifyRecord(database)).findings.map(({ problem }) => problem)).toEqual([
        expect.stringMatching(/rows 2 to \d+ are missing/),
      ]);
    });

    test("a row with any text in it is recorded, verified, and holds up nobody", async () => {
      const token = await gateway.token();
      for (const model of ["a\u0000b", "\ud800", "x".repeat(5_000), "\u202e", "'; DROP TABLE request_logs; --"]) {
        expect((await gateway.chat(token, { model })).status).toBe(403);
      }
      gateway.upstream.usage = { inputTokens: 1e15, outputTokens: 0.5 };
      expect((await gateway.chat(token)).status).toBe(200);
      const { status, json } = await gateway.call("/audit/events", { token });
      expect(status).toBe(200);
      expect(json.events.filter(({ route }: { route: string }) => route === "POST /v1/chat/completions")).toHaveLength(
        6,
      );
      expect((await verifyRecord(database)).findings).toEqual([]);
    });

    test("a row that the database refuses is kept beside, and the chain has no hole", async () => {
      await fill(1);
      const constraint = engine.shared
        ? sql`alter table request_logs add constraint odd check (user_id <> 'odd@example.com')`
        : sql`create trigger odd before insert on request_logs when new.user_id = 'odd@example.com' begin select raise(abort, 'odd'); end`;
      await constraint.execute(database.kysely);
      await gateway.chat(await gateway.token({ sub: "odd", email: "odd@example.com" }));
      await fill(2);
      const misfits = await database.kysely.selectFrom("record_misfits").selectAll().execute();
      expect(misfits.map(({ row }) => JSON.parse(row).user_id)).toEqual(["odd@example.com"]);
      expect((await verifyRecord(database)).findings).toEqual([]);
      await database.kysely
        .updateTable("record_misfits")
        .set({ row: misfits[0]?.row.replace("odd@", "even@") ?? "" })
        .execute();
      expect((await verifyRecord(database)).findings).toHaveLength(1);
    });

    test.each(["%00", "a%00b"])("%s in a query is 400, times out of range are too", async (value) => {
      const paths = [
        `/key/info?key=${value}`,
        `/key/list?user_id=${value}`,
        `/audit/events?user=${value}`,
        `/spend/logs?user_id=${value}`,
        `/user/info?user_id=${value}`,
        `/team/info?team_id=${value}`,
        "/spend/logs?start_date=0000-01-01",
        "/spend/logs?start_date=2026-01-01&end_date=9999-12-31",
        "/audit/events?from=9999-12-31T00:00:00Z",
      ];
      for (const path of paths) expect((await gateway.call(path, { token: masterKey })).status, path).toBe(400);
      for (const body of [{ key_alias: "n\u0000" }, { user_id: "\ud800" }, { metadata: { "\u0000": 1 } }]) {
        expect((await gateway.call("/key/generate", { token: masterKey, body })).status, JSON.stringify(body)).toBe(
          400,
        );
      }
    });

    test("two rows that changed places are named", async () => {
      await fill(4);
      const [, second, third] = await rows();
      const place = (id: string | undefined, seq: number) =>
        database.kysely
          .updateTable("request_logs")
          .set({ writer_seq: seq })
          .where("id", "=", id ?? "")
          .execute();
      await place(second?.id, 999);
      await place(third?.id, 2);
      await place(second?.id, 3);
      const { findings } = await verifyRecord(database);
      expect(new Set(findings.map(({ id }) => id))).toEqual(expect.objectContaining(new Set([second?.id, third?.id])));
    });

    test("a row nobody wrote is named", async () => {
      await fill(2);
      const [first] = await rows();
      if (first === undefined) throw new Error("no row");
      await database.kysely
        .insertInto("request_logs")
        .values({ ...first, id: "forged", writer_id: "nobody", request_time: "2026-01-01T00:00:00.000Z" })
        .execute();
      expect((await verifyRecord(database)).findings).toEqual([
        { writer: "nobody", seq: 1, id: "forged", problem: expect.stringContaining("not registered") },
      ]);
    });

    test("the command names the row and exits 1; intact it exits 0", async () => {
      await fill(3);
      const verify = async () => {
        const lines: string[] = [];
        let code = 0;
        const program = createProgram(gateway.env, {
          print: (text) => void lines.push(text),
          write: () => {},
          setExitCode: (next) => {
            code = next;
          },
        });
        await program.parseAsync(["node", "gateway", "audit", "verify", "--heads"]);
        return { output: lines.join("\n"), code };
      };
      expect(await verify()).toMatchObject({
        code: 0,
        output: expect.stringMatching(/head {4}writer .*\n.* rows of 1 writers: intact/),
      });
      await database.kysely
        .updateTable("request_logs")
        .set({ user_id: "mallory" })
        .where("writer_seq", "=", 2)
        .execute();
      const [, second] = await rows();
      expect(await verify()).toMatchObject({
        code: 1,
        output: expect.stringContaining(`row 2 (id ${second?.id}): was altered`),
      });
    });

    test("retention removes the oldest rows, and what is left is intact", async () => {
      await fill(6);
      const all = await rows();
      const cut = all[2]?.request_time;
      const cutMs = new Date(cut ?? 0).getTime();
      const removed = await removeOldRows(database, 1, cutMs + 86_400_000 + 1);
      expect(removed).toBeGreaterThanOrEqual(3);
      expect(await verifyRecord(database)).toMatchObject({ findings: [] });
      const left = new Set((await rows()).map(({ id }) => id));
      expect(all.filter(({ id }) => left.has(id))).toHaveLength(all.length - removed);
      // Cutting further by hand is not retention.
      const [oldest] = await rows();
      await database.kysely
        .deleteFrom("request_logs")
        .where("id", "=", oldest?.id ?? "")
        .execute();
      expect((await verifyRecord(database)).findings).toHaveLength(1);
    });

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
