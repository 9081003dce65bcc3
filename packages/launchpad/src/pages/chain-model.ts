import type { TrailExchange, TrailHop, TrailIdentity } from "@onbehalf/service-kit";

/** One stop of a request: a service, and as whom it was asked. Several calls in one request are one stop. */
export interface Stop {
  readonly service: string;
  readonly title: string;
  readonly role: string;
  readonly identity: TrailIdentity | null;
  readonly calls: number;
  readonly milliseconds: number;
  readonly outcome: TrailHop["outcome"];
  readonly errorCode: string | null;
  readonly status: number;
  readonly hops: readonly TrailHop[];
}

/** What was carried from one stop to the next. */
export interface Ticket {
  readonly title: string;
  /** Whose name is in it; null where it speaks for nobody. */
  readonly subject: string | null;
  readonly audience: string | null;
  readonly scopes: readonly string[];
  readonly client: string | null;
  readonly issuer: string | null;
  /** Null where nothing was exchanged. */
  readonly source: "fresh" | "cached" | null;
  readonly milliseconds: number | null;
  /** Seconds since the epoch. */
  readonly expiresAt: number | null;
}

export interface Chain {
  readonly person: TrailIdentity | null;
  readonly stops: readonly Stop[];
  /** `tickets[i]` was carried to `stops[i]`. */
  readonly tickets: readonly Ticket[];
  /** Behind the last stop: the model that answered, when one did. */
  readonly model: {
    readonly name: string;
    readonly provider: string | null;
    readonly tokens: number | null;
    readonly usd: number | null;
  } | null;
  readonly totalMilliseconds: number;
}

const stopNames: Readonly<Record<string, readonly [title: string, role: string]>> = {
  launchpad: ["Launchpad", "front door"],
  voicebox: ["Voicebox", "finds the answer in the graph"],
  gateway: ["Gateway", "decides, limits, records"],
};

/** From the hops of one trace to what the picture shows. Pure. */
export function chainOf(hops: readonly TrailHop[]): Chain {
  const services = [...new Set(hops.map(({ service }) => service))];
  const found = services.map((service) =>
    stopOf(
      service,
      hops.filter((hop) => hop.service === service),
    ),
  );
  const stops = found.map((stop, at) => (isPassedOn(stop, found[at + 1]) ? { ...stop, outcome: "ok" as const } : stop));
  const person = stops.map(({ identity }) => identity).find((identity) => identity !== null) ?? null;
  const tickets = stops.map((stop, at) => ticketTo(stop, stops[at - 1]));
  return { person, stops, tickets, model: modelOf(hops), totalMilliseconds: stops[0]?.milliseconds ?? 0 };
}

/** A service that only hands up what the next one said did nothing wrong: the picture names the one that said it. */
function isPassedOn(stop: Stop, next: Stop | undefined): boolean {
  return stop.outcome !== "ok" && next !== undefined && next.outcome !== "ok";
}

function stopOf(service: string, hops: readonly TrailHop[]): Stop {
  const [title, role] = stopNames[service] ?? [service, ""];
  const told = hops.find(({ outcome }) => outcome !== "ok") ?? hops.at(-1);
  return {
    service,
    title,
    role,
    identity: hops.find(({ identity }) => identity !== null)?.identity ?? null,
    calls: hops.length,
    milliseconds: hops.reduce((sum, hop) => sum + hop.duration_ms, 0),
    outcome: told?.outcome ?? "ok",
    errorCode: told?.error_code ?? null,
    status: told?.status ?? 0,
    hops,
  };
}

const credentials: Readonly<Record<TrailIdentity["credential"], string>> = {
  session: "Session cookie",
  jwt: "Access token",
  "app-key": "Application key",
  "virtual-key": "Virtual key",
  "master-key": "Master key",
};

/** What the one before exchanged for, seen by its receiver where that one said more. */
function ticketTo(stop: Stop, before: Stop | undefined): Ticket {
  const { identity } = stop;
  const exchange = before?.hops.map((hop) => hop.exchange).find((made): made is TrailExchange => made !== null);
  if (exchange === undefined) {
    return {
      title: identity === null ? "Request" : credentials[identity.credential],
      subject: identity?.subject ?? null,
      audience: identity?.audience.join(", ") ?? null,
      scopes: identity?.scopes ?? [],
      client: identity?.client_id ?? null,
      issuer: identity?.issuer ?? null,
      source: null,
      milliseconds: null,
      expiresAt: identity?.expires_at ?? null,
    };
  }
  return {
    title: "Exchanged token",
    subject: identity?.subject ?? before?.identity?.subject ?? null,
    audience: identity?.audience.join(", ") ?? exchange.audience,
    scopes: identity?.scopes ?? exchange.scopes,
    client: identity?.client_id ?? exchange.client_id,
    issuer: identity?.issuer ?? exchange.issuer,
    source: exchange.source,
    milliseconds: exchange.duration_ms,
    expiresAt: identity?.expires_at ?? exchange.expires_at,
  };
}

function modelOf(hops: readonly TrailHop[]): Chain["model"] {
  const calls = hops.filter(({ service, outcome }) => service === "gateway" && outcome === "ok");
  const last = calls.at(-1)?.detail;
  const name = last?.model;
  if (last === undefined || typeof name !== "string") return null;
  const provider = last.provider_model;
  return {
    name,
    provider: typeof provider === "string" ? provider : null,
    tokens: total(calls, "tokens"),
    usd: total(calls, "cost_usd"),
  };
}

function total(calls: readonly TrailHop[], field: string): number | null {
  const values = calls.map(({ detail }) => detail[field]).filter((value): value is number => typeof value === "number");
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}
