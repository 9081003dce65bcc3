import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { type Log, within } from "@onbehalf/service-kit";
import type { FromWorker, ToWorker, WorkerSettings } from "./messages.ts";

/** The thread that writes; when it dies, the next one takes its place. */
interface WriterThread {
  post(message: ToWorker): void;
  /** Rows reached the disk, or could. */
  works(): void;
  /** Why it writes nothing any more; undefined while it may. */
  stuck(): string | undefined;
  /** No thread is started from here on but the one that is to end in order. */
  prepareEnd(): void;
  /** Delivers what it can in the time given. */
  end(timeoutMs: number): Promise<void>;
}

interface WriterThreadOptions {
  /** A writer's own: each has a chain of its own. */
  readonly settings: () => WorkerSettings;
  readonly log: Pick<Log, "error">;
  readonly receive: (message: FromWorker) => void;
  /** Called for each thread that takes a dead one's place. */
  readonly begun: (post: (message: ToWorker) => void) => void;
}

const restartMs = 1_000;

/** @see worker.ts */
export function createWriterThread({ settings, log, receive, begun }: WriterThreadOptions): WriterThread {
  let worker = startWorker();
  let closing = false;
  let running = true;
  /** Writers that failed since one last put rows on disk. One may be an accident; two, that the disk takes nothing. */
  let failed: { readonly times: number; readonly reason: string } | undefined;
  let closed: (() => void) | undefined;

  function startWorker(): Worker {
    const started = new Worker(workerFile(), { workerData: settings(), name: "record" });
    started.on("message", (message: FromWorker) => {
      receive(message);
      if (message.kind === "closed") closed?.();
    });
    started.on("error", (error) => {
      failed = { times: (failed?.times ?? 0) + 1, reason: error instanceof Error ? error.message : String(error) };
      log.error({ err: error }, "record: the writer thread failed");
    });
    started.on("exit", () => restart());
    return started;
  }
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
    begun(post);
  }
  function post(message: ToWorker): void {
    worker.postMessage(message);
  }

  return {
    post,
    works() {
      failed = undefined;
    },
    stuck: () => (failed !== undefined && failed.times > 1 ? failed.reason : undefined),
    prepareEnd() {
      closing = true;
      // One died a moment ago: what it did not put on disk the last one may.
      if (!running) startAgain();
    },
    async end(timeoutMs) {
      const ended = new Promise<void>((resolve) => {
        closed = resolve;
      });
      post({ kind: "close", timeoutMs });
      await within(ended, timeoutMs + 1_000, () => {});
      await worker.terminate();
    },
  };
}

/** Beside this file: as source, or as the bundle names it. */
function workerFile(): string {
  return import.meta.filename.endsWith(".ts")
    ? join(import.meta.dirname, "worker.ts")
    : join(import.meta.dirname, "record-worker.js");
}
