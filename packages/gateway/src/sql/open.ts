import { type Database, openDatabase } from "@onbehalf/service-kit";
import { migrations, namespace } from "./migrations.ts";
import type { GatewayTables } from "./tables.ts";

/** The gateway's tables, on SQLite or Postgres. */
export type GatewayDatabase = Database<GatewayTables>;

/** Where they are, by `DATABASE_URL` or the data folder. */
export interface DatabasePlace {
  /** Absent: SQLite in the data folder. */
  readonly url: string | undefined;
  readonly dataDir: string;
}

/** The gateway's database, not yet migrated and possibly out of reach. */
export function openGatewayDatabase(place: DatabasePlace, maxConnections = 10): Promise<GatewayDatabase> {
  return openDatabase<GatewayTables>({
    url: place.url,
    dataDir: place.dataDir,
    file: "gateway.sqlite",
    maxConnections,
  });
}

/** Brings the schema up to date, once per process; until it has succeeded every use tries again. */
export function createMigrator(database: GatewayDatabase): () => Promise<void> {
  let done: Promise<unknown> | undefined;
  return async () => {
    done ??= database.migrate(namespace, migrations).catch((error: unknown) => {
      done = undefined;
      throw error;
    });
    await done;
  };
}
