import type { Log } from "@onbehalf/service-kit";
import type { GatewayDatabase } from "../sql/open.ts";
import type { RecordWritersTable } from "../sql/tables.ts";

const dayMs = 86_400_000;
const everyMs = 3_600_000;

/**
 * Removes rows older than the policy says, from the beginning of each chain only, and notes where the chain now begins:
 * what is left can still be verified. One chain that cannot be shortened keeps no other from it.
 * @returns rows removed
 * @throws Error after the last chain, with what went wrong first as its cause
 */
export async function removeOldRows(
  { kysely }: GatewayDatabase,
  retentionDays: number,
  nowMs: number,
): Promise<number> {
  const cutoff = new Date(nowMs - retentionDays * dayMs).toISOString();
  const writers = await kysely.selectFrom("record_writers").selectAll().execute();
  const failures: unknown[] = [];
  let removed = 0;
  for (const writer of writers) {
    try {
      removed += await shorten({ kysely }, writer, cutoff);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 0) return removed;
  const reached = `${failures.length} of ${writers.length} writers' chains could not be shortened`;
  throw new Error(`${reached}; ${removed} rows of the others were removed`, { cause: failures[0] });
}

async function shorten(
  { kysely }: Pick<GatewayDatabase, "kysely">,
  writer: RecordWritersTable,
  cutoff: string,
): Promise<number> {
  const { writer_id: id } = writer;
  return kysely.transaction().execute(async (transaction) => {
    const firstKept = await transaction
      .selectFrom("request_logs")
      .select((builder) => builder.fn.min("writer_seq").as("seq"))
      .where("writer_id", "=", id)
      .where("request_time", ">=", cutoff)
      .executeTakeFirst();
    const seq = firstKept?.seq ?? undefined;
    // The age is asked for again: between the two questions a fresh row may have come.
    const old = transaction
      .selectFrom("request_logs")
      .select(["writer_seq", "hash"])
      .where("writer_id", "=", id)
      .where("request_time", "<", cutoff);
    const last = await (seq === undefined ? old : old.where("writer_seq", "<", seq))
      .orderBy("writer_seq", "desc")
      .limit(1)
      .executeTakeFirst();
    if (last === undefined) return 0;
    await transaction
      .updateTable("record_writers")
      .set({ base_seq: last.writer_seq, base_hash: last.hash })
      .where("writer_id", "=", id)
      .where("base_seq", "<", last.writer_seq)
      .execute();
    await transaction
      .deleteFrom("record_misfits")
      .where("writer_id", "=", id)
      .where("writer_seq", "<=", last.writer_seq)
      .execute();
    const result = await transaction
      .deleteFrom("request_logs")
      .where("writer_id", "=", id)
      .where("writer_seq", "<=", last.writer_seq)
      .executeTakeFirst();
    return Number(result.numDeletedRows);
  });
}

interface RetentionOptions {
  readonly database: GatewayDatabase;
  readonly migrated: () => Promise<void>;
  /** As the rules in force say; undefined keeps everything. */
  readonly retentionDays: () => number | undefined;
  readonly log: Pick<Log, "info" | "warn">;
}

/** A leap of the clock that makes rows older than they are; what daylight saving and slow time servers do is less. */
const leapMs = 2 * everyMs;

export interface Clocks {
  /** Milliseconds since the epoch, and of a monotonic clock. */
  readonly wallMs: () => number;
  readonly now: () => number;
}

/**
 * A clock that is set forward makes everything old at once, and what is removed stays removed: after a leap somebody has a
 * day to set it back. @returns by how much the clock leapt, while that was less than a day ago
 */
export function createLeapWatch({ wallMs, now }: Clocks): () => number | undefined {
  let ahead = wallMs() - now();
  let leap: { readonly ms: number; readonly at: number } | undefined;
  return () => {
    const leaptMs = wallMs() - now() - ahead;
    if (Math.abs(leaptMs) >= leapMs) {
      ahead += leaptMs;
      // Set back to where it was, all is well.
      const together = leaptMs + (leap?.ms ?? 0);
      leap = together < leapMs ? undefined : { ms: together, at: now() };
    }
    if (leap !== undefined && now() - leap.at >= dayMs) leap = undefined;
    return leap?.ms;
  };
}

/** Once an hour. Replicas may do it side by side. @returns what ends it */
export function startRetention({ database, migrated, retentionDays, log }: RetentionOptions): () => void {
  const leapt = createLeapWatch({ wallMs: Date.now, now: () => performance.now() });
  const run = async (): Promise<void> => {
    const days = retentionDays();
    const leap = leapt();
    if (days === undefined) return;
    if (leap !== undefined) {
      log.warn({ leap_hours: Math.round(leap / everyMs) }, "record: the clock was set forward; retention waits a day");
      return;
    }
    await migrated();
    const removed = await removeOldRows(database, days, Date.now());
    if (removed > 0) log.info({ removed, retention_days: days }, "record: old rows removed by retention");
  };
  const tick = (): void => void run().catch((error: unknown) => log.warn({ err: error }, "record: retention failed"));
  const timer = setInterval(tick, everyMs);
  timer.unref();
  tick();
  return () => clearInterval(timer);
}
