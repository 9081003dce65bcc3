import { type ExpressionBuilder, type SelectQueryBuilder, sql } from "kysely";
import type { Limit } from "../limits/limits.ts";
import { matchesModel } from "../policy/patterns.ts";
import type { GatewayDatabase } from "../sql/open.ts";
import type { GatewayTables } from "../sql/tables.ts";
import type { ChainedRow } from "./row.ts";

/** Whose rows may be read: everybody's, a team's, one person's, or one key's. */
export type Readable =
  | { readonly kind: "all" }
  | { readonly kind: "team"; readonly teamId: string }
  | { readonly kind: "person"; readonly issuer: string; readonly subject: string }
  | { readonly kind: "key"; readonly keyId: string };

/** Which rows: all that is given must hold. */
export interface RowFilter {
  /** Required, so that no question forgets whose rows they are. */
  readonly readable: Readable;
  readonly traceId?: string | undefined;
  readonly requestId?: string | undefined;
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
  readonly outcome?: string | undefined;
  /** ISO times; `until` is exclusive. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
}

export interface Page {
  readonly limit: number;
  readonly offset: number;
}

type GroupBy = "day" | "model" | "user" | "team" | "key" | "app";

/** The sum over one group; `cost_usd` in USD. */
export interface SpendLine {
  readonly group: Readonly<Partial<Record<GroupBy, string | null>>>;
  readonly requests: number;
  readonly tokens: number;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cost_usd: number;
  /** Requests whose price was not known: they are in no sum. */
  readonly unpriced: number;
}

/** Questions to the record. Each rejects with StoreUnavailable while the database is out of reach. */
export interface RecordQueries {
  rows(filter: RowFilter, page: Page): Promise<readonly ChainedRow[]>;
  /** All rows, newest first, so many at a time; what is written meanwhile gives no row twice. */
  pages(filter: RowFilter, limit: number): AsyncIterable<readonly ChainedRow[]>;
  spend(filter: RowFilter, groupBy: readonly GroupBy[], limit: number): Promise<readonly SpendLine[]>;
  /** What counts against a budget since a moment. */
  spentUsd(limit: Pick<Limit, "scope" | "subject">, sinceMs: number): Promise<number>;
  /** What each of these keys spent since a moment, by id; a key that spent nothing is absent. */
  spentByKeys(ids: readonly string[], sinceMs: number): Promise<ReadonlyMap<string, number>>;
}

/** @param migrated resolves when the tables are there; awaited by every question */
export function createQueries({ kysely, dialect }: GatewayDatabase, migrated: () => Promise<void>): RecordQueries {
  const day =
    dialect === "postgres"
      ? sql<string>`to_char(request_time at time zone 'UTC', 'YYYY-MM-DD')`
      : sql<string>`substr(request_time, 1, 10)`;
  return {
    async rows(filter, { limit, offset }) {
      await migrated();
      const query = where(kysely.selectFrom("request_logs").selectAll(), filter);
      const rows = await query
        .orderBy("request_time", "desc")
        .orderBy("writer_seq", "desc")
        .limit(limit)
        .offset(offset)
        .execute();
      return rows.map(storedRow);
    },
    async *pages(filter, limit) {
      await migrated();
      // By its place and not by its number: rows come late, and then every one after them has another number.
      const from = where(kysely.selectFrom("request_logs").selectAll(), filter)
        .orderBy("request_time", "desc")
        .orderBy("id", "desc")
        .limit(limit);
      let page = await from.execute();
      for (let last = page.at(-1); last !== undefined; last = page.at(-1)) {
        yield page.map(storedRow);
        if (page.length < limit) return;
        const { request_time: time, id } = storedRow(last);
        page = await from.where(sql<boolean>`(request_time, id) < (${time}, ${id})`).execute();
      }
    },
    async spend(filter, groupBy, limit) {
      await migrated();
      const base = where(kysely.selectFrom("request_logs"), filter).select((builder) => [
        builder.fn.countAll<number>().as("requests"),
        builder.fn.sum<number>("tokens").as("tokens"),
        builder.fn.sum<number>("prompt_tokens").as("prompt_tokens"),
        builder.fn.sum<number>("completion_tokens").as("completion_tokens"),
        builder.fn.coalesce(builder.fn.sum<number>("cost_usd"), sql<number>`0`).as("cost_usd"),
        sql<number>`sum(case when cost_usd is null and tokens > 0 then 1 else 0 end)`.as("unpriced"),
      ]);
      const columns = groupBy.map((name) => ({
        name,
        expression: name === "day" ? day : sql<string | null>`${sql.ref(columnOf[name])}`,
      }));
      const grouped = columns.reduce(
        (query, { name, expression }) => query.select(expression.as(name)).groupBy(expression),
        base as unknown as SelectQueryBuilder<GatewayTables, "request_logs", SpendRow>,
      );
      const rows = await grouped.orderBy("cost_usd", "desc").limit(limit).execute();
      return rows.map((row) => spendLine(row, groupBy));
    },
    async spentUsd({ scope, subject }, sinceMs) {
      await migrated();
      const since = kysely
        .selectFrom("request_logs")
        .where("request_time", ">=", new Date(sinceMs).toISOString())
        .where((builder) => mayCountFor(builder, scope, subject));
      const spent = since.select((builder) => builder.fn.sum<number | null>("cost_usd").as("spent"));
      if (scope === "group") {
        const rows = await spent.select("groups as name").groupBy("groups").execute();
        return sumOf(rows.filter(({ name }) => isAmong(subject.value, name)));
      }
      if (scope === "model") {
        const rows = await spent.select("model as name").groupBy("model").execute();
        return sumOf(rows.filter(({ name }) => name !== null && matchesModel(subject.value, name)));
      }
      return sumOf(await spent.execute());
    },
    async spentByKeys(ids, sinceMs) {
      await migrated();
      const rows = await kysely
        .selectFrom("request_logs")
        .select((builder) => ["key_id", builder.fn.sum<number>("cost_usd").as("spent")])
        .where("request_time", ">=", new Date(sinceMs).toISOString())
        .where("key_id", "in", [...ids])
        .groupBy("key_id")
        .execute();
      return new Map(rows.map(({ key_id: id, spent }) => [String(id), Number(spent)]));
    },
  };
}

const columnOf = { model: "model", user: "user_id", team: "team_id", key: "key_id", app: "app" } as const;

type SpendRow = Omit<SpendLine, "group"> & Partial<Record<GroupBy, string | null>>;

function spendLine(row: SpendRow, groupBy: readonly GroupBy[]): SpendLine {
  return {
    group: Object.fromEntries(groupBy.map((name) => [name, row[name] ?? null])),
    requests: Number(row.requests),
    tokens: Number(row.tokens),
    prompt_tokens: Number(row.prompt_tokens),
    completion_tokens: Number(row.completion_tokens),
    cost_usd: Number(row.cost_usd),
    unpriced: Number(row.unpriced),
  };
}

type Builder = ExpressionBuilder<GatewayTables, "request_logs">;

/**
 * What can be asked in words that both databases understand alike: their LIKE has other wildcards than patterns of models
 * have, and in one of them knows no difference of small letters and capitals.
 */
function mayCountFor(builder: Builder, scope: Limit["scope"], { issuer, value, former = [] }: Limit["subject"]) {
  switch (scope) {
    case "user":
      return builder.and([builder("issuer", "=", issuer ?? ""), builder("subject", "=", value)]);
    case "team":
      return builder("team_id", "=", value);
    case "key":
      return builder("key_id", "in", [...former, value]);
    case "app":
      return builder("client_id", "=", value);
    case "group": {
      const quoted = JSON.stringify(value);
      return sql<boolean>`replace(${sql.ref("groups")}, ${quoted}, '') <> ${sql.ref("groups")}`;
    }
    case "model":
      return builder("model", "is not", null);
  }
}

/** @param groups as in a row: a list, as JSON */
function isAmong(value: string, groups: string): boolean {
  const names: unknown = JSON.parse(groups);
  return Array.isArray(names) && names.includes(value);
}

function sumOf(rows: readonly { readonly spent: number | null }[]): number {
  return rows.reduce((sum, { spent }) => sum + Number(spent ?? 0), 0);
}

function where<Output>(query: SelectQueryBuilder<GatewayTables, "request_logs", Output>, filter: RowFilter) {
  return query.where((builder) => builder.and(conditions(builder, filter)));
}

function conditions(builder: Builder, filter: RowFilter) {
  const wanted = [readable(builder, filter.readable)].flat();
  const equal = (
    column: "trace_id" | "request_id" | "user_id" | "team_id" | "key_id" | "model" | "outcome",
    value: string | undefined,
  ) => {
    if (value !== undefined) wanted.push(builder(column, "=", value));
  };
  equal("trace_id", filter.traceId);
  equal("request_id", filter.requestId);
  equal("user_id", filter.userId);
  equal("team_id", filter.teamId);
  equal("key_id", filter.keyId);
  equal("model", filter.model);
  equal("outcome", filter.outcome);
  if (filter.from !== undefined) wanted.push(builder("request_time", ">=", filter.from));
  if (filter.until !== undefined) wanted.push(builder("request_time", "<", filter.until));
  return wanted;
}

function readable(builder: Builder, who: Readable) {
  switch (who.kind) {
    case "all":
      return [];
    case "team":
      return [builder("team_id", "=", who.teamId)];
    case "person":
      return [builder("issuer", "=", who.issuer), builder("subject", "=", who.subject)];
    case "key":
      return [builder("key_id", "=", who.keyId)];
  }
}

/** As it was written: PostgreSQL gives back dates and booleans, SQLite text and numbers. */
export function storedRow(
  row: Omit<ChainedRow, "stream" | "request_time"> & { stream: unknown; request_time: Date | string },
): ChainedRow {
  const { request_time: time } = row;
  return { ...row, stream: Boolean(row.stream), request_time: typeof time === "string" ? time : time.toISOString() };
}
