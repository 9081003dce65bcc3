import { Worker } from "node:worker_threads";
import type { GraphFile, WorkerAnswer, WorkerJob } from "./embedded-protocol.ts";
import { GraphError } from "./graph.ts";

interface WorkerPoolOptions {
  readonly files: readonly GraphFile[];
  /** Threads, each with a copy of the store. */
  readonly size: number;
  /** Queries that may wait for a thread; 1,000 unless given, which at a few milliseconds each is a few seconds of them. */
  readonly maxWaiting?: number;
}

interface WorkerPool {
  /** IRIs of the graphs that were loaded. */
  readonly graphs: readonly string[];
  /** @throws GraphError `too_slow`, `unavailable`, `cancelled` */
  run(job: WorkerJob, timeoutMs: number, signal: AbortSignal): Promise<WorkerAnswer>;
  close(): Promise<void>;
}

interface Waiting {
  readonly job: WorkerJob;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Lets go of a caller who has left, whether his query waits or runs. */
  readonly onAbort: () => void;
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: GraphError) => void;
}

/** A store that does not come up in this time never will. */
const loadTimeoutMs = 60_000;

/**
 * Threads that answer one query at a time. A query over its time is cut by ending its thread; a new one takes its
 * place, and the queries that wait lose nothing.
 * @throws Error with the file's name when one cannot be loaded
 */
export async function createWorkerPool({ files, size, maxWaiting = 1_000 }: WorkerPoolOptions): Promise<WorkerPool> {
  const waiting: Waiting[] = [];
  const idle: Worker[] = [];
  const all = new Set<Worker>();
  let starting = 0;
  let closed = false;

  const first = await startWorker(files);
  admit(first.worker);

  function admit(worker: Worker): void {
    all.add(worker);
    idle.push(worker);
    // A thread that dies between two queries is replaced by the next query; unheard, its error would end the process.
    worker.on("error", () => undefined);
    worker.once("exit", () => {
      all.delete(worker);
      const place = idle.indexOf(worker);
      if (place >= 0) idle.splice(place, 1);
    });
  }

  function next(): void {
    while (waiting.length > 0 && !closed) {
      const worker = idle.pop();
      if (worker === undefined) {
        if (all.size + starting < size) grow();
        return;
      }
      const item = waiting.shift();
      if (item !== undefined) work(worker, item);
    }
  }

  function grow(): void {
    starting += 1;
    void startWorker(files).then(
      ({ worker }) => {
        starting -= 1;
        if (closed) return void worker.terminate();
        admit(worker);
        next();
      },
      (error: unknown) => {
        starting -= 1;
        const failure = new GraphError("unavailable", "The database cannot be loaded just now.", error);
        if (all.size === 0) for (const item of waiting.splice(0)) item.reject(failure);
      },
    );
  }

  function work(worker: Worker, item: Waiting): void {
    ask(worker, item, (outcome) => {
      item.signal.removeEventListener("abort", item.onAbort);
      if (outcome instanceof GraphError) {
        all.delete(worker);
        void worker.terminate();
        item.reject(outcome);
      } else {
        idle.push(worker);
        item.resolve(outcome);
      }
      next();
    });
  }

  return {
    graphs: first.graphs,
    run: (job, timeoutMs, signal) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new GraphError("unavailable", "The database is closed."));
        if (waiting.length >= maxWaiting) {
          return reject(new GraphError("unavailable", "Too many queries are waiting; try again in a moment."));
        }
        if (signal.aborted) return reject(cancelled());
        const item: Waiting = { job, timeoutMs, signal, onAbort, resolve, reject };
        function onAbort(): void {
          // He takes up no room where others could wait.
          const place = waiting.indexOf(item);
          if (place >= 0) waiting.splice(place, 1);
          reject(cancelled());
        }
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.push(item);
        next();
      }),
    async close() {
      closed = true;
      for (const item of waiting.splice(0)) item.reject(new GraphError("unavailable", "The database is closed."));
      await Promise.all([...all].map((worker) => worker.terminate()));
    },
  };
}

/** One query on one thread, until its answer, its time or the thread's end; also when the caller has left. */
function ask(worker: Worker, { job, timeoutMs }: Waiting, ended: (outcome: WorkerAnswer | GraphError) => void): void {
  const seconds = Math.max(1, Math.round(timeoutMs / 1000));
  const finish = (outcome: WorkerAnswer | GraphError): void => {
    clearTimeout(timer);
    worker.off("message", finish).off("error", onExit).off("exit", onExit);
    ended(outcome);
  };
  const onExit = (): void =>
    finish(new GraphError("too_large", "The query needs more memory than it may have; ask for less."));
  const timer = setTimeout(
    () => finish(new GraphError("too_slow", `The query took longer than ${seconds} s and was stopped; ask for less.`)),
    timeoutMs,
  );
  worker.once("message", finish);
  worker.once("error", onExit);
  worker.once("exit", onExit);
  worker.postMessage(job);
}

function cancelled(): GraphError {
  return new GraphError("cancelled", "The query was given up, since nobody waits for it.");
}

function startWorker(files: readonly GraphFile[]): Promise<{ worker: Worker; graphs: readonly string[] }> {
  const worker = new Worker(new URL("./embedded-worker.ts", import.meta.url), { workerData: { files } });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error("the database did not load in time")), loadTimeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      void worker.terminate();
      reject(error);
    };
    worker.once("error", fail);
    worker.once("message", (answer: WorkerAnswer) => {
      worker.off("error", fail);
      if (!("ready" in answer)) return fail(new Error("the database's thread spoke out of turn"));
      if (!answer.ready) return fail(new Error(answer.message));
      clearTimeout(timer);
      resolve({ worker, graphs: answer.graphs });
    });
  });
}
