import type { ColumnType } from "kysely";
import type { ChainedRow } from "../record/row.ts";

/** Booleans and times come back differently from SQLite (0/1, text) and PostgreSQL (boolean, Date). */
type Flag = ColumnType<boolean | number, boolean | number, boolean | number>;
type Moment = ColumnType<Date | string, string, string>;

interface RequestLogsTable extends Omit<ChainedRow, "stream" | "request_time"> {
  readonly stream: Flag;
  readonly request_time: Moment;
}

/** One process's chain of rows: where it begins, how far it is known to have come, how it ended. */
export interface RecordWritersTable {
  readonly writer_id: string;
  readonly started_at: string;
  /** Rows up to here were removed by retention; the chain goes on from `base_hash`. */
  readonly base_seq: number;
  readonly base_hash: string;
  readonly head_seq: number;
  readonly head_hash: string;
  readonly closed_at: string | null;
  /** `clean`, `lost` (the process died; up to 50 ms of rows may be missing), or null while it runs. */
  readonly ending: string | null;
}

/** Rows the database would not take as they are: kept whole as JSON, so that the chain has no hole. */
interface RecordMisfitsTable {
  readonly writer_id: string;
  readonly writer_seq: number;
  readonly row: string;
  readonly reason: string;
}

/** A key without the key: its hash, its owner and what it may do. */
export interface VirtualKeysTable {
  readonly id: string;
  readonly key_hash: string;
  /** The last four characters, to recognise a key by. */
  readonly hint: string;
  readonly alias: string | null;
  readonly issuer: string;
  readonly subject: string;
  readonly user_id: string;
  readonly user_email: string | null;
  readonly team_id: string | null;
  readonly role: string;
  /** JSON arrays. */
  readonly groups: string;
  readonly models: string;
  readonly routes: string;
  /** 1: made by an administrator, so its grant needs no group. */
  readonly explicit: number;
  readonly rpm_limit: number | null;
  readonly tpm_limit: number | null;
  readonly max_parallel: number | null;
  readonly budget_usd: number | null;
  readonly budget_period: string | null;
  readonly soft_budget_usd: number | null;
  readonly metadata: string;
  readonly blocked: number;
  /** ISO times. */
  readonly expires_at: string | null;
  readonly created_at: string;
  readonly created_by: string;
  readonly updated_at: string;
  /** The key this one took over from, while both are good. */
  readonly replaces: string | null;
  /** JSON array of ids. */
  readonly former: string | null;
}

interface GatewaySettingsTable {
  readonly name: string;
  readonly value: string;
}

/** Every table, as Kysely knows them. */
export interface GatewayTables {
  readonly request_logs: RequestLogsTable;
  readonly record_writers: RecordWritersTable;
  readonly record_misfits: RecordMisfitsTable;
  readonly virtual_keys: VirtualKeysTable;
  readonly gateway_settings: GatewaySettingsTable;
}
