import { join } from "node:path";
import { Kysely, sql } from "kysely";
import type { Database, DatabaseOptions } from "./database.ts";
import { type Migration, migrate, migrationMs, type SqlDialect } from "./migrate.ts";
import { openPool, postgresDialect } from "./postgres.ts";
import { sqliteFile } from "./sqlite.ts";

/** SQLite in the data folder; the file is made when the first query comes. */
export function openFile<Schema>({ dataDir, file }: DatabaseOptions): Database<Schema> {
  const path = file === ":memory:" ? file : join(dataDir, file);
  const { dialect, check } = sqliteFile(path);
  const kysely = new Kysely<Schema>({ dialect });
  const ready = async (): Promise<void> => {
    // Something that is in the file: SQLite would answer what is in none without looking.
    await sql`select 1 from sqlite_schema limit 1`.execute(kysely);
    check();
  };
  return { ...common(kysely, "sqlite"), path, ready, close: () => kysely.destroy() };
}

/** Postgres behind a pool. Migrations have a connection of their own, without the time limit of requests. */
export function openServer<Schema>(url: string, options: DatabaseOptions): Database<Schema> {
  const pool = openPool({ ...options, url });
  const kysely = new Kysely<Schema>({ dialect: postgresDialect(pool) });
  const close = async (): Promise<void> => {
    await kysely.destroy();
    if (!pool.ending) await pool.end();
  };
  const migrateAlone = async (namespace: string, migrations: readonly Migration[]) => {
    const alone = new Kysely<Schema>({
      dialect: postgresDialect(openPool({ ...options, url, maxConnections: 1, queryMs: migrationMs })),
    });
    try {
      return await migrate(alone, "postgres", namespace, migrations);
    } finally {
      await alone.destroy();
    }
  };
  return { ...common(kysely, "postgres"), migrate: migrateAlone, path: undefined, close };
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
