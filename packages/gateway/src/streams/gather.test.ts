import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { eventually, startForwarding } from "../forward-testing.ts";

/** A Bedrock that takes every call and answers none. */
let server: Server;
let open: number;
const closing: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  open = 0;
  server = createServer((incoming) => void incoming.resume());
  server.on("connection", (socket) => {
    open += 1;
    socket.on("close", () => {
      open -= 1;
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Titan embeds one text a call, so twenty texts are twenty calls, eight at a time. */
async function ask() {
  const gateway = await startForwarding({
    bedrockUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    models: [{ model_name: "m", litellm_params: { model: "bedrock/amazon.titan-embed-text-v2:0" } }],
    router: { num_retries: 0 },
  });
  closing.push(() => gateway.close());
  const abort = new AbortController();
  const input = Array.from({ length: 20 }, (_, at) => `text ${at}`);
  const body = JSON.stringify({ model: "m", input });
  const answer = fetch(`${gateway.url}/v1/embeddings`, { method: "POST", body, signal: abort.signal });
  answer.catch(() => {});
  await eventually(() => open > 1);
  return { gateway, abort, answer };
}

it("calls of a client that left are ended, no further ones are made, and it is he who is said to have left", async () => {
  const { gateway, abort } = await ask();
  const before = open;
  abort.abort();
  await eventually(() => gateway.settlements.length > 0 && open === 0);
  expect(before).toBeLessThanOrEqual(8);
  expect(open).toBe(0);
  expect(gateway.failures).toEqual([]);
  expect(gateway.settlements).toMatchObject([{ outcome: "aborted", errorCode: "client_gone" }]);
});

it("a service that shuts down says so", async () => {
  const { gateway, answer } = await ask();
  gateway.shutDown();
  expect((await answer).status).toBe(503);
  expect(gateway.failures).toMatchObject([{ code: "shutting_down" }]);
  await eventually(() => open === 0);
  expect(open).toBe(0);
});
