import type { Caller } from "../caller.ts";
import type { Price } from "../cost/prices.ts";
import type { ModelEntry } from "../deployments.ts";
import { GatewayError } from "../errors.ts";
import { ownerOf } from "../keys/key-admin.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { LimitRule } from "../limits/limits.ts";
import { decide } from "../policy/policy.ts";
import type { RecordQueries } from "../record/queries.ts";
import { routes } from "../routes.ts";
import type { StageContext } from "../stages.ts";
import { viewsWithSpend } from "./key-spend.ts";
import { type FlushRecorder, untilRecorded } from "./recorded.ts";

interface InfoOptions {
  readonly keyStore: KeyStore;
  readonly queries: RecordQueries;
  readonly recorder: FlushRecorder;
}

type Handler = (c: StageContext) => Promise<Response>;

const maxKeys = 100;
const chat = routes[0];

/** `/user/info`, `/team/info`, `/model/info` with LiteLLM's fields; each caller sees what is his. */
export function infoRoutes({ keyStore, queries, recorder }: InfoOptions): Readonly<Record<string, Handler>> {
  return {
    "GET /user/info": async (c) => {
      const caller = c.env.caller;
      const asked = c.req.query("user_id");
      if (asked !== undefined && asked !== caller.userId) return c.json(await anyUser(c, asked));
      await untilRecorded(recorder);
      const { issuer, subject } = caller;
      const spend = await queries.spentUsd({ scope: "user", subject: { issuer, value: subject } }, 0);
      const { keys } = await keyStore.list({ owner: { issuer, subject }, limit: maxKeys, offset: 0 });
      return c.json({
        user_id: caller.userId,
        user_info: { ...person(caller), spend, models: modelsOf(c), ...limitView(limitOf(c, "user", caller.userId)) },
        keys: await viewsWithSpend(keys, queries, Date.now()),
        teams: caller.teamId === undefined ? [] : [{ team_id: caller.teamId }],
      });
    },
    "GET /team/info": async (c) => {
      const caller = c.env.caller;
      const team = teamAsked(c.req.query("team_id"), caller);
      await untilRecorded(recorder);
      const spend = await queries.spentUsd({ scope: "team", subject: { value: team } }, 0);
      // A member's own keys in the team; all of them are the administrators' and the team's own credential's to see.
      const { keys } = await keyStore.list({ owner: ownerOf(caller), teamId: team, limit: maxKeys, offset: 0 });
      return c.json({
        team_id: team,
        team_info: { team_id: team, team_alias: team, spend, ...limitView(limitOf(c, "team", team)) },
        keys: await viewsWithSpend(keys, queries, Date.now()),
      });
    },
    "GET /model/info": async (c) => {
      const { settings, findPrice } = c.env.rules;
      const allowed = new Set(modelsOf(c));
      const shown = settings.models.filter(({ model_name: name }) => allowed.has(name));
      const data = shown.map((entry) => modelView(entry, findPrice(entry.litellm_params.model, entry.model_name)));
      return c.json({ data });
    },
  };

  /** Another's user id is for administrators; it may stand for people of several issuers, so rows are summed by the id. */
  async function anyUser(c: StageContext, userId: string): Promise<Record<string, unknown>> {
    if (c.env.caller.role !== "admin") {
      throw new GatewayError(
        "forbidden",
        `Not allowed: you are ${c.env.caller.userId}; others are for administrators.`,
      );
    }
    await untilRecorded(recorder);
    const [line] = await queries.spend({ readable: { kind: "all" }, userId }, [], 1);
    const { keys } = await keyStore.list({ owner: "anyone", userId, limit: maxKeys, offset: 0 });
    return {
      user_id: userId,
      user_info: { user_id: userId, spend: line?.cost_usd ?? 0, ...limitView(limitOf(c, "user", userId)) },
      keys: await viewsWithSpend(keys, queries, Date.now()),
      teams: [],
    };
  }
}

/** @throws GatewayError when no team is named, or one that is not the caller's */
function teamAsked(asked: string | undefined, { role, teamId }: Caller): string {
  const team = asked ?? teamId;
  if (team === undefined)
    throw new GatewayError("invalid_request", "team_id: say which team; your credential names none.");
  if (role === "admin" || team === teamId) return team;
  throw new GatewayError("forbidden", `Not allowed: you belong to the team ${teamId ?? "none"}, not to ${team}.`);
}

function modelView({ model_name: name, litellm_params: { model } }: ModelEntry, price: Price | undefined) {
  const perToken = (usd: number | undefined) => (usd === undefined ? null : usd / 1e6);
  return {
    model_name: name,
    litellm_params: { model },
    model_info: {
      id: `${name} ${model}`,
      input_cost_per_token: perToken(price?.input),
      output_cost_per_token: perToken(price?.output),
      cache_read_input_token_cost: perToken(price?.cacheRead),
      cache_creation_input_token_cost: perToken(price?.cacheWrite),
      cache_creation_input_token_cost_above_1hr: perToken(price?.cacheWriteHour),
      price_source: price?.source ?? null,
      price_date: price?.date ?? null,
    },
  };
}

function person({ userId, email, role, issuer, subject, groups, credential }: Caller) {
  return { user_id: userId, user_email: email ?? null, user_role: role, issuer, subject, groups, credential };
}

function modelsOf(c: StageContext): readonly string[] {
  const { settings } = c.env.rules;
  const names = [...new Set(settings.models.map(({ model_name: name }) => name))];
  return names.filter((model) => decide(settings.policy, c.env.caller, { route: chat, model }).allowed);
}

function limitOf(c: StageContext, scope: "user" | "team", name: string): LimitRule | undefined {
  const table = c.env.rules.settings.limits[scope];
  return Object.hasOwn(table, name) ? table[name] : table["*"];
}

function limitView(rule: LimitRule | undefined) {
  return {
    rpm_limit: rule?.rpm ?? null,
    tpm_limit: rule?.tpm ?? null,
    max_parallel_requests: rule?.maxParallel ?? null,
    max_budget: rule?.budget?.usd ?? null,
    budget_duration: rule?.budget?.period ?? null,
  };
}
