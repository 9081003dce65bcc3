import type { Kysely } from "kysely";
import type { Migration, SqlDialect } from "./migrate.ts";

/** One database, of either dialect, with the schema that the service's migrations make. */
export interface Database<Schema> {
  readonly kysely: Kysely<Schema>;
  readonly dialect: SqlDialect;
  /** The SQLite file, for a worker thread that writes for itself; undefined on Postgres. */
  readonly path: string | undefined;
  /** @returns the names of the steps that were run */
  migrate(namespace: string, migrations: readonly Migration[]): Promise<readonly string[]>;
  /** Rejects while the database cannot be reached: for readiness. */
  ready(): Promise<void>;
  /** Waits for what is being asked; nothing can be asked afterwards. */
  close(): Promise<void>;
}

/** Where the database is: its URL, or else a file of the data folder. */
export interface DatabaseOptions {
  /** `postgresql://…`; absent: SQLite in the data folder. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** Name of the SQLite file, for example `gateway.sqlite`; `:memory:` for tests. */
  readonly file: string;
  /** Of Postgres, at most; 10 unless given. */
  readonly maxConnections?: number | undefined;
  /** Told when an idle connection to Postgres breaks; the pool replaces it. */
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
