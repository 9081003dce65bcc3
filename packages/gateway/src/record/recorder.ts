import { randomUUID } from "node:crypto";
import type { Log } from "@onbehalf/service-kit";
import type { DatabasePlace } from "../sql/open.ts";
import type { FromWorker, WorkerSettings } from "./messages.ts";
import type { EndedRow } from "./row.ts";
import { report } from "./worker-report.ts";
import { createWriterThread } from "./writer-thread.ts";

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

/** @see worker.ts */
export function createRecorder(options: RecorderOptions): Recorder {
  const { log } = options;
  let gathered: string[] = [];
  /** Gathered or sent, and not on disk. */
  let inMemory = 0;
  let timer: NodeJS.Timeout | undefined;
  let batch = 0;
  let leftOut = 0;
  const unspooled = new Map<number, { readonly rows: string; readonly count: number }>();
  const flushes = new Map<number, (delivered: boolean) => void>();
  let told: Extract<FromWorker, { kind: "state" }> = { kind: "state", waiting: 0, bytes: 0, error: undefined };
  const thread = createWriterThread({
    settings: () => settingsOf(options),
    log,
    receive,
    // What the dead one had not put on disk goes to the next, which begins a chain of its own.
    begun(post) {
      for (const [id, { rows }] of unspooled) post({ kind: "rows", batch: id, rows });
    },
  });

  function works(): void {
    thread.works();
    if (leftOut > 0) log.error({ rows: leftOut }, "record: rows of refused requests were left out");
    leftOut = 0;
  }
  function receive(message: FromWorker): void {
    report(message, told.error, log);
    if (message.kind === "spooled") {
      inMemory -= unspooled.get(message.batch)?.count ?? 0;
      unspooled.delete(message.batch);
      told = { ...told, waiting: message.waiting, bytes: message.bytes };
      works();
    } else if (message.kind === "flushed") flushes.get(message.flush)?.(message.delivered);
    else if (message.kind === "state") {
      told = message;
      // It has nothing to put on disk, and could begin.
      if (unspooled.size === 0) works();
    }
  }
  function send(): void {
    clearTimeout(timer);
    timer = undefined;
    if (gathered.length === 0) return;
    batch += 1;
    const rows = gathered.join("\n");
    unspooled.set(batch, { rows, count: gathered.length });
    thread.post({ kind: "rows", batch, rows });
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
        thread.post({ kind: "flush", flush: id, timeoutMs });
      });
    },
    state() {
      const stuck = thread.stuck();
      return {
        waiting: told.waiting + inMemory,
        full: stuck !== undefined || inMemory > maxUnspooled || told.bytes > options.maxSpoolBytes,
        error: stuck ?? told.error,
      };
    },
    async close(timeoutMs) {
      thread.prepareEnd();
      send();
      await thread.end(timeoutMs);
      if (inMemory > 0) log.error({ rows: inMemory }, "record: the disk takes no rows; those in memory are lost");
    },
  };
}

/** Once everything that was ready to run has run. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

function settingsOf({ dataDir, database }: RecorderOptions): WorkerSettings {
  return {
    folder: dataDir,
    writerId: randomUUID(),
    startedAt: new Date().toISOString(),
    database: { url: database.url, dataDir: database.dataDir },
  };
}
