import { StoreUnavailable } from "@onbehalf/service-kit";
import type { Kysely, Transaction } from "kysely";
import type { GatewayTables } from "../sql/tables.ts";
import { type ChainHead, genesis } from "./chain.ts";
import type { ChainedRow } from "./row.ts";
import type { Spool } from "./spool.ts";

/** Rows per statement: below PostgreSQL's 65,535 parameters by far, and what one batch carries. */
const rowsPerStatement = 200;

/** Told of each row the database would not take. */
export type OnMisfit = (row: ChainedRow, reason: string) => void;

/**
 * Writes everything a spool holds, oldest first, each batch with its writer's new head in one transaction. A batch that
 * was written but not yet forgotten is written again without effect.
 */
export async function deliver(database: Kysely<GatewayTables>, spool: Spool, onMisfit: OnMisfit): Promise<void> {
  for (let rows = spool.peek(rowsPerStatement); rows.length > 0; rows = spool.peek(rowsPerStatement)) {
    const last = rows[rows.length - 1];
    if (last === undefined) return;
    await writeBatch(database, spool, rows, onMisfit);
    spool.remove(last.writer_seq);
  }
}

type Write = (transaction: Transaction<GatewayTables>, rows: readonly ChainedRow[]) => Promise<void>;

/** A batch that is refused for what is in it goes row by row, and the row at fault where it holds up nobody. */
async function writeBatch(
  database: Kysely<GatewayTables>,
  spool: Spool,
  rows: readonly ChainedRow[],
  onMisfit: OnMisfit,
): Promise<void> {
  const write = (some: readonly ChainedRow[], head: ChainedRow, insert: Write): Promise<void> =>
    database.transaction().execute(async (transaction) => {
      await writeHead(transaction, spool, { seq: head.writer_seq, hash: head.hash });
      await insert(transaction, some);
    });
  const last = rows[rows.length - 1];
  if (last === undefined) return;
  try {
    await write(rows, last, insertRows);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    for (const row of rows) {
      await write([row], row, insertRows).catch((reason: unknown) => {
        if (!isRefusal(reason)) throw reason;
        const words = reason instanceof Error ? reason.message.slice(0, 500) : "unknown";
        onMisfit(row, words);
        return write([row], row, (transaction) => insertMisfit(transaction, row, words));
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

async function insertRows(transaction: Transaction<GatewayTables>, rows: readonly ChainedRow[]): Promise<void> {
  await transaction
    .insertInto("request_logs")
    .values([...rows])
    .onConflict((conflict) => conflict.columns(["writer_id", "writer_seq"]).doNothing())
    .execute();
}
