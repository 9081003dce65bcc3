import type { Identity } from "@onbehalf/shared-auth";
import { LRUCache } from "lru-cache";
import type { Outcome } from "./access-line.ts";

/** Who called, in the words of the wire: what an `Identity` says without its claims. */
export interface TrailIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Of the token that came in. */
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly client_id: string | null;
  /** The `act` chain, the nearest first (RFC 8693 section 4.1). */
  readonly actors: readonly { readonly issuer: string | null; readonly subject: string }[];
  readonly groups: readonly string[];
  readonly email: string | null;
  readonly name: string | null;
  readonly kind: "user" | "app";
  /** How the caller proved it. */
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

/** The exchange (RFC 8693) with which a service went on in the caller's name. */
export interface TrailExchange {
  readonly issuer: string;
  readonly client_id: string;
  readonly audience: string | null;
  readonly scopes: readonly string[];
  /** Whether the token server was asked for this request. */
  readonly source: "fresh" | "cached";
  readonly duration_ms: number;
  /** Seconds since the epoch. */
  readonly expires_at: number | null;
  /** Null when it succeeded. */
  readonly error_code: string | null;
}

/** What one service did for one request: as whom, and with which exchanged token it went on. Never a token. */
export interface TrailHop {
  readonly service: string;
  readonly trace_id: string;
  readonly request_id: string;
  /** ISO 8601. */
  readonly at: string;
  /** Method and route pattern; never the values in it. */
  readonly route: string;
  readonly status: number;
  readonly outcome: Outcome;
  readonly error_code: string | null;
  readonly duration_ms: number;
  readonly identity: TrailIdentity | null;
  readonly exchange: TrailExchange | null;
  /** The application whose key was used; null for a person's own call. */
  readonly app: string | null;
  /** What only this service knows, such as model and tokens. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Who asks for a trail: a person sees their own hops, an admin all of them. */
export type TrailReader = { readonly issuer: string; readonly subject: string } | "admin";

/** What happened to recent requests, one hop per service. */
export interface Trail {
  add(hop: TrailHop): void;
  /** The hops of a trace that the reader may see, oldest first. */
  find(traceId: string, reader: TrailReader): readonly TrailHop[];
}

/** Bounds of what is remembered. */
export interface TrailOptions {
  /** Traces kept, 2000 unless given; the least recently written goes first. */
  readonly maxTraces?: number | undefined;
  /** Hops kept of one person in one trace, 20 unless given: a caller may send one traceparent with every request. */
  readonly maxHopsPerPerson?: number | undefined;
  /** Since the trace's last hop; 3600 unless given. */
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
