import type { Readiness, RequestVariables } from "@onbehalf/service-kit";
import type { CachedExchange } from "@onbehalf/shared-auth";
import type { AuthVariables } from "@onbehalf/shared-auth/hono";
import type { Context } from "hono";
import { since } from "./record.ts";
import type { Setups } from "./setup.ts";

interface ChainHealthOptions {
  readonly ready: Readiness;
  readonly setups: Setups;
  readonly exchange: CachedExchange;
}

/** One link of the chain, as seen from here. */
interface Check {
  readonly name: string;
  readonly status: "ok" | "down";
  /** In words, for an operator; null when all is well. */
  readonly reason: string | null;
  readonly ms: number | null;
}

/** `GET /api/v1/chain-health`: which of the links from here on hold, tried with the caller's own token. */
export function chainHealth({ ready, setups, exchange }: ChainHealthOptions) {
  return async (c: Context<{ Variables: RequestVariables & AuthVariables }>): Promise<Response> => {
    const { signal, subject } = c.var;
    const { setup, release } = setups.acquire();
    try {
      const state = await ready.state();
      const own = Object.entries(state.causes).map(([name, cause]) => `${name}: ${cause}`);
      const checks = await Promise.all([
        {
          name: "voicebox",
          status: own.length === 0 ? "ok" : "down",
          reason: own.join("; ") || null,
          ms: null,
        } as const,
        check("exchange", async () => void (await exchange(subject, { signal }))),
        check("gateway", async () => {
          const { status, body } = await setup.gateway.get("/health/readiness", {
            token: undefined,
            headers: {},
            signal,
          });
          if (status !== 200) throw new Error(`the gateway is not ready: ${causesIn(body)}`);
        }),
      ]);
      return c.json({ checks }, 200, { "cache-control": "no-store" });
    } finally {
      release();
    }
  };
}

async function check(name: string, work: () => Promise<void>): Promise<Check> {
  const startedAt = performance.now();
  try {
    await work();
    return { name, status: "ok", reason: null, ms: since(startedAt) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "failed";
    return { name, status: "down", reason, ms: since(startedAt) };
  }
}

function causesIn(body: unknown): string {
  const causes = typeof body === "object" && body !== null && "causes" in body ? body.causes : undefined;
  return causes === undefined ? "no cause given" : JSON.stringify(causes).slice(0, 300);
}
