import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { LRUCache } from "lru-cache";
import { busyTimeoutMs, openSqlite } from "./sqlite-file.ts";

/** On the main thread the wait itself must not hold up everything else: short looks, and other work in between. */
const lookMs = 10;
const preparedStatements = 200;

/** Kysely over Node's own SQLite, for the main thread. */
export function sqliteDialect(path: string): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new PatientDriver({ database: async () => asKyselyExpects(openSqlite(path, lookMs)) }),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * Waits for other writers without blocking the thread. A transaction takes the write lock when it begins: one that
 * read first and then wants to write would fail at once when another process wrote in between.
 */
class PatientDriver extends SqliteDriver {
  override async acquireConnection(): Promise<DatabaseConnection> {
    return patient(await super.acquireConnection());
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
}

function patient(connection: DatabaseConnection): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const deadline = performance.now() + busyTimeoutMs;
      while (true) {
        try {
          return await connection.executeQuery<Row>(query);
        } catch (error) {
          if (!isBusy(error) || performance.now() >= deadline) throw error;
          await sleep(lookMs);
        }
      }
    },
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  };
}

/** SQLITE_BUSY and its extended codes. Nothing of the statement has happened yet. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

/** Statements are kept: preparing one costs more than running it. */
function asKyselyExpects(database: DatabaseSync): SqliteDatabase {
  const kept = new LRUCache<string, StatementSync>({ max: preparedStatements });
  const prepared = (sql: string): StatementSync => {
    const statement = kept.get(sql) ?? database.prepare(sql);
    kept.set(sql, statement);
    return statement;
  };
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = prepared(sql);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...parameters.map(bindable)),
        run: (parameters) => statement.run(...parameters.map(bindable)),
        iterate: (parameters) => database.prepare(sql).iterate(...parameters.map(bindable)),
      };
    },
  };
}

/** SQLite has no booleans and no dates. */
function bindable(value: unknown): SQLInputValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof Date) return value.toISOString();
  return value === undefined ? null : (value as SQLInputValue);
}
