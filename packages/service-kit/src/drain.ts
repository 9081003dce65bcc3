import type { Server } from "node:http";
import { type Running, ShuttingDown } from "./connection.ts";
import type { Readiness } from "./health.ts";
import type { Http2Side } from "./http2.ts";
import type { Logger } from "./log.ts";
import type { Sockets } from "./sockets.ts";
import { within } from "./within.ts";

/** What has to be stopped, and the time it has; the times and hooks are those of `ServeOptions`. */
interface DrainOptions {
  readonly server: Server;
  readonly sockets: Sockets;
  readonly http2: Pick<Http2Side, "closeIdle" | "destroy" | "cut"> | undefined;
  readonly running: Running;
  readonly log: Logger;
  readonly graceSeconds: number;
  readonly noticeSeconds?: number | undefined;
  readonly readiness?: Readiness | undefined;
  readonly onDrain?: (() => void | Promise<void>) | undefined;
  readonly onClose?: readonly (() => void | Promise<void>)[] | undefined;
}

/**
 * Streams are told to end this long before the deadline, so that they end properly instead of being cut. Of a short
 * grace it is a share only: what runs needs the rest.
 */
const maxEndingMs = 1_000;
const endingShare = 0.25;
/** For clients to take their last bytes and leave, before their connections are cut. */
const leavingMs = 500;
/** For the lines of what was cut to be written. */
const linesMs = 500;
/** Each closer gets this long: a database that does not answer must not keep the process. */
const closerMs = 5_000;

/**
 * The way out: not ready, no new connections, running requests to their end, at the deadline the rest is told to end
 * and then cut, last the closers.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const {
    server,
    sockets,
    http2,
    running,
    log,
    graceSeconds,
    noticeSeconds = 0,
    readiness,
    onDrain,
    onClose = [],
  } = options;
  const deadline = performance.now() + graceSeconds * 1_000;
  log.info({ running: sockets.running, grace_seconds: graceSeconds }, "draining");
  readiness?.drain();
  await guarded("onDrain", async () => onDrain?.(), log);
  if (noticeSeconds > 0) await endsWithin(sleepForever(), noticeSeconds * 1_000);

  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  sockets.closeIdle();
  http2?.closeIdle();
  const leftMs = Math.max(0, deadline - performance.now());
  const endingMs = Math.min(maxEndingMs, leftMs * endingShare);
  if (!(await endsWithin(sockets.idle(), leftMs - endingMs))) {
    log.warn({ running: sockets.running }, "deadline: ending what still runs");
    running.abortAll(new ShuttingDown());
    await endsWithin(sockets.idle(), endingMs);
  }
  sockets.destroy();
  http2?.destroy();
  if (!(await endsWithin(closed, leavingMs))) http2?.cut();
  await endsWithin(closed, leavingMs);
  await endsWithin(running.empty(), linesMs);
  for (const close of onClose) await guarded("onClose", async () => close(), log);
  log.info({}, "stopped");
}

async function guarded(what: string, work: () => Promise<void>, log: Logger): Promise<void> {
  try {
    if (!(await endsWithin(work(), closerMs))) log.error({ what }, `did not end within ${closerMs} ms`);
  } catch (error) {
    log.error({ err: error, what }, "failed while stopping");
  }
}

/** True when the work ended in time. */
function endsWithin(work: Promise<void>, ms: number): Promise<boolean> {
  return within(
    work.then(() => true),
    ms,
    () => false,
  );
}

function sleepForever(): Promise<void> {
  return new Promise(() => {});
}
