import { existsSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { type ChainHead, genesis } from "./chain.ts";

/**
 * What is known of one writer beside its rows. The file is locked by the system while its writer lives: the one way to
 * tell a living writer from a dead one.
 */
export interface WriterFile {
  readonly startedAt: string;
  /** Up to here its rows are in the database. */
  delivered(): ChainHead;
  setDelivered(head: ChainHead): void;
  /** True when its writer ended in order. */
  isClean(): boolean;
  close(ending: "clean" | "keep"): void;
  remove(): void;
}

/** @throws when the disk does not take it; nothing is left of it then, since on a full disk it is tried again and again */
export function createWriterFile(path: string, writerId: string, startedAt: string): WriterFile {
  if (existsSync(path)) throw new TypeError(`The writer ${writerId} has a file already.`);
  let file: DatabaseSync | undefined;
  try {
    file = open(path);
    file.exec("BEGIN; CREATE TABLE writer (started_at TEXT, delivered_seq INTEGER, delivered_hash TEXT, ending TEXT)");
    file.prepare("INSERT INTO writer VALUES (?, 0, ?, NULL)").run(startedAt, genesis(writerId).hash);
    file.exec("COMMIT");
    return writerFileOf(file, path);
  } catch (error) {
    file?.close();
    remove(path);
    throw error;
  }
}

/** Undefined while its writer lives, and where there is none: one that died before it wrote anything. */
export function adoptWriterFile(path: string): WriterFile | undefined {
  let file: DatabaseSync | undefined;
  try {
    file = open(path);
    return writerFileOf(file, path);
  } catch {
    file?.close();
    return undefined;
  }
}

/** EXCLUSIVE keeps the lock from the first write to the end of the process. */
function open(path: string): DatabaseSync {
  const file = new DatabaseSync(path);
  try {
    file.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    file.exec("BEGIN IMMEDIATE; COMMIT");
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function remove(path: string): void {
  for (const ending of ["", "-wal", "-shm"]) rmSync(`${path}${ending}`, { force: true });
}

interface WriterState {
  readonly started_at: string;
  readonly delivered_seq: number;
  readonly delivered_hash: string;
  readonly ending: string | null;
}

function writerFileOf(file: DatabaseSync, path: string): WriterFile {
  const select = file.prepare("SELECT * FROM writer");
  const update = file.prepare("UPDATE writer SET delivered_seq = ?, delivered_hash = ?");
  const state = (): WriterState => select.get() as unknown as WriterState;
  return {
    startedAt: state().started_at,
    delivered: () => ({ seq: state().delivered_seq, hash: state().delivered_hash }),
    setDelivered: ({ seq, hash }) => void update.run(seq, hash),
    isClean: () => state().ending === "clean",
    close(ending) {
      if (ending === "clean") file.exec("UPDATE writer SET ending = 'clean'");
      file.close();
    },
    remove() {
      file.close();
      remove(path);
    },
  };
}
