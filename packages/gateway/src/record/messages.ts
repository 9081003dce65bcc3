/** What the recorder and its worker say to each other. */
export type ToWorker =
  /** The fields of each row in a line of JSON: one string crosses at a fraction of what so many objects cost. */
  | { readonly kind: "rows"; readonly batch: number; readonly rows: string }
  /** Deliver now, wait at most so long, and answer `flushed`. */
  | { readonly kind: "flush"; readonly flush: number; readonly timeoutMs: number }
  /** The last message: deliver what is there, at most so long, end in order. */
  | { readonly kind: "close"; readonly timeoutMs: number };

/** From the worker to the recorder. */
export type FromWorker =
  /** The batch is on disk: nothing but the disk itself can lose it now. */
  | { readonly kind: "spooled"; readonly batch: number; readonly waiting: number; readonly bytes: number }
  | { readonly kind: "flushed"; readonly flush: number; readonly delivered: boolean }
  | { readonly kind: "state"; readonly waiting: number; readonly bytes: number; readonly error: string | undefined }
  /** The database would not take this row; it is kept in record_misfits. */
  | { readonly kind: "misfit"; readonly id: string; readonly reason: string }
  | { readonly kind: "lost"; readonly writerId: string; readonly lastSeq: number }
  | { readonly kind: "closed"; readonly waiting: number };

/** What the worker is started with; it reads no environment. */
export interface WorkerSettings {
  readonly folder: string;
  readonly writerId: string;
  readonly startedAt: string;
  readonly database: { readonly url: string | undefined; readonly dataDir: string };
}
