import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Log } from "@onbehalf/service-kit";
import type { DatabasePlace } from "../sql/open.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";
import type { EndedRow } from "./row.ts";

/** Where rows go. Recording takes no time of the request: rows leave for the worker in batches. */
export interface Recorder {
  record(row: Pick<EndedRow, "fields">): void;
  /** Until everything recorded so far is in the database, or `timeoutMs` have passed. @returns whether it is there */
  flush(timeoutMs: number): Promise<boolean>;
  state(): RecorderState;
  /** Delivers what it can in the time given; the rest stays on disk for the next start. */
  close(timeoutMs: number): Promise<void>;
}

interface RecorderState {
  /** Rows that are not in the database yet. */
  readonly waiting: number;
  /** Too much is waiting, or the disk takes no rows: taking more requests would mean leaving them unrecorded. */
  readonly full: boolean;
  readonly error: string | undefined;
}

interface RecorderOptions {
  readonly dataDir: string;
  readonly database: DatabasePlace;
  readonly maxSpoolBytes: number;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

const batchRows = 200;
/** A killed process can lose rows younger than 50 ms; what this leaves of them is the worker's. */
const batchMs = 40;
/** Rows in memory that the worker has not put on disk; it does some 200,000 a second. */
const maxUnspooled = 50_000;
/** Those of refused requests go on coming then; beyond this they are left out, or they would take all memory there is. */
const maxInMemory = 2 * maxUnspooled;
const restartMs = 1_000;

/** @see worker.ts */
export function createRecorder(options: RecorderOptions): Recorder {
  const { log } = options;
  let gathered: string[] = [];
  /** Gathered or sent, and not on disk. */
  let inMemory = 0;
  let timer: NodeJS.Timeout | undefined;
  let worker = startWorker();
  let batch = 0;
  let closing = false;
  let running = true;
  /** Writers that failed since one last put rows on disk. One may be an accident; two, that the disk takes nothing. */
  let failed: { readonly times: number; readonly reason: string } | undefined;
  let leftOut = 0;
  const unspooled = new Map<number, { readonly rows: string; readonly count: number }>();
  const flushes = new Map<number, (delivered: boolean) => void>();
  let told: Extract<FromWorker, { kind: "state" }> = { kind: "state", waiting: 0, bytes: 0, error: undefined };
  let closed: (() => void) | undefined;

  function startWorker(): Worker {
    const started = new Worker(workerFile(), { workerData: settingsOf(options), name: "record" });
    started.on("message", (message: FromWorker) => receive(message));
    started.on("error", (error) => {
      failed = { times: (failed?.times ?? 0) + 1, reason: error instanceof Error ? error.message : String(error) };
      log.error({ err: error }, "record: the writer thread failed");
    });
    started.on("exit", () => restart());
    return started;
  }
  /** What the dead worker had not put on disk goes to the next one, which begins a chain of its own. */
  function restart(): void {
    running = false;
    closed?.();
    if (closing) return;
    setTimeout(() => {
      if (!closing) startAgain();
    }, restartMs).unref();
  }
  function startAgain(): void {
    running = true;
    worker = startWorker();
    for (const [id, { rows }] of unspooled) worker.postMessage({ kind: "rows", batch: id, rows } satisfies ToWorker);
  }
  function works(): void {
    failed = undefined;
    if (leftOut > 0) log.error({ rows: leftOut }, "record: rows of refused requests were left out");
    leftOut = 0;
  }
  function receive(message: FromWorker): void {
    switch (message.kind) {
      case "spooled":
        inMemory -= unspooled.get(message.batch)?.count ?? 0;
        unspooled.delete(message.batch);
        told = { ...told, waiting: message.waiting, bytes: message.bytes };
        works();
        return;
      case "flushed":
        flushes.get(message.flush)?.(message.delivered);
        return;
      case "state":
        if (message.error !== undefined && told.error === undefined) {
          log.warn(
            { reason: message.error, waiting: message.waiting },
            "record: rows wait on disk, the database is away",
          );
        } else if (message.error === undefined && told.error !== undefined) {
          log.info({}, "record: the database is back, all rows are delivered");
        }
        told = message;
        // It has nothing to put on disk, and could begin.
        if (unspooled.size === 0) works();
        return;
      case "misfit":
        log.error(
          { row: message.id, reason: message.reason },
          "record: the database refuses this row; it is kept in record_misfits",
        );
        return;
      case "lost":
        log.warn(
          { writer: message.writerId, last_row: message.lastSeq },
          "record: an earlier process did not end in order; rows of its last 50 ms may be missing after its last row",
        );
        return;
      case "closed":
        if (message.waiting > 0) log.warn({ waiting: message.waiting }, "record: rows stay on disk for the next start");
        closed?.();
    }
  }
  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.length === 0) return;
    batch += 1;
    const rows = gathered.join("\n");
    unspooled.set(batch, { rows, count: gathered.length });
    worker.postMessage({ kind: "rows", batch, rows } satisfies ToWorker);
    gathered = [];
  }

  return {
    record(row) {
      if (inMemory >= maxInMemory) {
        leftOut += 1;
        return;
      }
      gathered.push(row.fields);
      inMemory += 1;
      if (gathered.length >= batchRows) send();
      else timer ??= setTimeout(send, batchMs);
    },
    async flush(timeoutMs) {
      // A client may have its whole answer a moment before its request has ended here and was recorded.
      await nextTurn();
      send();
      batch += 1;
      const id = batch;
      return new Promise((resolve) => {
        const late = setTimeout(() => finish(false), timeoutMs + batchMs);
        const finish = (delivered: boolean): void => {
          clearTimeout(late);
          flushes.delete(id);
          resolve(delivered);
        };
        flushes.set(id, finish);
        worker.postMessage({ kind: "flush", flush: id, timeoutMs } satisfies ToWorker);
      });
    },
    state() {
      const stuck = failed !== undefined && failed.times > 1;
      return {
        waiting: told.waiting + inMemory,
        full: stuck || inMemory > maxUnspooled || told.bytes > options.maxSpoolBytes,
        error: stuck ? failed?.reason : told.error,
      };
    },
    async close(timeoutMs) {
      closing = true;
      // One died a moment ago: what it did not put on disk the last one may.
      if (!running) startAgain();
      send();
      const ended = new Promise<void>((resolve) => {
        closed = resolve;
      });
      worker.postMessage({ kind: "close", timeoutMs } satisfies ToWorker);
      const late = setTimeout(() => closed?.(), timeoutMs + 1_000);
      await ended;
      clearTimeout(late);
      await worker.terminate();
      if (inMemory > 0) log.error({ rows: inMemory }, "record: the disk takes no rows; those in memory are lost");
    },
  };
}

/** Once everything that was ready to run has run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

/** Beside this file: as source, or as the bundle names it. */
function workerFile(): string {
  return import.meta.filename.endsWith(".ts")
    ? join(import.meta.dirname, "worker.ts")
    : join(import.meta.dirname, "record-worker.js");
}

function settingsOf({ dataDir, database }: RecorderOptions): WorkerSettings {
  return {
    folder: dataDir,
    writerId: randomUUID(),
    startedAt: new Date().toISOString(),
    database: { url: database.url, dataDir: database.dataDir },
  };
}
