import { createHmac, randomBytes } from "node:crypto";
import type { Caller, Role } from "../caller.ts";
import type { Budget, LimitRule } from "../limits/limits.ts";
import type { Period } from "../limits/period.ts";
import type { VirtualKeysTable } from "../sql/tables.ts";

/** A virtual key as the gateway knows it: who it speaks for and what it may; never the key itself. */
export interface VirtualKey {
  readonly id: string;
  readonly hint: string;
  readonly alias: string | undefined;
  readonly issuer: string;
  readonly subject: string;
  readonly userId: string;
  readonly email: string | undefined;
  readonly teamId: string | undefined;
  readonly role: Role;
  readonly groups: readonly string[];
  readonly models: readonly string[];
  readonly routes: readonly string[];
  readonly explicit: boolean;
  readonly limits: LimitRule;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly blocked: boolean;
  /** ISO times. */
  readonly expiresAt: string | undefined;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly updatedAt: string;
  readonly replaces: string | undefined;
  /** The ids of all keys that it took over from, the oldest first: they are counted together. */
  readonly former: readonly string[];
}

/** 32 random bytes: nothing to guess, so one HMAC is enough and no slow hash is needed. */
export function newKey(): { readonly key: string; readonly id: string } {
  return { key: `sk-${randomBytes(32).toString("base64url")}`, id: `key_${randomBytes(9).toString("base64url")}` };
}

/** Last characters, to recognise a key by. */
export function hintOf(key: string): string {
  return `sk-...${key.slice(-4)}`;
}

/** Of a key's text, with this installation's pepper: what is stored instead of the key. */
export type HashKey = (key: string) => string;

/** Keyed with the pepper: a copy of the table alone cannot be tried against. */
export function createKeyHash(pepper: string): HashKey {
  return (key) => createHmac("sha256", pepper).update(key).digest("hex");
}

/** The caller that a key speaks for. */
export function callerFromKey(key: VirtualKey): Caller {
  return {
    credential: "virtual-key",
    issuer: key.issuer,
    subject: key.subject,
    kind: "user",
    userId: key.userId,
    email: key.email,
    name: undefined,
    teamId: key.teamId,
    clientId: undefined,
    role: key.role,
    groups: key.groups,
    groupsState: "listed",
    audience: [],
    scopes: [],
    actors: [],
    expiresAt: key.expiresAt === undefined ? undefined : Date.parse(key.expiresAt) / 1000,
    token: undefined,
    key: {
      id: key.id,
      former: key.former,
      alias: key.alias,
      models: key.models,
      routes: key.routes,
      explicit: key.explicit,
      limits: key.limits,
    },
  };
}

/** Lists are JSON in the row. */
export function keyFromRow(row: VirtualKeysTable): VirtualKey {
  return {
    id: row.id,
    hint: row.hint,
    alias: row.alias ?? undefined,
    issuer: row.issuer,
    subject: row.subject,
    userId: row.user_id,
    email: row.user_email ?? undefined,
    teamId: row.team_id ?? undefined,
    role: row.role as Role,
    groups: JSON.parse(row.groups),
    models: JSON.parse(row.models),
    routes: JSON.parse(row.routes),
    explicit: row.explicit === 1,
    limits: {
      rpm: row.rpm_limit ?? undefined,
      tpm: row.tpm_limit ?? undefined,
      maxParallel: row.max_parallel ?? undefined,
      budget: budgetOf(row),
    },
    metadata: JSON.parse(row.metadata),
    blocked: row.blocked === 1,
    expiresAt: row.expires_at ?? undefined,
    createdAt: row.created_at,
    createdBy: row.created_by,
    updatedAt: row.updated_at,
    replaces: row.replaces ?? undefined,
    former: row.former === null ? [] : JSON.parse(row.former),
  };
}

function budgetOf(row: VirtualKeysTable): Budget | undefined {
  if (row.budget_usd === null) return undefined;
  const warnAt = row.soft_budget_usd === null ? 0.8 : Math.min(1, row.soft_budget_usd / row.budget_usd);
  return { usd: row.budget_usd, period: (row.budget_period ?? "month") as Period, warnAt };
}

export function rowFromKey(key: VirtualKey, keyHash: string): VirtualKeysTable {
  const { limits } = key;
  return {
    id: key.id,
    key_hash: keyHash,
    hint: key.hint,
    alias: key.alias ?? null,
    issuer: key.issuer,
    subject: key.subject,
    user_id: key.userId,
    user_email: key.email ?? null,
    team_id: key.teamId ?? null,
    role: key.role,
    groups: JSON.stringify(key.groups),
    models: JSON.stringify(key.models),
    routes: JSON.stringify(key.routes),
    explicit: key.explicit ? 1 : 0,
    rpm_limit: limits.rpm ?? null,
    tpm_limit: limits.tpm ?? null,
    max_parallel: limits.maxParallel ?? null,
    budget_usd: limits.budget?.usd ?? null,
    budget_period: limits.budget?.period ?? null,
    soft_budget_usd: limits.budget === undefined ? null : limits.budget.usd * limits.budget.warnAt,
    metadata: JSON.stringify(key.metadata),
    blocked: key.blocked ? 1 : 0,
    expires_at: key.expiresAt ?? null,
    created_at: key.createdAt,
    created_by: key.createdBy,
    updated_at: key.updatedAt,
    replaces: key.replaces ?? null,
    former: key.former.length === 0 ? null : JSON.stringify(key.former),
  };
}
