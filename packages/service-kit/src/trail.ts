import type { Identity } from "@onbehalf/shared-auth";
import { LRUCache } from "lru-cache";
import type { Outcome } from "./access-line.ts";

export interface TrailIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly client_id: string | null;
  readonly actors: readonly { readonly issuer: string | null; readonly subject: string }[];
  readonly groups: readonly string[];
  readonly email: string | null;
  readonly name: string | null;
  readonly kind: "user" | "app";
  readonly credential: "session" | "jwt" | "app-key" | "virtual-key" | "master-key";
  /** Seconds since the epoch. */
  readonly expires_at: number | null;
}

/** Who called, by a verified token. */
export function trailIdentity(identity: Identity): TrailIdentity {
  return {
    issuer: identity.issuer,
    subject: identity.subject,
    audience: identity.audience,
    scopes: identity.scopes,
    client_id: identity.clientId ?? null,
    actors: identity.actors.map(({ issuer, subject }) => ({ issuer: issuer ?? null, subject })),
    groups: identity.groups,
    email: identity.email ?? null,
    name: identity.name ?? null,
    kind: identity.kind,
    credential: "jwt",
    expires_at: identity.expiresAt,
  };
}

export interface TrailExchange {
  readonly issuer: string;
  readonly client_id: string;
  readonly audience: string | null;
  readonly scopes: readonly string[];
  readonly source: "fresh" | "cached";
  readonly duration_ms: number;
  /** Seconds since the epoch. */
  readonly expires_at: number | null;
  readonly error_code: string | null;
}

/** What one service did for one request: as whom, and with which exchanged token it went on. Never a token. */
export interface TrailHop {
  readonly service: string;
  readonly trace_id: string;
  readonly request_id: string;
  /** ISO 8601. */
  readonly at: string;
  /** Method and route pattern. */
  readonly route: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly error_code: string | null;
  readonly duration_ms: number;
  readonly identity: TrailIdentity | null;
  readonly exchange: TrailExchange | null;
  readonly app: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Who asks for a trail: a person sees their own hops, an admin all of them. */
export type TrailReader = { readonly issuer: string; readonly subject: string } | "admin";

export interface Trail {
  add(hop: TrailHop): void;
  /** The hops of a trace that the reader may see, oldest first. */
  find(traceId: string, reader: TrailReader): readonly TrailHop[];
}

export interface TrailOptions {
  /** Traces kept; the least recently written goes first. */
  readonly maxTraces?: number | undefined;
  /** Hops kept of one person in one trace: a caller may send one traceparent with every request. */
  readonly maxHopsPerPerson?: number | undefined;
  readonly ttlSeconds?: number | undefined;
}

/** Of all persons together, since one trace may be named by many. */
const maxHopsPerTrace = 200;

/** The hops of this service's recent requests, in memory and bounded. */
export function createTrail({
  maxTraces = 2_000,
  maxHopsPerPerson = 20,
  ttlSeconds = 3_600,
}: TrailOptions = {}): Trail {
  const traces = new LRUCache<string, readonly TrailHop[]>({ max: maxTraces, ttl: ttlSeconds * 1_000 });
  return {
    add(hop) {
      const earlier = traces.peek(hop.trace_id) ?? [];
      const own = earlier.filter((other) => samePerson(other, hop));
      const oldest =
        own.length < maxHopsPerPerson && earlier.length < maxHopsPerTrace ? undefined : (own[0] ?? earlier[0]);
      traces.set(hop.trace_id, [...earlier.filter((other) => other !== oldest), hop]);
    },
    find(traceId, reader) {
      return (traces.peek(traceId) ?? []).filter((hop) => mayRead(hop, reader));
    },
  };
}

function samePerson({ identity: a }: TrailHop, { identity: b }: TrailHop): boolean {
  return a?.issuer === b?.issuer && a?.subject === b?.subject;
}

function mayRead({ identity }: TrailHop, reader: TrailReader): boolean {
  if (reader === "admin") return true;
  return identity !== null && identity.issuer === reader.issuer && identity.subject === reader.subject;
}
