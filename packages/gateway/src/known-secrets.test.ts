import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { issuers, startTestGateway, type TestGateway } from "./testing/gateway.ts";

/** A key without any form of its own, as Azure's are, which the provider repeats in its refusal. */
const key = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
const server = createServer((incoming, outgoing) => {
  incoming.resume();
  outgoing.writeHead(401, { "content-type": "application/json" });
  outgoing.end(JSON.stringify({ error: { message: `key ${incoming.headers["api-key"]} is not known` } }));
});

let gateway: TestGateway;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startTestGateway({
    yaml: `${issuers}
model_list:
  - { model_name: m, litellm_params: { model: azure/x, api_base: "${api_base}", api_key: "${key}" } }
access: { groups: { users: { models: [m] } } }`,
  });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

test("an upstream's key that its provider repeats is in no log line, and no client hears it", async () => {
  const answer = await gateway.chat(await gateway.token(), { model: "m" });
  expect(answer.status).toBe(502);
  expect(answer.text).not.toContain(key);
  const said = JSON.stringify(gateway.logs.lines());
  expect(said).toContain("is not known");
  expect(said).not.toContain(key);
});
