import type { Outcome, TrailExchange, TrailHop } from "@onbehalf/service-kit";
import type { Caller } from "./caller.ts";

/** Claims that a person may see of their own token. Whatever else a provider puts in stays out. */
const shownClaims = [
  "iss",
  "sub",
  "aud",
  "exp",
  "iat",
  "auth_time",
  "name",
  "email",
  "preferred_username",
  "groups",
  "roles",
  "scp",
  "scope",
  "cid",
  "azp",
  "client_id",
  "uid",
  "oid",
  "tid",
  "amr",
  "acr",
  "act",
] as const;

/** What is needed to write one hop into the trail. */
interface HopFacts {
  readonly traceId: string;
  readonly requestId: string;
  readonly route: string;
  readonly startedAt: number;
  readonly now: number;
  readonly status: number;
  readonly outcome: Outcome;
  readonly errorCode: string | null;
  readonly caller: Caller;
  readonly exchange: TrailExchange | null;
}

/** This service's own hop. Pure; times in milliseconds since the epoch. */
export function launchpadHop(facts: HopFacts): TrailHop {
  const { caller } = facts;
  return {
    service: "launchpad",
    trace_id: facts.traceId,
    request_id: facts.requestId,
    at: new Date(facts.startedAt).toISOString(),
    route: facts.route,
    status: facts.status,
    outcome: facts.outcome,
    error_code: facts.errorCode,
    duration_ms: Math.max(0, Math.round(facts.now - facts.startedAt)),
    identity: caller.identity,
    exchange: facts.exchange,
    app: caller.app.id,
    detail: { claims: visibleClaims(caller.claims), client: caller.clientId ?? null },
  };
}

/** Of a token's claims those that a person may be shown of themselves. */
export function visibleClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(shownClaims.filter((name) => name in claims).map((name) => [name, claims[name]]));
}

/** One list, oldest first, each hop once. */
export function mergeHops(own: readonly TrailHop[], below: readonly TrailHop[]): readonly TrailHop[] {
  return [...own, ...below].sort((a, b) => depth(a) - depth(b) || a.at.localeCompare(b.at));
}

const order = ["launchpad", "voicebox", "gateway"];
function depth(hop: TrailHop): number {
  const at = order.indexOf(hop.service);
  return at === -1 ? order.length : at;
}
