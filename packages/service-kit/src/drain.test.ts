import { setTimeout as sleep } from "node:timers/promises";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { errorHandler } from "./errors.ts";
import { createLogger } from "./log.ts";
import { type RequestVariables, requestContext } from "./request.ts";
import { serve } from "./serve.ts";
import { captureLogs } from "./testing/logs.ts";

test("leaves most of a short grace to what runs, and does not go beyond it", async () => {
  const log = createLogger({ service: "test", destination: captureLogs().destination });
  const app = new Hono<{ Variables: RequestVariables }>();
  app.use(requestContext({ service: "test", log })).onError(errorHandler());
  const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  app.get("/slow", async (c) => {
    asked[0]?.resolve();
    await sleep(300, undefined, { signal: c.get("signal") });
    return c.text("done");
  });
  app.get("/slower", async (c) => {
    asked[1]?.resolve();
    await sleep(1_000, undefined, { signal: c.get("signal") });
    return c.text("done");
  });
  const common = { name: "test", app, host: "127.0.0.1", port: 0, portVariable: "TEST_PORT", log };
  const service = await serve({ ...common, graceSeconds: 1 });
  const answers = ["slow", "slower"].map((path) => fetch(`${service.url}/${path}`));
  await Promise.all(asked.map(({ promise }) => promise));
  const closing = service.close();
  const texts = await Promise.all(answers.map(async (answer) => (await answer).text()));
  expect(texts).toEqual(["done", expect.stringContaining("shutting_down")]);
  await closing;
});
