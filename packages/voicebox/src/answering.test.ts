import type { Identity } from "@onbehalf/shared-auth";
import { type Context, Hono } from "hono";
import { expect, it } from "vitest";
import { createAnswering } from "./answering.ts";
import type { Exchanges } from "./exchanges.ts";
import type { QueryCall } from "./graph/graph.ts";
import type { RecordVariables } from "./record.ts";
import { createSchemas } from "./schemas.ts";
import type { Setup } from "./setup.ts";

/** A database that knows its users, and answers nothing before the test says so. */
function databaseOf(opened: Promise<void>): Setup {
  const query = async (...[, , , call]: readonly [unknown, unknown, unknown, QueryCall]) => {
    await opened;
    await call.authorization?.(call.signal);
    return { columns: [], rows: [], truncated: false };
  };
  const connection = { name: "c", graph: { query }, limits: {}, exchange: { audience: "db", scope: undefined } };
  return {
    config: { enable_external_llm: true, default_llm_config: { provider_args: { headers: {} }, llm_name: "m" } },
    connections: { find: () => connection },
    schemas: createSchemas(),
    parse: (text: string) => ({ form: "select", text }),
    wire: {},
  } as unknown as Setup;
}

/** How a question ends that lasts until the signal; all are one person's, and only read what the data is about. */
function asking(setup: Setup): (signal: AbortSignal) => Promise<string> {
  const exchange = async (_: unknown, { signal }: { readonly signal: AbortSignal }) => {
    signal.throwIfAborted();
    return { accessToken: "for the database" };
  };
  const answering = createAnswering({
    ask: async (_, { session }) => {
      await session.description();
      return { result: "An engineer.", conversation_id: "", message_id: "", actions: [] };
    },
    setups: { acquire: () => ({ setup, release: () => {} }), reload: async () => {}, close: async () => {} },
    exchanges: { gateway: exchange, to: () => exchange } as unknown as Exchanges,
    llmKey: undefined,
    measures: { exchange() {}, query() {}, tokens() {} },
  });
  const identity = { issuer: "i", subject: "alice", claims: {} } as unknown as Identity;
  return async (signal) => {
    const app = new Hono<{ Variables: RecordVariables }>();
    app.use(async (c, next) => {
      const verified: Context = c;
      verified.set("identity", identity);
      verified.set("subject", { token: "alice's", identity });
      c.set("signal", signal);
      c.set("trace", { traceparent: "" } as RecordVariables["trace"]);
      c.set("requestId", "r");
      c.set("note", () => {});
      c.set("recorder", { event() {}, detail() {}, app() {}, exchanged() {}, defer() {}, end() {} });
      await next();
    });
    app.post("/ask", async (c) => c.text((await answering(c, "run")).result));
    app.onError((error, c) => c.text(String(error), 500));
    return (await app.request("/ask", { method: "POST", body: '{"query":"Who is Bob?"}' })).text();
  };
}

it("who leaves while the data is described takes nothing from who waits for the same", async () => {
  const opened = Promise.withResolvers<void>();
  const ask = asking(databaseOf(opened.promise));
  const leaving = new AbortController();
  const first = ask(leaving.signal);
  const second = ask(new AbortController().signal);
  leaving.abort();
  opened.resolve();
  await first;
  expect(await second).toBe("An engineer.");
});
