import type { Term } from "./graph.ts";
import type { ReadQuery } from "./read-query.ts";

/** One file of an embedded database, read. */
export interface GraphFile {
  readonly path: string;
  /** Media type. */
  readonly format: string;
  /** IRI of the graph its triples go to; undefined for formats that name their graphs themselves. */
  readonly graph: string | undefined;
  readonly text: string;
}

/** What is said between the service and the thread that holds the store. One job at a time. */
export interface WorkerJob {
  readonly query: string;
  readonly form: ReadQuery["form"];
  /** The graphs that are visible, as IRIs. */
  readonly graphs: readonly string[];
  /** Whether what stands in no graph is visible too: only where nothing was chosen. */
  readonly withUnnamed: boolean;
  readonly reasoning: boolean;
  readonly maxBytes: number;
  /** Also say which graphs speak of the things in the answer: a second job would cost more than the search. */
  readonly withSources: boolean;
}

export type WorkerAnswer =
  | { readonly ready: true; readonly graphs: readonly string[] }
  | { readonly ready: false; readonly message: string }
  | { readonly json: string; readonly sources: readonly string[] | undefined }
  | { readonly triples: readonly (readonly [Term, Term, Term])[] }
  | { readonly tooLarge: true }
  | { readonly failed: string };
