import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
  SqliteAdapter,
  type SqliteDatabase,
  type SqliteDialectConfig,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { LRUCache } from "lru-cache";
import { StoreUnavailable } from "../unavailable.ts";
import { busyTimeoutMs, createFileCheck, isSqliteBusy, openSqlite, sqliteKind } from "./sqlite-file.ts";

/** On the main thread the wait itself must not hold up everything else: looks that do not wait, and other work in between. */
const lookMs = 0;
const betweenMs = 10;
const preparedStatements = 200;

/**
 * A file that is opened with the first query, and watched: one that was replaced under us would swallow what is
 * written.
 */
interface SqliteFile {
  /** Kysely over Node's own SQLite, for the main thread. */
  readonly dialect: Dialect;
  /** @throws when what is open is no longer the file at the path */
  check(): void;
}

/**
 * Opened by the first query.
 * @param path the file, or `:memory:`
 */
export function sqliteFile(path: string): SqliteFile {
  let opened: DatabaseSync | undefined;
  let check = (): void => {};
  const database = async (): Promise<SqliteDatabase> => {
    try {
      opened = openSqlite(path, lookMs);
      check = createFileCheck(path);
      return asKyselyExpects(opened);
    } catch (error) {
      throw unavailable(error);
    }
  };
  const dialect: Dialect = {
    createAdapter: () => new PatientAdapter(),
    createDriver: () => new PatientDriver({ database }, () => opened?.isTransaction === true),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return { dialect, check: () => check() };
}

/** Kysely's own turns would last as long as a writer waits for others; the driver's do not. */
class PatientAdapter extends SqliteAdapter {
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

/**
 * Waits for other writers without blocking the thread, and without keeping the connection from those who only read. A
 * transaction takes the write lock when it begins: one that read first and then wants to write would fail at once when
 * another process wrote in between.
 */
class PatientDriver extends SqliteDriver {
  readonly #turns = createTurns();
  readonly #inTransaction: () => boolean;

  constructor(config: SqliteDialectConfig, inTransaction: () => boolean) {
    super(config);
    this.#inTransaction = inTransaction;
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    await this.#turns.take();
    return patient(await super.acquireConnection(), () => this.#giveWay());
  }

  override async releaseConnection(): Promise<void> {
    this.#turns.pass();
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async #giveWay(): Promise<void> {
    if (this.#inTransaction()) return sleep(betweenMs);
    this.#turns.pass();
    await sleep(betweenMs);
    await this.#turns.take();
  }
}

function patient(connection: DatabaseConnection, giveWay: () => Promise<void>): DatabaseConnection {
  return {
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const deadline = performance.now() + busyTimeoutMs;
      while (true) {
        try {
          return await connection.executeQuery<Row>(query);
        } catch (error) {
          if (!isSqliteBusy(error) || performance.now() >= deadline)
            throw isOutOfReach(error) ? unavailable(error) : error;
          await giveWay();
        }
      }
    },
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  };
}

/** One connection, one user at a time, in the order in which they came. */
function createTurns() {
  const waiting: (() => void)[] = [];
  let taken = false;
  return {
    async take(): Promise<void> {
      if (taken) await new Promise<void>((resolve) => waiting.push(resolve));
      taken = true;
    },
    pass(): void {
      const next = waiting.shift();
      if (next === undefined) taken = false;
      else next();
    },
  };
}

/** Busy, locked, read-only, I/O error, corrupt, disk full, cannot open, locking protocol, no database. */
const outOfReach = new Set([5, 6, 8, 10, 11, 13, 14, 15, 26]);

function isOutOfReach(error: unknown): boolean {
  const kind = sqliteKind(error);
  return kind !== undefined && outOfReach.has(kind);
}

function unavailable(error: unknown): StoreUnavailable {
  return new StoreUnavailable("database", error);
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
