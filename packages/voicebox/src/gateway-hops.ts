import type { TrailHop } from "@onbehalf/service-kit";
import { z } from "zod";

/** A list as the gateway's rows keep it: an array, or its JSON text. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => (typeof value === "string" ? parsed(value) : (value ?? [])), z.array(item));

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? null);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

const rowSchema = z.object({
  request_time: z.string(),
  trace_id: z.string(),
  request_id: z.string(),
  route: z.string(),
  status: z.number(),
  outcome: z.enum(["ok", "denied", "limited", "error", "aborted"]),
  error_code: text,
  duration_ms: number,
  issuer: text,
  subject: text,
  client_id: text,
  user_email: text,
  app: text,
  expires_at: number,
  credential: z.enum(["session", "jwt", "app-key", "virtual-key", "master-key"]).nullish().catch(null),
  audience: listOf(z.string()),
  scopes: listOf(z.string()),
  groups: listOf(z.string()),
  actors: listOf(z.object({ issuer: text, subject: z.string() })),
  model: text,
  provider_model: text,
  prompt_tokens: number,
  completion_tokens: number,
  tokens: number,
  cost_usd: number,
  first_token_ms: number,
  rule: text,
});

const eventsSchema = z.object({ events: z.array(z.unknown()) });

/** The gateway's rows as hops of the trail; rows of an unknown form are left out. */
export function gatewayHops(body: unknown): readonly TrailHop[] {
  const events = eventsSchema.safeParse(body);
  if (!events.success) return [];
  return events.data.events.flatMap((row) => {
    const read = rowSchema.safeParse(row);
    return read.success ? [hopOf(read.data)] : [];
  });
}

function hopOf(row: z.output<typeof rowSchema>): TrailHop {
  const { model, provider_model, prompt_tokens, completion_tokens, tokens, cost_usd, first_token_ms, rule } = row;
  return {
    service: "gateway",
    trace_id: row.trace_id,
    request_id: row.request_id,
    at: row.request_time,
    route: row.route,
    status: row.status,
    outcome: row.outcome,
    error_code: row.error_code,
    duration_ms: row.duration_ms ?? 0,
    identity: identityOf(row),
    exchange: null,
    app: row.app,
    detail: { model, provider_model, prompt_tokens, completion_tokens, tokens, cost_usd, first_token_ms, rule },
  };
}

function identityOf(row: z.output<typeof rowSchema>): TrailHop["identity"] {
  if (row.issuer === null || row.subject === null) return null;
  return {
    issuer: row.issuer,
    subject: row.subject,
    audience: row.audience,
    scopes: row.scopes,
    client_id: row.client_id,
    actors: row.actors,
    groups: row.groups,
    email: row.user_email,
    name: null,
    kind: "user",
    credential: row.credential ?? "jwt",
    expires_at: row.expires_at,
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return [];
  }
}
