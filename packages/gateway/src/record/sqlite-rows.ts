import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { createFileCheck, isSqliteBusy, openSqlite } from "@onbehalf/service-kit";
import { chainedColumns, chainedValues, type Link } from "./chain.ts";
import type { RowWriter } from "./delivery.ts";

/** How long others that write are waited for: in short looks, since this thread has rows to put on disk meanwhile. */
const busyMs = 5_000;
const lookMs = 10;
/** Inserted at a stretch, in some milliseconds. */
const stretchRows = 250;

/**
 * A transaction of thousands of rows stays in memory until it is committed; with SQLite's own 2 MB it would be written
 * twice. Its log is written back apart from the commit, see below.
 */
const settings = "pragma cache_size = -16384; pragma wal_autocheckpoint = 0";
/** Pages of 4 KB that the log holds at most before it is written back. */
const maxLogPages = 2_000;

const names = chainedColumns.map((column) => `"${column}"`).join(", ");
const places = chainedColumns.map(() => "?").join(", ");
const insert = `insert into request_logs (${names}) values (${places}) on conflict (writer_id, writer_seq) do nothing`;
const streamColumn = chainedColumns.indexOf("stream");

/** A connection of its own and a kept statement: a promise for each row would cost more than the row. */
export function sqliteRows(path: string): RowWriter {
  let database: DatabaseSync | undefined;
  let statement: StatementSync | undefined;
  let check = (): void => {};
  const open = (): DatabaseSync => {
    const opened = openSqlite(path, lookMs);
    check = createFileCheck(path);
    opened.exec(settings);
    return opened;
  };
  return {
    // What a file of rows holds.
    maxRows: Number.POSITIVE_INFINITY,
    async write(rows, head) {
      database ??= open();
      statement ??= database.prepare(insert);
      const [file, insertRow] = [database, statement];
      // Rows that went into a file nobody will find would be missing; on disk they wait for the next start.
      check();
      await begin(file);
      try {
        file.prepare(head.sql).run(...(head.parameters as SQLInputValue[]));
        for (let start = 0; start < rows.length; start += stretchRows) {
          for (const row of rows.slice(start, start + stretchRows)) insertRow.run(...valuesOf(row));
          await setImmediate();
        }
        file.exec("commit");
      } catch (error) {
        if (file.isOpen && file.isTransaction) file.exec("rollback");
        throw error;
      }
      await writeBack(file);
    },
    close() {
      database?.close();
      database = undefined;
      statement = undefined;
    },
  };
}

/** Takes the write lock at once, so that nothing after it finds the database busy. */
async function begin(database: DatabaseSync): Promise<void> {
  for (const deadline = performance.now() + busyMs; ; await sleep(lookMs)) {
    try {
      return database.exec("begin immediate");
    } catch (error) {
      if (!isSqliteBusy(error) || performance.now() >= deadline) throw error;
    }
  }
}

/** By itself, since a commit takes milliseconds already: rows that came meanwhile go to disk between the two. */
async function writeBack(database: DatabaseSync): Promise<void> {
  await setImmediate();
  const log = database.prepare("pragma wal_checkpoint(noop)").get();
  if (Number(log?.log) - Number(log?.checkpointed) >= maxLogPages) database.exec("pragma wal_checkpoint(passive)");
}

/** SQLite has no truth values. */
function valuesOf(row: Link): SQLInputValue[] {
  const values = chainedValues(row);
  values[streamColumn] = values[streamColumn] === true ? 1 : 0;
  return values as SQLInputValue[];
}
