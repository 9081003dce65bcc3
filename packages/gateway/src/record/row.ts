/** One row of `request_logs`: what was asked, by whom, how it ended, what it cost. No prompt, no answer, no secret. */
export interface RequestRow {
  readonly id: string;
  /** ISO 8601 in UTC, milliseconds: when the request came. */
  readonly request_time: string;
  readonly user_id: string | null;
  readonly user_email: string | null;
  readonly issuer: string | null;
  readonly subject: string | null;
  readonly team_id: string | null;
  readonly client_id: string | null;
  /** JSON array of `{issuer, subject}`: who acted for the subject, the nearest first. */
  readonly actors: string;
  readonly app: string | null;
  /** JSON array of names. */
  readonly groups: string;
  /** JSON array. */
  readonly audience: string;
  /** JSON array. */
  readonly scopes: string;
  readonly credential: string | null;
  readonly role: string | null;
  readonly key_id: string | null;
  readonly expires_at: number | null;
  readonly route: string;
  readonly model: string | null;
  readonly provider_model: string | null;
  readonly status: number;
  readonly outcome: Outcome;
  readonly error_code: string | null;
  /** The limit that refused, or the policy rule. */
  readonly rule: string | null;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly tokens: number;
  readonly cost_usd: number | null;
  readonly duration_ms: number;
  readonly first_token_ms: number | null;
  readonly stream: boolean;
  readonly trace_id: string;
  readonly request_id: string;
  /** JSON object: what an administrator changed, what a client said of itself. Never trusted, never a secret. */
  readonly detail: string;
}

/** `denied` is 401 or 403, `limited` 429, `aborted` a client that left. */
export type Outcome = "ok" | "denied" | "limited" | "error" | "aborted";

/** A row as it leaves its request: its values as its hash will cover them, and beside them what metrics count. */
export interface EndedRow
  extends Pick<
    RequestRow,
    | "provider_model"
    | "outcome"
    | "error_code"
    | "prompt_tokens"
    | "completion_tokens"
    | "tokens"
    | "cost_usd"
    | "first_token_ms"
  > {
  /** JSON array of all values, in the order of `rowColumns`; one line. */
  readonly fields: string;
}

/** A row as it is stored: numbered within its writer and bound to the row before it. */
export interface ChainedRow extends RequestRow {
  readonly writer_id: string;
  readonly writer_seq: number;
  readonly previous_hash: string;
  readonly hash: string;
}

/** In the order in which a row's hash takes them: another order would break every chain that was written. */
export const rowColumns = [
  "id",
  "request_time",
  "user_id",
  "user_email",
  "issuer",
  "subject",
  "team_id",
  "client_id",
  "actors",
  "app",
  "groups",
  "audience",
  "scopes",
  "credential",
  "role",
  "key_id",
  "expires_at",
  "route",
  "model",
  "provider_model",
  "status",
  "outcome",
  "error_code",
  "rule",
  "prompt_tokens",
  "completion_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "tokens",
  "cost_usd",
  "duration_ms",
  "first_token_ms",
  "stream",
  "trace_id",
  "request_id",
  "detail",
] as const satisfies readonly (keyof RequestRow)[];
