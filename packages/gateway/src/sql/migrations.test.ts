import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { chainedRow, genesis, type Link, link } from "../record/chain.ts";
import { createDelivery } from "../record/delivery.ts";
import { createRowOf } from "../record/draft.ts";
import { createSpool } from "../record/spool.ts";
import { verifyRecord } from "../record/verify.ts";
import { migrations, namespace } from "./migrations.ts";
import { type GatewayDatabase, openGatewayDatabase } from "./open.ts";

let dataDir: string;
let database: GatewayDatabase;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "migrations-"));
  database = await openGatewayDatabase({ url: undefined, dataDir });
});
afterEach(async () => {
  await database.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const rowOf = createRowOf();
function fields(id: string): string {
  const requestTime = "2026-11-22T10:00:00.000Z";
  const draft = { id, requestTime, traceId: "t", requestId: id, route: "GET /x", detail: {} };
  return rowOf(draft, { status: 200, aborted: false, durationMs: 1 }).fields;
}

/** As the recorder does it. */
async function deliver(writerId: string, ids: readonly string[]): Promise<void> {
  const spool = createSpool(join(dataDir, "spool"), writerId, "2026-11-22T10:00:00.000Z");
  const rows: Link[] = [];
  for (const id of ids) rows.push(link(fields(id), writerId, rows.at(-1) ?? spool.head()));
  spool.append(rows);
  const delivery = createDelivery(database, (_, reason) => expect.fail(reason));
  await delivery.deliver(spool);
  await delivery.end(spool, "clean");
  delivery.close();
  spool.discard();
}

async function indices(): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`select name from pragma_index_list('request_logs')`.execute(
    database.kysely,
  );
  return rows.map(({ name }) => name).sort();
}

/** What SQLite says of its way to the rows. */
async function planOf(condition: ReturnType<typeof sql>): Promise<string> {
  const { rows } = await sql<{
    detail: string;
  }>`explain query plan select * from request_logs where ${condition} order by request_time desc limit 10`.execute(
    database.kysely,
  );
  return rows.map(({ detail }) => detail).join("; ");
}

test("a new file has an index for each question that is asked, and none for ids", async () => {
  await database.migrate(namespace, migrations);
  const names = ["chain", "subject", "team", "time", "trace"].map((name) => `request_logs_${name}`);
  expect(await indices()).toEqual(names);
  const time = "2026-11-01T00:00:00.000Z";
  const plans = {
    chain: await planOf(sql`writer_id = ${"w"} and writer_seq > ${1}`),
    subject: await planOf(sql`issuer = ${"i"} and subject = ${"s"}`),
    team: await planOf(sql`team_id = ${"t"} and request_time >= ${time}`),
    time: await planOf(sql`request_time >= ${time}`),
    trace: await planOf(sql`trace_id = ${"t"}`),
  };
  for (const [name, plan] of Object.entries(plans)) expect(plan).toContain(`USING INDEX request_logs_${name} `);
});

test("rows that an earlier version wrote stay as they are, and new ones follow", async () => {
  await database.migrate(namespace, migrations.slice(0, 3));
  await deliver("earlier", ["a", "b"]);
  const before = await indices();
  expect(await database.migrate(namespace, migrations)).toEqual(migrations.slice(3).map(({ name }) => name));
  expect(await indices()).toEqual(before);
  await deliver("later", ["c"]);
  expect(await verifyRecord(database)).toMatchObject({ writers: 2, rows: 3, findings: [], lost: [] });
});

test("a row that comes twice is there once", async () => {
  await database.migrate(namespace, migrations);
  await deliver("w", ["a", "b"]);
  await deliver("w", ["a", "b"]);
  const rows = await database.kysely.selectFrom("request_logs").select("id").orderBy("writer_seq").execute();
  expect(rows).toEqual([{ id: "a" }, { id: "b" }]);
  const stored = await database.kysely.selectFrom("request_logs").selectAll().executeTakeFirstOrThrow();
  expect({ ...stored, stream: false }).toEqual(chainedRow(link(fields("a"), "w", genesis("w"))));
});
