import type { Kysely, Transaction } from "kysely";
import type { GatewayTables } from "../sql/tables.ts";
import { type ChainHead, genesis } from "./chain.ts";
import type { ChainedRow } from "./row.ts";
import type { Spool } from "./spool.ts";

/** Rows per statement: below PostgreSQL's 65,535 parameters by far, and what one batch carries. */
const rowsPerStatement = 200;

/**
 * Writes everything a spool holds, oldest first, each batch with its writer's new head in one transaction. A batch that
 * was written but not yet forgotten is written again without effect.
 */
export async function deliver(database: Kysely<GatewayTables>, spool: Spool): Promise<void> {
  for (let rows = spool.peek(rowsPerStatement); rows.length > 0; rows = spool.peek(rowsPerStatement)) {
    const last = rows[rows.length - 1];
    if (last === undefined) return;
    await database.transaction().execute(async (transaction) => {
      await writeHead(transaction, spool, { seq: last.writer_seq, hash: last.hash });
      await insertRows(transaction, rows);
    });
    spool.remove(last.writer_seq);
  }
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
