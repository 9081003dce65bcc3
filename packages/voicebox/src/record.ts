import {
  type RequestVariables,
  type Trail,
  type TrailExchange,
  type TrailHop,
  trailIdentity,
} from "@onbehalf/service-kit";
import type { Identity, ScopedToken } from "@onbehalf/shared-auth";
import type { Context, MiddlewareHandler } from "hono";
import { codeOf } from "./failure.ts";

/** What one request leaves behind for its trail: collected while it runs, written once when it ends. */
export interface Recorder {
  /** Something that happened: verified, exchanged, queried, answered, refused. */
  event(name: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Facts about the whole request; the last value of a name wins. */
  detail(fields: Readonly<Record<string, unknown>>): void;
  app(id: string): void;
  exchanged(exchange: TrailExchange): void;
  /** The answer goes on after the handler: its end will be told by `end`. */
  defer(): void;
  /** Writes the hop; only the first call counts. */
  end(status: number, error?: unknown): void;
}

/** With what a request's stages note for its hop. */
export interface RecordVariables extends RequestVariables {
  readonly recorder: Recorder;
}

/** More is the work of a loop that should have stopped. */
const maxEvents = 60;
const shownClaims = [
  "iss",
  "sub",
  "aud",
  "exp",
  "iat",
  "scp",
  "scope",
  "cid",
  "azp",
  "client_id",
  "groups",
  "email",
  "name",
  "act",
];

/** Keeps a hop of every request, the refused ones too. */
export function recordHops(trail: Trail): MiddlewareHandler<{ Variables: RecordVariables }> {
  return async (c, next) => {
    const recorder = createRecorder(c, trail);
    c.set("recorder", recorder);
    await next();
    if (!recorder.deferred()) recorder.end(c.res.status, c.error);
  };
}

function createRecorder(c: Context, trail: Trail): Recorder & { readonly deferred: () => boolean } {
  const startedAt = performance.now();
  const at = new Date().toISOString();
  const events: Record<string, unknown>[] = [];
  const detail: Record<string, unknown> = {};
  let exchange: TrailExchange | null = null;
  let app: string | null = null;
  let later = false;
  let written = false;
  const event = (name: string, fields: Readonly<Record<string, unknown>> = {}): void => {
    if (events.length < maxEvents) events.push({ event: name, at_ms: since(startedAt), ...fields });
  };
  return {
    event,
    detail: (fields) => void Object.assign(detail, fields),
    app: (id) => {
      app = id;
    },
    exchanged: (one) => {
      // A renewed token, after a refused one, is the one that was used.
      exchange = one;
    },
    defer: () => {
      later = true;
    },
    deferred: () => later,
    end(status, error) {
      if (written) return;
      written = true;
      const code = codeOf(error);
      event(code === null ? "answer" : "refusal", code === null ? {} : { code });
      const identity: Identity | undefined = c.get("identity");
      const trace: RequestVariables["trace"] = c.get("trace");
      trail.add({
        service: "voicebox",
        trace_id: trace.traceId,
        request_id: c.get("requestId"),
        at,
        route: `${c.req.method} ${c.req.path}`,
        status,
        outcome: outcomeOf(status, c.get("signal")),
        error_code: code,
        duration_ms: since(startedAt),
        identity: identity === undefined ? null : trailIdentity(identity),
        exchange,
        app,
        detail: { ...detail, ...(identity === undefined ? {} : { claims: claimsOf(identity) }), events },
      });
    },
  };
}

function outcomeOf(status: number, signal: AbortSignal): TrailHop["outcome"] {
  if (signal.aborted && (signal.reason as Error).name === "ClientGone") return "aborted";
  if (status < 400) return "ok";
  if (status === 401 || status === 403) return "denied";
  return status === 429 ? "limited" : "error";
}

/** How the token for the next hop was come by. */
export function trailExchange(token: ScopedToken, durationMs: number): TrailExchange {
  return {
    issuer: token.issuer,
    client_id: token.clientId,
    audience: token.audience ?? null,
    scopes: token.scopes,
    source: token.source,
    duration_ms: durationMs,
    expires_at: token.expiresAt ?? null,
    error_code: null,
  };
}

/** Milliseconds since, to a hundredth. */
export function since(startedAt: number): number {
  return Math.round((performance.now() - startedAt) * 100) / 100;
}

/** The claims that a person looking at the trail wants to see. */
function claimsOf({ claims }: Identity): Record<string, unknown> {
  return Object.fromEntries(
    shownClaims.filter((name) => claims[name] !== undefined).map((name) => [name, claims[name]]),
  );
}
