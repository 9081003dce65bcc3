import type { Kysely } from "kysely";
import type { Migration, SqlDialect } from "./migrate.ts";

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
  readonly maxConnections?: number | undefined;
  readonly onConnectionError?: ((error: Error) => void) | undefined;
}

/**
 * Does not connect to Postgres yet: a service may start and do its other work while the database is away. The
 * libraries are loaded only here: a service without a database starts without them.
 */
export async function openDatabase<Schema>(options: DatabaseOptions): Promise<Database<Schema>> {
  const { openFile, openServer } = await import("./open.ts");
  return options.url === undefined ? openFile(options) : openServer(options.url, options);
}
