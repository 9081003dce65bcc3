import type { MadeKey } from "../keys/key-admin.ts";
import { periodDuration } from "../keys/key-request.ts";
import type { VirtualKey } from "../keys/virtual-key.ts";
import { periodAt } from "../limits/period.ts";

/** A key in LiteLLM's fields. Neither the key nor its hash is in it: `token` is the key's public id. */
export function keyView(key: VirtualKey, spend: number, nowMs: number): Record<string, unknown> {
  const { limits } = key;
  const { budget } = limits;
  return {
    token: key.id,
    token_id: key.id,
    key_name: key.hint,
    key_alias: key.alias ?? null,
    user_id: key.userId,
    team_id: key.teamId ?? null,
    user_role: key.role,
    models: key.models,
    allowed_routes: key.routes,
    spend,
    max_budget: budget?.usd ?? null,
    soft_budget: budget === undefined ? null : budget.usd * budget.warnAt,
    budget_duration: budget === undefined ? null : periodDuration[budget.period],
    budget_reset_at: budget === undefined ? null : new Date(periodAt(budget.period, nowMs).end).toISOString(),
    rpm_limit: limits.rpm ?? null,
    tpm_limit: limits.tpm ?? null,
    max_parallel_requests: limits.maxParallel ?? null,
    metadata: key.metadata,
    blocked: key.blocked,
    expires: key.expiresAt ?? null,
    created_at: key.createdAt,
    created_by: key.createdBy,
    updated_at: key.updatedAt,
    replaces: key.replaces ?? null,
  };
}

/** The only answer that holds a key. */
export function madeView({ key, made }: MadeKey, nowMs: number): Record<string, unknown> {
  return { key, ...keyView(made, 0, nowMs) };
}
