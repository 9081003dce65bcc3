import { type Kysely, sql } from "kysely";

/** Which SQL a migration or a query is written for, where the two differ. */
export type SqlDialect = "sqlite" | "postgres";

/** One step of a schema. Its name is its identity: once released, neither is changed. */
export interface Migration {
  readonly name: string;
  up(kysely: Kysely<unknown>, dialect: SqlDialect): Promise<void>;
}

interface Bookkeeping {
  readonly onbehalf_migrations: { readonly namespace: string; readonly name: string; readonly applied_at: string };
}

/** A change of a large table takes longer than a request's query ever may. */
export const migrationMs = 300_000;

/** Any number that nothing else in the database locks: “onbehalf” in ASCII, cut to what fits. */
const advisoryLock = 0x6f6e6265;

/**
 * Runs what has not been run yet, in the order given, in one transaction under a lock: replicas that start together
 * do it once, and a step that fails leaves nothing behind. Steps in the database that this version does not know are
 * left alone: a newer replica ran them.
 * @param namespace the service; several may share a database
 */
export async function migrate<Schema>(
  kysely: Kysely<Schema>,
  dialect: SqlDialect,
  namespace: string,
  migrations: readonly Migration[],
): Promise<readonly string[]> {
  const names = migrations.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new TypeError(`${namespace} has two migrations of one name.`);
  return kysely.transaction().execute(async (transaction) => {
    const books = transaction as unknown as Kysely<Bookkeeping>;
    if (dialect === "postgres") await lockPostgres(books);
    const applied = await appliedNames(books, namespace);
    const due = migrations.filter(({ name }) => !applied.has(name));
    for (const migration of due) {
      await migration.up(books as unknown as Kysely<unknown>, dialect);
      const row = { namespace, name: migration.name, applied_at: new Date().toISOString() };
      await books.insertInto("onbehalf_migrations").values(row).execute();
    }
    return due.map(({ name }) => name);
  });
}

/** Held until the transaction ends. */
async function lockPostgres(kysely: Kysely<Bookkeeping>): Promise<void> {
  await sql`set local statement_timeout = ${sql.lit(migrationMs)}`.execute(kysely);
  await sql`select pg_advisory_xact_lock(${sql.lit(advisoryLock)})`.execute(kysely);
}

async function appliedNames(kysely: Kysely<Bookkeeping>, namespace: string): Promise<ReadonlySet<string>> {
  await kysely.schema
    .createTable("onbehalf_migrations")
    .ifNotExists()
    .addColumn("namespace", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("applied_at", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("onbehalf_migrations_key", ["namespace", "name"])
    .execute();
  const rows = await kysely
    .selectFrom("onbehalf_migrations")
    .select("name")
    .where("namespace", "=", namespace)
    .execute();
  return new Set(rows.map(({ name }) => name));
}
