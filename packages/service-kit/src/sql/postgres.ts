import { CompiledQuery, type Dialect, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import pg from "pg";
import { StoreUnavailable } from "../unavailable.ts";

export interface PostgresOptions {
  /** `postgresql://user:password@host:port/database`, with libpq's parameters such as `sslmode`. */
  readonly url: string;
  /** Connections kept at most. */
  readonly maxConnections?: number | undefined;
  /** How long a query is waited for, whatever the server says. */
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
  });
  pool.on("error", onConnectionError);
  return pool;
}

/** Limits are set by a statement: connection poolers in between refuse them as parameters of the connection. */
export function postgresDialect(pool: pg.Pool): Dialect {
  const limits = `set statement_timeout = ${statementMs}; set idle_in_transaction_session_timeout = ${statementMs}`;
  return new PostgresDialect({
    pool: told(pool),
    onCreateConnection: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw(limits));
    },
  });
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

function toldClient(client: pg.PoolClient): PostgresPoolClient {
  const query = async (sql: string, parameters: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      throw isOutOfReach(error) ? new StoreUnavailable("database", error) : error;
    }
  };
  return { query: query as PostgresPoolClient["query"], release: (destroy) => client.release(destroy) };
}

/**
 * Connection lost or refused (SQLSTATE class 08), server going away or starting (57P), too many connections (53300),
 * or no answer at all, which has no SQLSTATE.
 */
function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  return /^(?:08|57P|53300)/.test(error.code ?? "");
}
