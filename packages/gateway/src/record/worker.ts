import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { StoreUnavailable, within } from "@onbehalf/service-kit";
import { createMigrator, openGatewayDatabase } from "../sql/open.ts";
import { type ChainHead, type Link, link } from "./chain.ts";
import { createDelivery } from "./delivery.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";
import { abandonedSpools, createSpool, type Spool } from "./spool.ts";

/**
 * The recorder's thread: chains rows, puts them on disk, and delivers them to the database, trying again for as long
 * as it takes. It owns its connection and its spool; the main thread only sends rows.
 */
const port = parentPort;
if (port === null) throw new TypeError("record/worker.ts runs as a worker thread of the gateway only.");

const settings = workerData as WorkerSettings;
const folder = join(settings.folder, "spool");
/** Rows are delivered when so many wait or the first has waited so long: few large transactions cost half of many. */
const manyRows = 4_000;
const soonMs = 500;
const maxRetryMs = 5_000;
const firstRetryMs = 100;

const found = abandonedSpools(folder);
const own = createSpool(folder, settings.writerId, settings.startedAt);
const database = await openGatewayDatabase(settings.database, 2);
const migrated = createMigrator(database);
const delivery = createDelivery(database, (id, reason) => say({ kind: "misfit", id, reason }));
let error: string | undefined;
let retryMs = firstRetryMs;
let retryTimer: NodeJS.Timeout | undefined;
let soonTimer: NodeJS.Timeout | undefined;
let running: Promise<boolean> | undefined;
let attempts = 0;
let abandoned: readonly Spool[] = found;

for (const spool of found) {
  if (!spool.isClean()) say({ kind: "lost", writerId: spool.writerId, lastSeq: spool.head().seq });
}
port.on("message", (message: ToWorker) => void receive(message));
void tryDelivery();

async function receive(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "rows":
      own.append(chained(message.rows.split("\n"), own.head()));
      say({ kind: "spooled", batch: message.batch, waiting: own.waiting(), bytes: own.bytes() });
      deliverSoon();
      return;
    case "flush":
      say({ kind: "flushed", flush: message.flush, delivered: await doneWithin(message.timeoutMs, tryDelivery()) });
      return;
    case "close":
      return end(message.timeoutMs);
  }
}

/** @throws TypeError for what is no row: it could never be delivered, and all behind it neither */
function chained(rows: readonly string[], after: ChainHead): Link[] {
  let head = after;
  return rows.map((fields) => {
    if (!fields.startsWith('["') || !fields.endsWith('"]'))
      throw new TypeError("A batch held something that is no row.");
    const row = link(fields, settings.writerId, head);
    head = row;
    return row;
  });
}

/** Nothing is asked of a database that is away before its time, and a delivery that runs looks again at its end. */
function deliverSoon(): void {
  if (retryTimer !== undefined || attempts > 0 || own.waiting() === 0) return;
  if (own.waiting() >= manyRows) void tryDelivery();
  else soonTimer ??= setTimeout(() => void tryDelivery(), soonMs);
}

/** One delivery at a time; whoever asks meanwhile waits for one that began after he asked. */
function tryDelivery(): Promise<boolean> {
  attempts += 1;
  clearTimeout(soonTimer);
  soonTimer = undefined;
  const next = (running ?? Promise.resolve(true)).then(attempt);
  running = next;
  return next;
}

async function attempt(): Promise<boolean> {
  try {
    if (own.waiting() > 0 || abandoned.length > 0) await deliverAll();
    error = undefined;
    retryMs = firstRetryMs;
  } catch (caught) {
    error = reasonOf(caught);
    retryLater();
  }
  attempts -= 1;
  deliverSoon();
  say({ kind: "state", waiting: own.waiting(), bytes: own.bytes(), error });
  return error === undefined;
}

async function deliverAll(): Promise<void> {
  await migrated();
  for (const spool of abandoned) {
    await delivery.deliver(spool);
    await delivery.end(spool, spool.isClean() ? "clean" : "lost");
    spool.discard();
    abandoned = abandoned.filter((other) => other !== spool);
  }
  await delivery.deliver(own);
}

/** Of a database that is out of reach, what it was: this is for the operator. */
function reasonOf(caught: unknown): string {
  const reason = caught instanceof StoreUnavailable ? (caught.cause ?? caught) : caught;
  return reason instanceof Error ? reason.message : String(reason);
}

function retryLater(): void {
  if (retryTimer !== undefined) return;
  retryTimer = setTimeout(() => {
    retryTimer = undefined;
    void tryDelivery();
  }, retryMs);
  retryMs = Math.min(retryMs * 2, maxRetryMs);
}

async function end(timeoutMs: number): Promise<void> {
  const delivered = await doneWithin(timeoutMs, tryDelivery());
  clearTimeout(retryTimer);
  clearTimeout(soonTimer);
  for (const spool of abandoned) spool.close("keep");
  if (delivered && own.waiting() === 0) {
    await doneWithin(
      timeoutMs,
      delivery.end(own, "clean").then(() => true),
    );
    own.discard();
    say({ kind: "closed", waiting: 0 });
  } else {
    const waiting = own.waiting();
    own.close("clean");
    say({ kind: "closed", waiting });
  }
  delivery.close();
  await database.close();
  port?.close();
}

/** False when it failed or was not done in time; it goes on by itself then. */
function doneWithin(timeoutMs: number, work: Promise<boolean>): Promise<boolean> {
  const undone = () => false;
  return within(work.catch(undone), timeoutMs, undone);
}

function say(message: FromWorker): void {
  port?.postMessage(message);
}
