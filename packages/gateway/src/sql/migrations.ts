import type { Migration, SqlDialect } from "@onbehalf/service-kit";
import { type Kysely, sql } from "kysely";

/** The namespace of this service's tables in a database it may share. */
export const namespace = "gateway";

/** One source for SQLite and PostgreSQL; what differs is the type of times and truth values. */
export const migrations: readonly Migration[] = [
  {
    name: "0001_record",
    async up(kysely, dialect) {
      const moment = dialect === "postgres" ? sql`timestamptz(3)` : "text";
      await createRequestLogs(kysely, moment, true);
      await index(kysely, "request_logs_team", ["team_id", "request_time"]);
      await kysely.schema
        .createTable("record_writers")
        .addColumn("writer_id", "text", (column) => column.primaryKey())
        .addColumn("started_at", "text", (column) => column.notNull())
        .addColumn("base_seq", "integer", (column) => column.notNull())
        .addColumn("base_hash", "text", (column) => column.notNull())
        .addColumn("head_seq", "integer", (column) => column.notNull())
        .addColumn("head_hash", "text", (column) => column.notNull())
        .addColumn("closed_at", "text")
        .addColumn("ending", "text")
        .execute();
    },
  },
  { name: "0002_keys", up: createKeys },
  {
    name: "0003_misfits",
    async up(kysely) {
      await kysely.schema
        .createTable("record_misfits")
        .addColumn("writer_id", "text", (column) => column.notNull())
        .addColumn("writer_seq", "integer", (column) => column.notNull())
        .addColumn("row", "text", (column) => column.notNull())
        .addColumn("reason", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("record_misfits_key", ["writer_id", "writer_seq"])
        .execute();
    },
  },
  { name: "0004_fewer_indices", up: leaveIndicesOut },
  {
    name: "0005_former_keys",
    up: (kysely) => kysely.schema.alterTable("virtual_keys").addColumn("former", "text").execute(),
  },
];

type ColumnTypeName = "text" | ReturnType<typeof sql>;

async function createRequestLogs(kysely: Kysely<unknown>, moment: ColumnTypeName, indexIds: boolean): Promise<void> {
  await kysely.schema
    .createTable("request_logs")
    .addColumn("id", "text", (column) => (indexIds ? column.primaryKey() : column.notNull()))
    .addColumn("request_time", moment, (column) => column.notNull())
    .addColumn("user_id", "text")
    .addColumn("user_email", "text")
    .addColumn("issuer", "text")
    .addColumn("subject", "text")
    .addColumn("team_id", "text")
    .addColumn("client_id", "text")
    .addColumn("actors", "text", (column) => column.notNull())
    .addColumn("app", "text")
    .addColumn("groups", "text", (column) => column.notNull())
    .addColumn("audience", "text", (column) => column.notNull())
    .addColumn("scopes", "text", (column) => column.notNull())
    .addColumn("credential", "text")
    .addColumn("role", "text")
    .addColumn("key_id", "text")
    .addColumn("expires_at", "double precision")
    .addColumn("route", "text", (column) => column.notNull())
    .addColumn("model", "text")
    .addColumn("provider_model", "text")
    .addColumn("status", "integer", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("error_code", "text")
    .addColumn("rule", "text")
    .addColumn("prompt_tokens", "bigint", (column) => column.notNull())
    .addColumn("completion_tokens", "bigint", (column) => column.notNull())
    .addColumn("cache_read_tokens", "bigint", (column) => column.notNull())
    .addColumn("cache_write_tokens", "bigint", (column) => column.notNull())
    .addColumn("tokens", "bigint", (column) => column.notNull())
    .addColumn("cost_usd", "double precision")
    .addColumn("duration_ms", "double precision", (column) => column.notNull())
    .addColumn("first_token_ms", "double precision")
    .addColumn("stream", "boolean", (column) => column.notNull())
    .addColumn("trace_id", "text", (column) => column.notNull())
    .addColumn("request_id", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("writer_id", "text", (column) => column.notNull())
    .addColumn("writer_seq", "integer", (column) => column.notNull())
    .addColumn("previous_hash", "text", (column) => column.notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .execute();
  await index(kysely, "request_logs_chain", ["writer_id", "writer_seq"], true);
  await index(kysely, "request_logs_time", ["request_time"]);
  await index(kysely, "request_logs_trace", ["trace_id"]);
  await index(kysely, "request_logs_subject", ["issuer", "subject", "request_time"]);
}

/**
 * SQLite keeps its indices in the gateway's own processor time, and these two take a seventh of what it costs to insert a
 * row: nobody asks for rows by id, and most rows have no team. A table that has rows already stays as it is, since to be
 * built anew it would hold up everything for minutes; so does PostgreSQL's, whose server pays for them.
 */
async function leaveIndicesOut(kysely: Kysely<unknown>, dialect: SqlDialect): Promise<void> {
  const { rows } = await sql`select 1 from request_logs limit 1`.execute(kysely);
  if (dialect !== "sqlite" || rows.length > 0) return;
  await kysely.schema.dropTable("request_logs").execute();
  await createRequestLogs(kysely, "text", false);
  await kysely.schema
    .createIndex("request_logs_team")
    .on("request_logs")
    .columns(["team_id", "request_time"])
    .where(sql.ref("team_id"), "is not", null)
    .execute();
}

async function createKeys(kysely: Kysely<unknown>): Promise<void> {
  await kysely.schema
    .createTable("virtual_keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("key_hash", "text", (column) => column.notNull().unique())
    .addColumn("hint", "text", (column) => column.notNull())
    .addColumn("alias", "text", (column) => column.unique())
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull())
    .addColumn("user_email", "text")
    .addColumn("team_id", "text")
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("groups", "text", (column) => column.notNull())
    .addColumn("models", "text", (column) => column.notNull())
    .addColumn("routes", "text", (column) => column.notNull())
    .addColumn("explicit", "integer", (column) => column.notNull())
    .addColumn("rpm_limit", "integer")
    .addColumn("tpm_limit", "integer")
    .addColumn("max_parallel", "integer")
    .addColumn("budget_usd", "double precision")
    .addColumn("budget_period", "text")
    .addColumn("soft_budget_usd", "double precision")
    .addColumn("metadata", "text", (column) => column.notNull())
    .addColumn("blocked", "integer", (column) => column.notNull())
    .addColumn("expires_at", "text")
    .addColumn("created_at", "text", (column) => column.notNull())
    .addColumn("created_by", "text", (column) => column.notNull())
    .addColumn("updated_at", "text", (column) => column.notNull())
    .addColumn("replaces", "text")
    .execute();
  await index(kysely, "virtual_keys_owner", ["issuer", "subject"]);
  await index(kysely, "virtual_keys_team", ["team_id"]);
  await kysely.schema
    .createTable("gateway_settings")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("value", "text", (column) => column.notNull())
    .execute();
}

async function index(kysely: Kysely<unknown>, name: string, columns: readonly string[], unique = false): Promise<void> {
  const table = name.startsWith("virtual_keys") ? "virtual_keys" : "request_logs";
  const builder = kysely.schema
    .createIndex(name)
    .on(table)
    .columns([...columns]);
  await (unique ? builder.unique() : builder).execute();
}
