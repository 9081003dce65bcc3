import type { Database } from "@onbehalf/service-kit";
import { type Kysely, sql } from "kysely";

/** Times are seconds since the epoch in sessions, ISO 8601 in applications; flags are 0 and 1 in both databases. */
export interface LaunchpadTables {
  readonly launchpad_sessions: {
    readonly id: string;
    readonly owner: string;
    readonly provider_session: string | null;
    readonly created_at: number;
    readonly last_seen_at: number;
    readonly expires_at: number;
    readonly generation: number;
    readonly sealed: string;
    /** Milliseconds since the epoch; 0 when nobody holds the session's lock. */
    readonly leased_until: number;
    readonly lease_holder: string | null;
  };
  readonly launchpad_apps: {
    readonly id: string;
    readonly settings: string;
    readonly created_by: string | null;
    readonly created_at: string | null;
  };
  readonly launchpad_app_keys: {
    readonly id: string;
    readonly app_id: string;
    readonly name: string;
    readonly hint: string;
    readonly hash: string;
    readonly expires_at: string | null;
    readonly disabled: number;
    readonly created_by: string | null;
    readonly created_at: string | null;
    readonly last_used_at: string | null;
  };
  /** New keys on their way to the page that shows them. */
  readonly launchpad_handovers: {
    readonly id: string;
    readonly sealed: string;
    readonly expires_at: number;
  };
}

/** Launchpad's tables, on SQLite or Postgres. */
export type LaunchpadDatabase = Database<LaunchpadTables>;

/** In the order they are run; once released, a step is never changed. */
export const migrations = [
  {
    name: "001-sessions",
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("launchpad_sessions")
        .addColumn("id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("owner", "varchar(64)", (column) => column.notNull())
        .addColumn("provider_session", "varchar(64)")
        .addColumn("created_at", "bigint", (column) => column.notNull())
        .addColumn("last_seen_at", "bigint", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .addColumn("generation", "bigint", (column) => column.notNull())
        .addColumn("sealed", "text", (column) => column.notNull())
        .addColumn("leased_until", "double precision", (column) => column.notNull().defaultTo(0))
        .addColumn("lease_holder", "varchar(64)")
        .execute();
      for (const column of ["owner", "provider_session", "expires_at"]) {
        await sql`create index ${sql.ref(`launchpad_sessions_${column}`)} on launchpad_sessions (${sql.ref(column)})`.execute(
          database,
        );
      }
    },
  },
  {
    name: "002-apps",
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("launchpad_apps")
        .addColumn("id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("settings", "text", (column) => column.notNull())
        .addColumn("created_by", "text")
        .addColumn("created_at", "text")
        .execute();
      await database.schema
        .createTable("launchpad_app_keys")
        .addColumn("id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("app_id", "varchar(64)", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("hint", "varchar(20)", (column) => column.notNull())
        .addColumn("hash", "varchar(64)", (column) => column.notNull())
        .addColumn("expires_at", "text")
        .addColumn("disabled", "integer", (column) => column.notNull().defaultTo(0))
        .addColumn("created_by", "text")
        .addColumn("created_at", "text")
        .addColumn("last_used_at", "text")
        .execute();
      await sql`create index launchpad_app_keys_hint on launchpad_app_keys (hint)`.execute(database);
      await sql`create index launchpad_app_keys_app_id on launchpad_app_keys (app_id)`.execute(database);
    },
  },
  {
    name: "003-handovers",
    async up(database: Kysely<unknown>) {
      await database.schema
        .createTable("launchpad_handovers")
        .addColumn("id", "varchar(64)", (column) => column.primaryKey())
        .addColumn("sealed", "text", (column) => column.notNull())
        .addColumn("expires_at", "bigint", (column) => column.notNull())
        .execute();
    },
  },
] as const;
