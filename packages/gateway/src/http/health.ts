import type { Readiness } from "@onbehalf/service-kit";
import { Hono } from "hono";

/** The same health under LiteLLM's addresses, so that probes need no change. */
export function litellmHealthRoutes(readiness: Readiness): Hono {
  const app = new Hono();
  const alive = "I'm alive!";
  app.get("/health/liveliness", (c) => c.json(alive));
  app.get("/health/liveness", (c) => c.json(alive));
  app.get("/health/readiness", async (c) => {
    const state = await readiness.state();
    const status = state.status === "ready" ? "connected" : "unavailable";
    return c.json({ status, causes: state.causes }, state.status === "ready" ? 200 : 503, {
      "cache-control": "no-store",
    });
  });
  // Claude Code looks whether anything is here (HEAD /) before its first call.
  app.get("/", (c) => c.json({ service: "onbehalf gateway" }));
  return app;
}
