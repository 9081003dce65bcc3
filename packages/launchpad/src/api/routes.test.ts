import { createLogger, errorHandler, HttpError, requestContext, type TrailHop } from "@onbehalf/service-kit";
import { captureLogs } from "@onbehalf/service-kit/testing";
import { Hono } from "hono";
import { expect, test } from "vitest";
import type { ApiEnv, Credentials } from "./credentials.ts";
import { apiRoutes } from "./routes.ts";

const caller = {
  identity: { issuer: "i", subject: "alice", credential: "session" },
  app: { id: "demo", name: "Demo", connection: undefined, database: undefined, named_graphs: [], reasoning: false },
  claims: {},
  token: async () => ({ accessToken: "t", tokenType: "Bearer", source: "fresh" }),
};

/** What a question is answered, and what the trail says of it. */
async function asked(body: string, limit = async (): Promise<void> => {}) {
  const hops: TrailHop[] = [];
  const log = createLogger({ service: "launchpad", level: "info", destination: captureLogs().destination });
  const app = new Hono<ApiEnv>();
  app.onError(errorHandler());
  app.use(requestContext({ service: "launchpad", log }));
  const routes = apiRoutes({
    credentials: { caller: async () => caller, reader: async () => caller } as unknown as Credentials,
    voicebox: {
      send: () => expect.unreachable("nothing is asked of Voicebox"),
      ping: async () => {},
      close: async () => {},
    },
    trail: { add: (hop) => void hops.push(hop) },
    limit,
    decorate: (snapshot) => snapshot,
    hopsOf: async () => [],
    stepUpUrl: async () => "",
    resource: {},
  });
  app.route("/", routes);
  const headers = { "content-type": "application/json" };
  const { status } = await app.request("/api/v1/voicebox/ask", { method: "POST", body, headers });
  return { status, hops };
}

test.each(['{"query":5}', "{}", "[]", "{"])("%s is refused with 400, and so the trail says", async (body) => {
  const { status, hops } = await asked(body);
  expect(status).toBe(400);
  expect(hops).toHaveLength(1);
  expect(hops[0]).toMatchObject({ status: 400, outcome: "error", error_code: "invalid_request" });
});

test.each([
  [401, "denied"],
  [403, "denied"],
  [429, "limited"],
  [404, "error"],
  [503, "error"],
] as const)("a refusal with %i is %s in the trail", async (refused, outcome) => {
  const { status, hops } = await asked('{"query":"Who is Bob?"}', () =>
    Promise.reject(new HttpError(refused, "refused", "No.")),
  );
  expect(status).toBe(refused);
  expect(hops).toMatchObject([{ status: refused, outcome, error_code: "refused" }]);
});
