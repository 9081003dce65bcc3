import type { TrailExchange, TrailIdentity } from "@onbehalf/service-kit";
import type { Context } from "hono";
import { z } from "zod";
import type { Voicebox } from "../voicebox.ts";
import type { ApiEnv, Credentials } from "./credentials.ts";
import { callOf, sendOnBehalf } from "./on-behalf.ts";

/** Who one is at Voicebox and at the gateway, and what one may do there; asked through the chain. */
export interface MeBelow {
  readonly identity: TrailIdentity | null;
  readonly exchange: TrailExchange | null;
  /** The gateway's own answer about the user. */
  readonly gateway: Readonly<Record<string, unknown>>;
  readonly models: readonly string[];
}

/** One line of the gateway's spending report: one group on one day. */
export interface UsageLine {
  /** UTC date. */
  readonly day: string;
  readonly group: string;
  readonly requests: number;
  readonly tokens: number;
  readonly usd: number;
}

/** One refusal of the gateway's, as its record has it. */
export interface Denial {
  /** ISO 8601. */
  readonly at: string;
  readonly user: string;
  readonly route: string;
  readonly model: string;
  readonly status: number;
  readonly code: string;
  readonly traceId: string;
}

/** What one part of the chain says of itself; `milliseconds` and `reason` where there are any. */
export interface Check {
  readonly name: string;
  readonly status: "ok" | "down";
  readonly reason: string | null;
  readonly milliseconds: number | null;
}

/** A database that Voicebox is set up with. */
export interface Connection {
  readonly name: string;
  readonly description: string | null;
  readonly default: boolean;
}

const usageBy = ["user", "team", "model", "app"] as const;
/** What the gateway's figures are summed by. */
export type UsageBy = (typeof usageBy)[number];

/** What Launchpad asks of the services behind it, in the caller's name. */
export interface Below {
  me(c: Context<ApiEnv>): Promise<MeBelow>;
  /** What was asked of models; look-ups are left out. */
  usage(c: Context<ApiEnv>, fromMs: number): Promise<Readonly<Record<UsageBy, readonly UsageLine[]>>>;
  denials(c: Context<ApiEnv>, fromMs: number): Promise<readonly Denial[]>;
  health(c: Context<ApiEnv>): Promise<readonly Check[]>;
  connections(c: Context<ApiEnv>): Promise<readonly Connection[]>;
}

const record = z.record(z.string(), z.unknown());
const meShape = z.object({
  identity: z.looseObject({}).nullish(),
  exchange: z.looseObject({}).nullish(),
  gateway: record.nullish(),
  models: z.array(z.string()).default([]),
});
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);
const usageShape = z.object({
  rows: z.array(z.object({ group: record, requests: count, tokens: count, cost_usd: count })),
});
type UsageRow = z.output<typeof usageShape>["rows"][number];

/** What requests are called that belong to no group of a kind. */
const withoutGroup: Readonly<Record<UsageBy, string>> = {
  user: "nobody known",
  team: "no team",
  model: "no model",
  app: "no application",
};

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const eventsShape = z.object({
  events: z.array(
    z.object({
      request_time: text,
      user_id: text,
      subject: text,
      route: text,
      model: text,
      status: count,
      error_code: text,
      rule: text,
      trace_id: text,
    }),
  ),
});
const healthShape = z.object({
  checks: z.array(
    z.object({ name: z.string(), status: z.string(), reason: z.string().nullish(), ms: z.number().nullish() }),
  ),
});

const connectionsShape = z.object({
  connections: z
    .array(
      z.object({
        name: z.string().min(1),
        description: z
          .string()
          .nullish()
          .transform((value) => value ?? null),
        default: z.boolean().default(false),
      }),
    )
    .max(1000),
});

const modelCallsShape = z.object({
  events: z.array(z.object({ provider_model: text, outcome: text, error_code: text, request_time: text })),
});

/** What the gateway calls failures of the provider; that a request was not good enough for it says nothing of it. */
const providerFault = /^upstream_(?!invalid_request$)/;

/** Nobody asks a model just to see whether it is there: how the last real call went says it. */
function bedrockFrom(events: z.output<typeof modelCallsShape>["events"]): Check {
  const last = events.find(
    ({ provider_model, outcome, error_code }) =>
      provider_model !== "" && (outcome === "ok" || (outcome === "error" && providerFault.test(error_code))),
  );
  if (last === undefined || last.outcome === "ok")
    return { name: "bedrock", status: "ok", reason: null, milliseconds: null };
  const reason = `the last call, at ${last.request_time.slice(11, 19)} UTC, failed: ${last.error_code}`;
  return { name: "bedrock", status: "down", reason, milliseconds: null };
}

function usageLine({ group, requests, tokens, cost_usd: usd }: UsageRow, by: UsageBy): UsageLine {
  return { day: String(group.day ?? ""), group: String(group[by] ?? withoutGroup[by]), requests, tokens, usd };
}

function denialFrom(event: z.output<typeof eventsShape>["events"][number]): Denial {
  return {
    at: event.request_time,
    user: event.user_id || event.subject || "unknown",
    route: event.route,
    model: event.model,
    status: event.status,
    code: event.rule || event.error_code,
    traceId: event.trace_id,
  };
}

/** Asks the services below for what pages show, always with a token of the person who looks at the page. */
export function createBelow(credentials: Credentials, voicebox: Voicebox): Below {
  async function get<S extends z.ZodType>(c: Context<ApiEnv>, path: string, shape: S): Promise<z.output<S>> {
    const reader = await credentials.reader(c);
    const answer = await sendOnBehalf(voicebox, reader, { method: "GET", path }, callOf(c));
    return shape.parse(await answer.json());
  }

  return {
    async me(c) {
      const me = await get(c, "/api/v1/me", meShape);
      return {
        identity: (me.identity ?? null) as TrailIdentity | null,
        exchange: (me.exchange ?? null) as TrailExchange | null,
        gateway: me.gateway ?? {},
        models: me.models,
      };
    },
    async usage(c, fromMs) {
      // Asked once for all: the question itself becomes a row, and every chart must count the same.
      const query = new URLSearchParams({
        group_by: ["day", ...usageBy].join(","),
        from: new Date(fromMs).toISOString(),
      });
      const { rows } = await get(c, `/api/v1/usage?${query}`, usageShape);
      const asked = rows.filter(({ group }) => group.model !== null && group.model !== undefined);
      const by = (name: UsageBy) => asked.map((row) => usageLine(row, name));
      return { user: by("user"), team: by("team"), model: by("model"), app: by("app") };
    },
    async denials(c, fromMs) {
      const query = new URLSearchParams({ outcome: "denied", limit: "200", from: new Date(fromMs).toISOString() });
      const { events } = await get(c, `/api/v1/events?${query}`, eventsShape);
      // What a page looks up for somebody who may not is no attempt of theirs.
      const tried = events.filter(({ model }) => model !== "").slice(0, 20);
      return tried.map(denialFrom);
    },
    async connections(c) {
      return (await get(c, "/api/v1/connections", connectionsShape)).connections;
    },
    async health(c) {
      const [{ checks }, { events }] = await Promise.all([
        get(c, "/api/v1/chain-health", healthShape),
        get(c, "/api/v1/events?limit=50", modelCallsShape),
      ]);
      const asked = checks.map(
        ({ name, status, reason, ms }): Check => ({
          name,
          status: status === "ok" ? "ok" : "down",
          reason: reason ?? null,
          milliseconds: ms ?? null,
        }),
      );
      return asked.some(({ name }) => name === "bedrock") ? asked : [...asked, bedrockFrom(events)];
    },
  };
}
