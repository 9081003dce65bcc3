import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** How long a writer waits for another process or thread that is writing. */
export const busyTimeoutMs = 5_000;

/**
 * Opens the file, made with its folder when absent, for its owner alone. Write-ahead logging lets others read meanwhile; `normal`
 * synchronisation loses at most the last moments on a power cut, never the file. Also for worker threads: each thread
 * opens its own.
 * @param waitMs how long a statement blocks its thread while another writer is busy
 */
export function openSqlite(path: string, waitMs = busyTimeoutMs): DatabaseSync {
  if (path !== ":memory:") makePrivately(path);
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma journal_size_limit = 67108864");
  database.exec(`pragma busy_timeout = ${waitMs}`);
  return database;
}

/**
 * Whoever has a file open goes on reading and writing it when it is deleted or another is put in its place, and all of
 * that is lost when he ends. @returns what throws when the file at the path is not the one that was there before
 */
export function createFileCheck(path: string): () => void {
  if (path === ":memory:") return () => {};
  const known = identityOf(path);
  return () => {
    if (identityOf(path) === known) return;
    throw new Error(`The file ${basename(path)} was deleted or replaced while it was in use: start the service anew.`);
  };
}

function identityOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? undefined : `${found.dev} ${found.ino}`;
}

/**
 * SQLite itself would let everyone on the machine read it. Its `-wal` and `-shm` files take over the file's mode. A file that
 * is there is not opened: to close it again would take away every lock that this process has on it, SQLite's of other
 * connections too, and the next reader from outside would take the database for unused and delete what it holds.
 */
export function makePrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "ax", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** What kind of failure SQLite tells of; its extended codes keep the kind in their lowest byte. */
export function sqliteKind(error: unknown): number | undefined {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
}

/** SQLITE_BUSY: somebody else writes. Nothing of the statement has happened yet. */
export function isSqliteBusy(error: unknown): boolean {
  return sqliteKind(error) === 5;
}
