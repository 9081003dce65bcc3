import type { ReadQuery } from "./read-query.ts";

/** One value of a result, as SPARQL 1.1 Query Results JSON writes it (section 3.2.2). */
export interface Term {
  readonly type: "uri" | "literal" | "bnode";
  readonly value: string;
  readonly datatype?: string | undefined;
  readonly language?: string | undefined;
}

/**
 * Every answer as a table, whatever form the query had: ASK is one row `answer`, CONSTRUCT and DESCRIBE are rows of
 * `subject`, `predicate`, `object`.
 */
export interface Table {
  readonly columns: readonly string[];
  /** An unbound variable is undefined. */
  readonly rows: readonly (readonly (Term | undefined)[])[];
  /** True when rows were left out because a limit was reached. */
  readonly truncated: boolean;
  /** IRIs of the graphs that say something of the things in the rows, where the database told them along. */
  readonly sources?: readonly string[] | undefined;
}

/** The part of a database that an application may see. */
export interface Dataset {
  readonly database: string | undefined;
  /** IRIs; empty means every graph of the database. */
  readonly namedGraphs: readonly string[];
  readonly reasoning: boolean;
}

/** What one query may cost. */
export interface QueryLimits {
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** On whose behalf a query runs, for a database that wants to know. */
export interface QueryCall {
  readonly signal: AbortSignal;
  /** The caller's verified token as subject of a further exchange; absent without JWT authentication. */
  readonly authorization?: ((signal: AbortSignal) => Promise<string>) | undefined;
  readonly traceparent?: string | undefined;
  /** Ask for the table's `sources` too, if that comes cheap. */
  readonly withSources?: boolean | undefined;
}

/** A database that answers reading queries. */
export interface Graph {
  readonly database: string | undefined;
  /** @throws GraphError */
  query(query: ReadQuery, dataset: Dataset, limits: QueryLimits, call: QueryCall): Promise<Table>;
  close(): Promise<void>;
}

/**
 * Why a query has no answer. `refused`, `invalid`, `too_slow` and `too_large` are for the one who wrote the query to
 * mend; `unavailable` and `denied` are the database's own state; `unknown_database` is the application's set-up.
 */
type GraphErrorCode =
  | "refused"
  | "invalid"
  | "too_slow"
  | "too_large"
  | "unavailable"
  | "denied"
  | "unknown_database"
  | "cancelled";

/** `message` is fit for the model and the user: no host names, no credentials. */
export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly code: GraphErrorCode;

  constructor(code: GraphErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
