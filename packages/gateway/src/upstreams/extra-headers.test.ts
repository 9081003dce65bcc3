import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { startBedrock } from "../../../sandbox/src/bedrock/index.ts";
import { startForwarding, testAws } from "../forward-testing.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function asked(model: string, extra_headers: unknown) {
  let seen: IncomingHttpHeaders | undefined;
  const server = createServer((incoming, outgoing) => {
    seen = incoming.headers;
    incoming.resume();
    outgoing.writeHead(200, { "content-type": "application/json" });
    outgoing.end('{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}],"content":[]}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => void server.close());
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gateway = await startForwarding({
    models: [{ model_name: "m", litellm_params: { model, api_base, api_key: "own", extra_headers } }],
    router: { num_retries: 0 },
  });
  closing.push(() => gateway.close());
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] });
  const { status } = await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", body });
  return { status, seen, cause: gateway.failures[0]?.cause };
}

it.each(["openai/x", "azure/x", "anthropic/claude-x"])(
  "%s is told what the operator wants it to be told",
  async (model) => {
    const { status, seen } = await asked(model, { "X-Portkey-Provider": "openai", "x-retries": 3 });
    expect(status).toBe(200);
    expect(seen).toMatchObject({ "x-portkey-provider": "openai", "x-retries": "3" });
    expect(Object.values(seen ?? {}).some((value) => /^(?:Bearer )?own$/.test(String(value)))).toBe(true);
  },
);

it("the operator's own proof wins", async () => {
  const { seen } = await asked("openai/x", { Authorization: "Basic abc" });
  expect(seen?.authorization).toBe("Basic abc");
});

it("Bedrock is told so under the signature", async () => {
  const bedrock = await startBedrock({ port: 0, eventDelayMs: 0, rules: [], ...testAws });
  closing.push(() => bedrock.close());
  const extra_headers = { "x-amzn-example": "a  b" };
  const gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [{ model_name: "m", litellm_params: { model: "bedrock/amazon.nova-lite-v1:0", extra_headers } }],
  });
  closing.push(() => gateway.close());
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] });
  expect((await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", body })).status).toBe(200);
});

it.each([
  ["a list", ["x"]],
  ["a name that is none", { "x y": "z" }],
  ["a second line", { "x-a": "b\r\nx-c: d" }],
  ["no value", { "x-a": null }],
  ["the host", { Host: "elsewhere" }],
  ["the length", { "content-length": "0" }],
])("%s is refused before anything is sent", async (_, extra_headers) => {
  const { status, seen, cause } = await asked("openai/x", extra_headers);
  expect([status, seen]).toEqual([502, undefined]);
  expect(cause).toContain("extra_headers");
});
