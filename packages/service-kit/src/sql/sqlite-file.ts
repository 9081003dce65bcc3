import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
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
  if (path !== ":memory:") make(path);
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  database.exec("pragma journal_mode = wal; pragma synchronous = normal; pragma journal_size_limit = 67108864");
  database.exec(`pragma busy_timeout = ${waitMs}`);
  return database;
}

/** SQLite itself would let everyone on the machine read it. Its `-wal` and `-shm` files take over the file's mode. */
function make(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
}
