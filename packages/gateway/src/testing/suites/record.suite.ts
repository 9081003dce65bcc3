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
      for (const model of ["a\u0000b", "\ud800", "x".repeat(512), "\u202e", "'; DROP TABLE request_logs; --"]) {
        expect((await gateway.chat(token, { model })).status).toBe(404);
      }
      expect((await gateway.chat(token, { model: "x".repeat(513) })).status).toBe(400);
      gateway.upstream.usage = { inputTokens: 1e15, outputTokens: 0.5 };
      expect((await gateway.chat(token)).status).toBe(200);
      const { status, json } = await gateway.call("/audit/events", { token });
      expect(status).toBe(200);
      expect(json.events.filter(({ route }: { route: string }) => route === "POST /v1/chat/completions")).toHaveLength(
        7,
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
      for (const row of ["", "null", "[]", "7", '{"writer_seq":', '{"writer_seq":"1"}']) {
        await database.kysely.updateTable("record_misfits").set({ row }).execute();
        const { findings } = await verifyRecord(database);
        expect(findings, row).toContainEqual(
          expect.objectContaining({ seq: misfits[0]?.writer_seq, problem: expect.stringContaining("was altered") }),
        );
      }
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
      const misfit = { row: "{}", reason: "forged" };
      await database.kysely
        .insertInto("record_misfits")
        .values([
          { ...misfit, writer_id: "no one", writer_seq: 1 },
          { ...misfit, writer_id: first.writer_id, writer_seq: 999 },
        ])
        .execute();
      const { findings } = await verifyRecord(database);
      expect(findings).toContainEqual(
        expect.objectContaining({ writer: "no one", seq: 1, problem: expect.stringContaining("not registered") }),
      );
      expect(findings).toContainEqual(
        expect.objectContaining({ writer: first.writer_id, seq: 999, problem: expect.stringContaining("lies beyond") }),
      );
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
        output: expect.stringMatching(/head {4}writer .*\n.* rows of 1 writer: intact/),
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

    test("retention removes a chain whose rows are all old, and one that fails keeps no other from it", async () => {
      await fill(3);
      const [first] = await rows();
      const [writer] = await database.kysely.selectFrom("record_writers").selectAll().execute();
      if (first === undefined || writer === undefined) throw new Error("no row");
      const times = { request_time: "2020-01-01T00:00:00.000Z" };
      for (const id of ["broken", "silent"]) {
        await database.kysely
          .insertInto("record_writers")
          .values({ ...writer, writer_id: id, head_seq: 1 })
          .execute();
        await database.kysely
          .insertInto("request_logs")
          .values({ ...first, ...times, id: `of ${id}`, writer_id: id, writer_seq: 1 })
          .execute();
      }
      const constraint = engine.shared
        ? sql`alter table record_writers add constraint odd check (writer_id <> 'broken' or base_seq = 0)`
        : sql`create trigger odd before update on record_writers when new.writer_id = 'broken' begin select raise(abort, 'odd'); end`;
      await constraint.execute(database.kysely);
      const fresh = (await rows()).filter(({ writer_id: id }) => id === writer.writer_id);
      await expect(removeOldRows(database, 1, Date.now())).rejects.toThrow(/^1 of 3 .*; 1 rows/);
      expect((await rows()).map(({ id }) => id).sort()).toEqual(["of broken", ...fresh.map(({ id }) => id)].sort());
      const ends = await database.kysely.selectFrom("record_writers").select(["writer_id", "base_seq"]).execute();
      expect(new Map(ends.map((end) => [end.writer_id, end.base_seq]))).toEqual(
        new Map([
          [writer.writer_id, 0],
          ["broken", 0],
          ["silent", 1],
        ]),
      );
    });
  });
}
