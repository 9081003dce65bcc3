import { StoreUnavailable } from "@onbehalf/service-kit";
import type { CompiledQuery } from "kysely";
import type { GatewayDatabase } from "../sql/open.ts";
import { type ChainHead, chainedRow, genesis, type Link } from "./chain.ts";
import { postgresRows } from "./postgres-rows.ts";
import type { Spool } from "./spool.ts";
import { sqliteRows } from "./sqlite-rows.ts";

/** Told of each row the database would not take, by its id. */
type OnMisfit = (id: string, reason: string) => void;

/** Writes rows into `request_logs`, those that are there already without effect. */
export interface RowWriter {
  /** As many at a time as get through for certain. */
  readonly maxRows: number;
  /** All of them and the writer's new head, or nothing. */
  write(rows: readonly Link[], head: CompiledQuery): Promise<void>;
  close(): void;
}

interface Delivery {
  /**
   * Writes what a spool holds by now, oldest first, with its writer's new head. What was written but not yet forgotten is
   * written again without effect.
   */
  deliver(spool: Spool): Promise<void>;
  /** Says how a writer ended. `lost`: it died, and up to 50 ms of rows may be missing after its last one. */
  end(spool: Spool, ending: "clean" | "lost"): Promise<void>;
  close(): void;
}

/** The database has its tables when anything is delivered. */
export function createDelivery({ kysely, path }: GatewayDatabase, onMisfit: OnMisfit): Delivery {
  const writer = path === undefined ? postgresRows(kysely) : sqliteRows(path);

  /** A batch that is refused for what is in it is halved, until the row at fault is alone and holds up nobody. */
  async function insert(spool: Spool, rows: readonly Link[]): Promise<void> {
    const last = rows.at(-1);
    if (last === undefined) return;
    try {
      await writer.write(rows, headOf(spool, last));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      if (rows.length === 1) return insertMisfit(spool, last, error.message.slice(0, 500));
      const middle = Math.ceil(rows.length / 2);
      await insert(spool, rows.slice(0, middle));
      await insert(spool, rows.slice(middle));
    }
  }

  async function insertMisfit(spool: Spool, link: Link, reason: string): Promise<void> {
    const row = chainedRow(link);
    onMisfit(row.id, reason);
    // Escaped down to ASCII: whatever it was that the database did not take, it takes this.
    const text = JSON.stringify(row).replace(
      /[\u0080-\uffff]/g,
      (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
    await kysely.transaction().execute(async (transaction) => {
      await transaction.executeQuery(headOf(spool, link));
      await transaction
        .insertInto("record_misfits")
        .values({ writer_id: row.writer_id, writer_seq: row.writer_seq, row: text, reason })
        .onConflict((conflict) => conflict.columns(["writer_id", "writer_seq"]).doNothing())
        .execute();
    });
  }

  /** Never back: rows that were written before their writer died are written again. */
  function headOf({ writerId, startedAt }: Spool, head: ChainHead): CompiledQuery {
    const base = genesis(writerId);
    return kysely
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
      .onConflict((conflict) =>
        conflict
          .column("writer_id")
          .doUpdateSet({ head_seq: head.seq, head_hash: head.hash })
          .where("record_writers.head_seq", "<", head.seq),
      )
      .compile();
  }

  return {
    async deliver(spool) {
      const upTo = spool.head().seq;
      for (let rows = spool.oldest(); rows.length > 0; rows = spool.oldest()) {
        for (let start = 0; start < rows.length; start += writer.maxRows) {
          await insert(spool, rows.slice(start, start + writer.maxRows));
        }
        const last = rows.at(-1)?.seq ?? 0;
        spool.forget();
        if (last >= upTo) return;
      }
    },
    end: (spool, ending) =>
      kysely.transaction().execute(async (transaction) => {
        await transaction.executeQuery(headOf(spool, spool.head()));
        const closed = { ending, closed_at: new Date().toISOString() };
        await transaction.updateTable("record_writers").set(closed).where("writer_id", "=", spool.writerId).execute();
      }),
    close: () => writer.close(),
  };
}

/** SQLSTATE class 22, data exception, and 23, constraint: the row is at fault. Anything else may pass by itself. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof StoreUnavailable || !(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  // SQLite's extended codes keep the kind in their lowest byte.
  const kind = typeof errcode === "number" ? errcode & 0xff : undefined;
  return (typeof code === "string" && /^2[23]/.test(code)) || kind === sqliteConstraint || kind === sqliteMismatch;
}

const sqliteConstraint = 19;
const sqliteMismatch = 20;
