import { Hono } from "hono";
import { within } from "./within.ts";

/** Rejects, with a reason fit for an operator's eyes, while the service cannot do its work. */
export type ReadinessCheck = () => Promise<void> | void;

/** The body of `GET /system/ready`. */
export interface ReadyState {
  readonly status: "ready" | "not_ready";
  /** What is missing, by the check's name. */
  readonly causes: Readonly<Record<string, string>>;
}

/** Whether this service can do its work now, as load balancers ask it. */
export interface Readiness {
  state(): Promise<ReadyState>;
  /** From now on not ready: the service is going away. */
  drain(): void;
}

/** Bounds of the checks, and the clock of tests. */
interface ReadinessOptions {
  /** A check that takes longer counts as failed; 2000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** How long an answer stands, 1000 unless given: many probes make one round of checks. */
  readonly cacheMs?: number | undefined;
  /** Milliseconds of a monotonic clock. */
  readonly now?: (() => number) | undefined;
}

/** Asks every check, at the same time, each bounded; the answer is kept briefly. */
export function readiness(checks: Readonly<Record<string, ReadinessCheck>>, options: ReadinessOptions = {}): Readiness {
  const { timeoutMs = 2_000, cacheMs = 1_000, now = () => performance.now() } = options;
  let draining = false;
  let kept: { readonly until: number; readonly state: Promise<ReadyState> } | undefined;

  const round = async (): Promise<ReadyState> => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await failure(check, timeoutMs)] as const),
    );
    const failed = results.filter((result): result is readonly [string, string] => result[1] !== undefined);
    return { status: failed.length === 0 ? "ready" : "not_ready", causes: Object.fromEntries(failed) };
  };
  return {
    async state() {
      if (draining) return { status: "not_ready", causes: { shutdown: "the service is shutting down" } };
      if (kept === undefined || now() >= kept.until) kept = { until: now() + cacheMs, state: round() };
      return kept.state;
    },
    drain() {
      draining = true;
    },
  };
}

/** `GET /system/health` 204 while the process lives; `GET /system/ready` 200 or 503 with the causes. */
export function healthRoutes(ready: Readiness): Hono {
  const app = new Hono();
  app.get("/system/health", (c) => c.body(null, 204));
  app.get("/system/ready", async (c) => {
    const state = await ready.state();
    return c.json(state, state.status === "ready" ? 200 : 503, { "cache-control": "no-store" });
  });
  return app;
}

async function failure(check: ReadinessCheck, timeoutMs: number): Promise<string | undefined> {
  try {
    const asked = Promise.resolve(check()).then(() => undefined);
    return await within<string | undefined>(asked, timeoutMs, () => `no answer within ${timeoutMs} ms`);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
