import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startForwarding } from "../../forward-testing.ts";

const asked: { model: string; limit: unknown }[] = [];
const server = createServer(async (request, response) => {
  const { model, max_tokens, max_completion_tokens } = JSON.parse(await text(request));
  asked.push({ model, limit: { max_tokens, max_completion_tokens } });
  const choice = { index: 0, message: { role: "assistant", content: "Hi." }, finish_reason: "stop" };
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ choices: [choice], usage: { prompt_tokens: 1, completion_tokens: 1 } }));
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

test("counting tokens is said to be nobody's business here, and not to be asked again", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 2 });
  asked.length = 0;
  await expect(
    client.messages.countTokens({ model: "llama-3", messages: [{ role: "user", content: "Hello" }] }),
  ).rejects.toMatchObject({ status: 501, error: { error: { type: "not_supported" } } });
  expect(asked).toEqual([]);
});
