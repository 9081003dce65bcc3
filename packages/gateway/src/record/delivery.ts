import { type SqlDialect, StoreUnavailable } from "@onbehalf/service-kit";
import { CompiledQuery, type Kysely, type Transaction } from "kysely";
import type { GatewayDatabase } from "../sql/open.ts";
import type { GatewayTables } from "../sql/tables.ts";
import { type ChainHead, genesis } from "./chain.ts";
import { type ChainedRow, rowColumns } from "./row.ts";
import type { Spool } from "./spool.ts";

/** Told of each row the database would not take. */
export type OnMisfit = (row: ChainedRow, reason: string) => void;

/**
 * Writes everything a spool holds, oldest first, each batch with its writer's new head in one transaction. A batch that
 * was written but not yet forgotten is written again without effect.
 */
export async function deliver({ kysely, dialect }: GatewayDatabase, spool: Spool, onMisfit: OnMisfit): Promise<void> {
  for (let rows = spool.peek(); rows.length > 0; rows = spool.peek()) {
    const last = rows[rows.length - 1];
    if (last === undefined) return;
    await writeBatch({ kysely, spool, insert: insertInto(dialect), onMisfit }, rows);
    spool.remove(last.writer_seq);
  }
}

type Write = (transaction: Transaction<GatewayTables>, rows: readonly ChainedRow[]) => Promise<void>;

interface Target {
  readonly kysely: Kysely<GatewayTables>;
  readonly spool: Spool;
  readonly insert: Write;
  readonly onMisfit: OnMisfit;
}

/** A batch that is refused for what is in it goes row by row, and the row at fault where it holds up nobody. */
async function writeBatch({ kysely, spool, insert, onMisfit }: Target, rows: readonly ChainedRow[]): Promise<void> {
  const write = (some: readonly ChainedRow[], how: Write): Promise<void> =>
    kysely.transaction().execute(async (transaction) => {
      const last = some[some.length - 1];
      if (last === undefined) return;
      await writeHead(transaction, spool, { seq: last.writer_seq, hash: last.hash });
      await how(transaction, some);
    });
  try {
    await write(rows, insert);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    for (const row of rows) {
      await write([row], insert).catch((reason: unknown) => {
        if (!isRefusal(reason)) throw reason;
        const words = reason instanceof Error ? reason.message.slice(0, 500) : "unknown";
        onMisfit(row, words);
        return write([row], (transaction) => insertMisfit(transaction, row, words));
      });
    }
  }
}

/** SQLSTATE class 22, data exception, and 23, constraint: the row is at fault. Anything else may pass by itself. */
function isRefusal(error: unknown): boolean {
  if (error instanceof StoreUnavailable || !(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // SQLite's extended codes keep the kind in their lowest byte.
  const kind = typeof errcode === "number" ? errcode & 0xff : undefined;
  return (typeof code === "string" && /^2[23]/.test(code)) || kind === sqliteConstraint || kind === sqliteMismatch;
}

const sqliteConstraint = 19;
const sqliteMismatch = 20;

async function insertMisfit(transaction: Transaction<GatewayTables>, row: ChainedRow, reason: string): Promise<void> {
  const { writer_id, writer_seq } = row;
  // Escaped down to ASCII: whatever it was that the database did not take, it takes this.
  const text = JSON.stringify(row).replace(
    /[\u0080-\uffff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  await transaction
    .insertInto("record_misfits")
    .values({
      writer_id,
      writer_seq,
      row: text,
      reason,
    })
    .onConflict((conflict) => conflict.columns(["writer_id", "writer_seq"]).doNothing())
    .execute();
}

/** Says how a writer ended. `lost`: it died, and up to 50 ms of rows may be missing after its last one. */
export async function writeEnding(
  database: Kysely<GatewayTables>,
  spool: Spool,
  ending: "clean" | "lost",
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    await writeHead(transaction, spool, spool.head());
    const closed = { ending, closed_at: new Date().toISOString() };
    await transaction.updateTable("record_writers").set(closed).where("writer_id", "=", spool.writerId).execute();
  });
}

async function writeHead(transaction: Transaction<GatewayTables>, spool: Spool, head: ChainHead): Promise<void> {
  const { writerId, startedAt } = spool;
  const base = genesis(writerId);
  await transaction
    .insertInto("record_writers")
    .values({
      writer_id: writerId,
      started_at: startedAt,
      base_seq: base.seq,
      base_hash: base.hash,
      head_seq: head.seq,
      head_hash: head.hash,
      closed_at: null,
      ending: null,
    })
    .onConflict((conflict) => conflict.column("writer_id").doUpdateSet({ head_seq: head.seq, head_hash: head.hash }))
    .execute();
}

const columns = [...rowColumns, "writer_id", "writer_seq", "previous_hash", "hash"] as const;
const names = columns.map((column) => `"${column}"`).join(", ");
const once = "on conflict (writer_id, writer_seq) do nothing";
const sqliteInsert = `insert into request_logs (${names}) values (${columns.map(() => "?").join(", ")}) ${once}`;
const postgresInsert = `insert into request_logs (${names}) select ${names} from json_populate_recordset(null::request_logs, $1::json) ${once}`;

/**
 * Written by hand: a query builder takes ten times as long over eight thousand values. PostgreSQL takes a batch as one
 * JSON text, SQLite row by row with a kept statement.
 */
function insertInto(dialect: SqlDialect): Write {
  if (dialect === "postgres") {
    return async (transaction, rows) =>
      void (await transaction.executeQuery(CompiledQuery.raw(postgresInsert, [JSON.stringify(rows)])));
  }
  return async (transaction, rows) => {
    for (const row of rows) {
      const values = columns.map((column) => row[column]);
      await transaction.executeQuery(CompiledQuery.raw(sqliteInsert, values));
    }
  };
}
