import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type ChainHead, genesis } from "./chain.ts";
import type { ChainedRow } from "./row.ts";

/**
 * One writer's rows on their way to the database, in a file of its own: a row is there as soon as it was appended,
 * whatever becomes of the process. The file is locked by the system while its writer lives.
 */
export interface Spool {
  readonly writerId: string;
  readonly startedAt: string;
  head(): ChainHead;
  /** As one batch, in one write. */
  append(rows: readonly ChainedRow[]): void;
  /** The oldest batch that is not delivered yet; empty when all are. */
  peek(): readonly ChainedRow[];
  /** Delivered up to here: forgets them. */
  remove(upToSeq: number): void;
  waiting(): number;
  bytes(): number;
  /** True when its writer ended in order. */
  isClean(): boolean;
  /** Says that its writer ended in order, and lets the file go. Whoever finds it may deliver what is left. */
  close(ending: "clean" | "keep"): void;
  /** Everything is delivered: closes and deletes the file. */
  discard(): void;
}

const suffix = ".spool";

export function createSpool(folder: string, writerId: string, startedAt: string): Spool {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${writerId}${suffix}`);
  const file = open(path);
  file.exec("CREATE TABLE batches (last_seq INTEGER PRIMARY KEY, size INTEGER NOT NULL, rows TEXT NOT NULL)");
  file.exec("CREATE TABLE writer (started_at TEXT, head_seq INTEGER, head_hash TEXT, ending TEXT)");
  file.prepare("INSERT INTO writer VALUES (?, 0, ?, NULL)").run(startedAt, genesis(writerId).hash);
  return spoolOf(file, path, writerId);
}

/** The spools of writers that live no more. Those whose writer still runs are locked, and left alone. */
export function abandonedSpools(folder: string): readonly Spool[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith(suffix));
  return names.flatMap((name) => {
    const path = join(folder, name);
    const file = adopt(path);
    return file === undefined ? [] : [spoolOf(file, path, name.slice(0, -suffix.length))];
  });
}

function adopt(path: string): DatabaseSync | undefined {
  let file: DatabaseSync | undefined;
  try {
    file = open(path);
    file.prepare("SELECT started_at FROM writer").get();
    return file;
  } catch {
    file?.close();
    return undefined; // its writer lives, or died before it wrote anything
  }
}

/**
 * EXCLUSIVE keeps the lock from the first write to the end of the process. NORMAL: a row survives the death of the
 * process at once, and that of the machine from the next checkpoint on.
 */
function open(path: string): DatabaseSync {
  const file = new DatabaseSync(path);
  file.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  file.exec("BEGIN IMMEDIATE; COMMIT");
  return file;
}

interface WriterState {
  readonly started_at: string;
  readonly head_seq: number;
  readonly head_hash: string;
  readonly ending: string | null;
}

function spoolOf(file: DatabaseSync, path: string, writerId: string): Spool {
  const readWriter = file.prepare("SELECT * FROM writer");
  const state = (): WriterState => readWriter.get() as unknown as WriterState;
  const insert = file.prepare("INSERT INTO batches VALUES (?, ?, ?)");
  const setHead = file.prepare("UPDATE writer SET head_seq = ?, head_hash = ?");
  const select = file.prepare("SELECT rows FROM batches ORDER BY last_seq LIMIT 1");
  const remove = file.prepare("DELETE FROM batches WHERE last_seq <= ?");
  const count = file.prepare("SELECT coalesce(sum(size), 0) AS n FROM batches");
  const pages = file.prepare(
    "SELECT (page_count - freelist_count) * page_size AS n FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
  );
  return {
    writerId,
    startedAt: state().started_at,
    head: () => ({ seq: state().head_seq, hash: state().head_hash }),
    append(rows) {
      const last = rows.at(-1);
      if (last === undefined) return;
      file.exec("BEGIN");
      try {
        insert.run(last.writer_seq, rows.length, JSON.stringify(rows));
        setHead.run(last.writer_seq, last.hash);
        file.exec("COMMIT");
      } catch (error) {
        file.exec("ROLLBACK");
        throw error;
      }
    },
    peek() {
      const oldest = select.get();
      return oldest === undefined ? [] : (JSON.parse(String(oldest.rows)) as ChainedRow[]);
    },
    remove: (upToSeq) => void remove.run(upToSeq),
    waiting: () => Number(count.get()?.n ?? 0),
    bytes: () => Number(pages.get()?.n ?? 0),
    isClean: () => state().ending === "clean",
    close(ending) {
      if (ending === "clean") file.exec("UPDATE writer SET ending = 'clean'");
      file.close();
    },
    discard() {
      file.close();
      for (const ending of ["", "-wal", "-shm"]) rmSync(`${path}${ending}`, { force: true });
    },
  };
}
