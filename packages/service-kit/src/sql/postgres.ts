import { type Dialect, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import pg from "pg";
import { StoreUnavailable } from "../unavailable.ts";

/** Which server, and the bounds of what is asked of it. */
interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`, with libpq's parameters such as `sslmode`. */
  readonly url: string;
  /** Connections kept at most. */
  readonly maxConnections?: number | undefined;
  /** How long a query is waited for, in milliseconds, whatever the server says; 12000 unless given. */
  readonly queryMs?: number | undefined;
  /** Told when an idle connection breaks: a matter for the log, the pool replaces it. */
  readonly onConnectionError?: ((error: Error) => void) | undefined;
}

const connectMs = 3_000;
const statementMs = 10_000;
/** Above the server's own limit, for a server that does not answer at all. */
const defaultQueryMs = 12_000;
const idleMs = 30_000;

/** A pool that is bounded in connections and in every wait. Nothing connects before the first query. */
export function openPool(options: PostgresOptions): pg.Pool {
  const { url, maxConnections = 10, queryMs = defaultQueryMs, onConnectionError = () => {} } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectMs,
    query_timeout: queryMs,
    idleTimeoutMillis: idleMs,
    keepAlive: true,
    types: { getTypeParser: typeParser },
    // The pool's own hook: it lets go of a connection on which this fails, and where it did not, each such one was a place
    // less for good.
    onConnect: async (client) => {
      await client.query(limits);
    },
  });
  pool.on("error", onConnectionError);
  // A connection that breaks between two queries of a transaction has nobody else to tell, and would end the process.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}

/** Set by a statement: connection poolers in between refuse them as parameters of the connection. */
const limits = `set statement_timeout = ${statementMs}; set idle_in_transaction_session_timeout = ${statementMs}`;

/** Kysely over the pool; a database out of reach is a StoreUnavailable in every query. */
export function postgresDialect(pool: pg.Pool): Dialect {
  return new PostgresDialect({ pool: told(pool) });
}

/** Counts and sums are 64 bits wide on Postgres: numbers here, as SQLite gives them. */
const typeParser: typeof pg.types.getTypeParser = (oid, format) => {
  if (oid === pg.types.builtins.INT8 || oid === pg.types.builtins.NUMERIC) return Number;
  return pg.types.getTypeParser(oid, format);
};

/** The pool as Kysely uses it, with an error of ours for a database that is out of reach. */
function told(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      try {
        return toldClient(await pool.connect());
      } catch (error) {
        throw isOutOfReach(error) ? new StoreUnavailable("database", error) : error;
      }
    },
  };
}

/** A connection whose query had no answer is not used again: it may be dead, and nobody says so for a quarter of an hour. */
function toldClient(client: pg.PoolClient): PostgresPoolClient {
  let silent = false;
  const query = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      silent ||= !(error instanceof pg.DatabaseError);
      throw isOutOfReach(error) ? new StoreUnavailable("database", error) : error;
    }
  };
  return {
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy === true || silent),
  };
}

/**
 * Connection lost or refused (SQLSTATE class 08), no resources left, connections above all (53), cancelled for taking too
 * long, going away or starting (57), an I/O error (58), read-only since another server leads (25006), a lock that is not
 * to be had (55P03), or no answer at all, which has no SQLSTATE.
 */
function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  return /^(?:08|53|57|58|25006|55P03)/.test(error.code ?? "");
}
