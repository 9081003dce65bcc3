import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startForwarding, testCaller } from "../../forward-testing.ts";

let traceparent: unknown;
/** What the server counts; some count nothing. */
let usage: object | undefined;
const asked: { model: string; limit: unknown }[] = [];
const server = createServer(async (request, response) => {
  traceparent = request.headers.traceparent;
  const { model, max_tokens, max_completion_tokens } = JSON.parse(await text(request));
  asked.push({ model, limit: { max_tokens, max_completion_tokens } });
  const choice = { index: 0, message: { role: "assistant", content: "Hi." }, finish_reason: "stop" };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ choices: [choice], usage }));
});

const models = ["gpt-5.1", "gpt-12", "o4-mini", "gpt-4o", "gpt-oss-20b", "llama-3"];
let gateway: Awaited<ReturnType<typeof startForwarding>>;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  gateway = await startForwarding({
    bedrockUrl: api_base,
    models: models.flatMap((model) => [
      { model_name: model, litellm_params: { model: `openai/${model}`, api_base, api_key: "server-side" } },
      { model_name: `azure ${model}`, litellm_params: { model: `azure/${model}`, api_base, api_key: "server-side" } },
    ]),
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

test.each(["", "azure "])("%sOpenAI's models since o1 are told their limit by its newer name", async (place) => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  asked.length = 0;
  for (const model of models) {
    await client.messages.create({
      model: `${place}${model}`,
      max_tokens: 77,
      messages: [{ role: "user", content: "Hello" }],
    });
  }
  expect(asked).toEqual([
    { model: "gpt-5.1", limit: { max_completion_tokens: 77 } },
    { model: "gpt-12", limit: { max_completion_tokens: 77 } },
    { model: "o4-mini", limit: { max_completion_tokens: 77 } },
    { model: "gpt-4o", limit: { max_tokens: 77 } },
    { model: "gpt-oss-20b", limit: { max_tokens: 77 } },
    { model: "llama-3", limit: { max_tokens: 77 } },
  ]);
});

test("the trace goes on", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  await client.messages.create({ model: "llama-3", max_tokens: 7, messages: [{ role: "user", content: "Hello" }] });
  expect(traceparent).toBe(testCaller.traceparent);
});

test("an answer without counts costs what was asked at least, and nobody takes it for free", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const hello = {
    model: "llama-3",
    max_tokens: 7,
    messages: [{ role: "user" as const, content: "Hello ".repeat(99) }],
  };
  await client.messages.create(hello);
  const { usage: told, usageEstimated } = gateway.settlements.at(-1) ?? {};
  expect(usageEstimated).toBe(true);
  expect(told?.inputTokens).toBeGreaterThan(90);
  expect(told?.outputTokens).toBe(1);
  usage = { prompt_tokens: 3, completion_tokens: 2 };
  await client.messages.create(hello);
  expect(gateway.settlements.at(-1)).toMatchObject({
    usage: { inputTokens: 3, outputTokens: 2 },
    usageEstimated: false,
  });
});

test("counting tokens is said to be nobody's business here, and not to be asked again", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 2 });
  asked.length = 0;
  await expect(
    client.messages.countTokens({ model: "llama-3", messages: [{ role: "user", content: "Hello" }] }),
  ).rejects.toMatchObject({ status: 501, error: { error: { type: "not_supported" } } });
  expect(asked).toEqual([]);
});
