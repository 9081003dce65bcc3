import { join } from "node:path";
import { Kysely, sql } from "kysely";
import { type Migration, migrate, type SqlDialect } from "./migrate.ts";
import { openPool, postgresDialect } from "./postgres.ts";
import { sqliteDialect } from "./sqlite.ts";

export interface Database<Schema> {
  readonly kysely: Kysely<Schema>;
  readonly dialect: SqlDialect;
  /** The SQLite file, for a worker thread that writes for itself; undefined on Postgres. */
  readonly path: string | undefined;
  /** @returns the names of the steps that were run */
  migrate(namespace: string, migrations: readonly Migration[]): Promise<readonly string[]>;
  /** Rejects while the database cannot be reached: for readiness. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** `postgresql://…`; absent: SQLite in the data folder. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** Name of the SQLite file, for example `gateway.sqlite`; `:memory:` for tests. */
  readonly file: string;
  readonly maxConnections?: number;
  readonly onConnectionError?: (error: Error) => void;
}

/** Does not connect to Postgres yet: a service may start and do its other work while the database is away. */
export async function openDatabase<Schema>(options: DatabaseOptions): Promise<Database<Schema>> {
  return options.url === undefined ? openFile(options) : openServer(options.url, options);
}

function openFile<Schema>({ dataDir, file }: DatabaseOptions): Database<Schema> {
  const path = file === ":memory:" ? file : join(dataDir, file);
  const kysely = new Kysely<Schema>({ dialect: sqliteDialect(path) });
  return { ...common(kysely, "sqlite"), path, close: () => kysely.destroy() };
}

function openServer<Schema>(url: string, options: DatabaseOptions): Database<Schema> {
  const pool = openPool({ ...options, url });
  const kysely = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  const close = async (): Promise<void> => {
    await kysely.destroy();
    if (!pool.ending) await pool.end();
  };
  return { ...common(kysely, "postgres"), path: undefined, close };
}

function common<Schema>(kysely: Kysely<Schema>, dialect: SqlDialect) {
  return {
    kysely,
    dialect,
    migrate: (namespace: string, migrations: readonly Migration[]) => migrate(kysely, dialect, namespace, migrations),
    ready: async (): Promise<void> => {
      await sql`select 1`.execute(kysely);
    },
  };
}
