import type { TrailHop } from "@onbehalf/service-kit";
import { type Context, Hono } from "hono";
import { type AskingOptions, createAsking, voiceboxPath } from "./asking.ts";
import type { ApiEnv } from "./credentials.ts";
import type { Snapshot } from "./schemas.ts";

export interface ApiOptions extends AskingOptions {
  /** Lets the page draw an answer: adds to each line what to show. */
  readonly decorate: (snapshot: Snapshot) => object;
  readonly hopsOf: (c: Context<ApiEnv>, traceId: string) => Promise<readonly TrailHop[]>;
}

/** The page draws a growing answer so often: drawing costs, and nobody reads faster. */
const pagePaceMs = 120;

/** The public API, and the page's own way in: verified caller in, Voicebox's answer out. */
export function apiRoutes(options: ApiOptions): Hono<ApiEnv> {
  const { credentials } = options;
  const asking = createAsking(options);
  const app = new Hono<ApiEnv>();

  app.post(`${voiceboxPath}/ask`, (c) => asking(c, (run) => run.whole("ask")));
  app.post(`${voiceboxPath}/generate-query`, (c) => asking(c, (run) => run.whole("generate-query")));
  app.post(`${voiceboxPath}/stream/ask`, (c) => asking(c, (run) => run.streamed()));
  app.post("/page/ask", (c) => asking(c, (run) => run.streamed(options.decorate, pagePaceMs)));

  app.get("/api/v1/app", async (c) => {
    const { app: bound } = await credentials.caller(c);
    const { id, name, connection, database, model, named_graphs, reasoning } = bound;
    return c.json({ id, name, connection, database, model, named_graphs, reasoning });
  });

  app.get("/api/trail/:traceId", async (c) => {
    const traceId = c.req.param("traceId");
    return c.json({ trace_id: traceId, hops: await options.hopsOf(c, traceId) }, 200, { "cache-control": "no-store" });
  });

  return app;
}
