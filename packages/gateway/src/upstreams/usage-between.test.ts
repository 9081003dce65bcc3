import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, startForwarding, testAws } from "../forward-testing.ts";
import { invokeFrames, startScripted } from "../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startScripted();
  const api_base = provider.url;
  gateway = await startForwarding({
    bedrockUrl: provider.url,
    models: [
      { model_name: "anthropic", litellm_params: { model: "anthropic/claude-x", api_base } },
      { model_name: "openai", litellm_params: { model: "openai/gpt-x", api_base } },
      { model_name: "bedrock", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-6" } },
    ],
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

const messages = [{ role: "user" as const, content: "Hi" }];
const openai = () => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
const bedrock = () =>
  new BedrockRuntimeClient({
    endpoint: gateway.url,
    region: testAws.region,
    credentials: testAws,
    requestHandler: new NodeHttpHandler(),
  });

/** What the record is told of the one call that `ask` makes. */
async function recorded(ask: () => Promise<unknown>) {
  const before = gateway.settlements.length;
  await ask();
  await eventually(() => gateway.settlements.length > before);
  return gateway.settlements.at(-1)?.usage;
}

const begun = { input_tokens: 3, output_tokens: 1, cache_read_input_tokens: 0, cache_creation_input_tokens: 5 };
const usage = {
  ...begun,
  output_tokens: 20,
  cache_creation: { ephemeral_5m_input_tokens: 1, ephemeral_1h_input_tokens: 4 },
  output_tokens_details: { thinking_tokens: 12 },
};
const message = { id: "m", type: "message", role: "assistant", model: "x", content: [{ type: "text", text: "Hello" }] };
const events = [
  {
    type: "message_start",
    message: { ...message, content: [], usage: { ...begun, cache_creation: usage.cache_creation } },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hello" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage },
  { type: "message_stop" },
];
const whole = { ...message, stop_reason: "end_turn", stop_sequence: null, usage };

describe("what Claude thought is counted", () => {
  it("by Anthropic: OpenAI's clients are told, and the record", async () => {
    provider.says({
      whole,
      stream: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
    });
    const asked = { model: "anthropic", messages };
    const answer = await openai().chat.completions.create(asked);
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(12);
    const { usage } = await openai().responses.stream({ model: "anthropic", input: "Hi" }).finalResponse();
    expect(usage?.output_tokens_details.reasoning_tokens).toBe(12);
    const own = { ...asked, max_tokens: 99 };
    expect(await recorded(() => anthropic().messages.create(own))).toMatchObject({ reasoningTokens: 12 });
    expect(await recorded(() => anthropic().messages.stream(own).done())).toMatchObject({ reasoningTokens: 12 });
  });

  it.each(["/v1/messages", "/model/bedrock/invoke"])("by Claude on Bedrock, for the record of %s", async (path) => {
    const metrics = { inputTokenCount: 3, outputTokenCount: 20, cacheWriteInputTokenCount: 5 };
    const last = { ...events.at(-1), "amazon-bedrock-invocationMetrics": metrics };
    provider.says({ whole, stream: invokeFrames(...events.slice(0, -1), last) });
    for (const stream of [false, true]) {
      const address = path.endsWith("invoke") && stream ? `${path}-with-response-stream` : path;
      const body = { model: "bedrock", anthropic_version: "bedrock-2023-05-31", max_tokens: 99, messages };
      const said = JSON.stringify(path.endsWith("invoke") ? body : { ...body, stream });
      const ask = async () => (await fetch(gateway.url + address, { method: "POST", body: said })).arrayBuffer();
      expect(await recorded(ask)).toMatchObject({ outputTokens: 20, cacheWriteHourTokens: 4, reasoningTokens: 12 });
    }
  });
});

it("what OpenAI wrote into its cache is counted as written, and not as input", async () => {
  const counted = {
    prompt_tokens: 20,
    completion_tokens: 2,
    total_tokens: 22,
    prompt_tokens_details: { cached_tokens: 10, cache_write_tokens: 7 },
  };
  const choices = [{ index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }];
  provider.says({ whole: { id: "c", object: "chat.completion", choices, usage: counted } });
  const { usage } = await anthropic().messages.create({ model: "openai", max_tokens: 9, messages });
  expect(usage).toMatchObject({ input_tokens: 3, cache_read_input_tokens: 10, cache_creation_input_tokens: 7 });
  const response = await openai().responses.create({ model: "openai", input: "Hi" });
  expect(response.usage).toMatchObject({
    input_tokens: 20,
    input_tokens_details: { cached_tokens: 10, cache_write_tokens: 7 },
    total_tokens: 22,
  });
  const told = { inputTokens: 3, cacheReadTokens: 10, cacheWriteTokens: 7 };
  expect(await recorded(() => openai().chat.completions.create({ model: "openai", messages }))).toMatchObject(told);
});

it("how long Anthropic keeps what it wrote into its cache is told to Bedrock's clients", async () => {
  provider.says({
    whole,
    stream: events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  });
  const cacheDetails = [
    { ttl: "1h", inputTokens: 4 },
    { ttl: "5m", inputTokens: 1 },
  ];
  const asked = { modelId: "anthropic", messages: [{ role: "user" as const, content: [{ text: "Hi" }] }] };
  const client = bedrock();
  const answer = await client.send(new ConverseCommand(asked));
  expect(answer.usage).toMatchObject({ cacheWriteInputTokens: 5, cacheDetails });
  const { stream } = await client.send(new ConverseStreamCommand(asked));
  const told: unknown[] = [];
  for await (const { metadata } of stream ?? []) if (metadata !== undefined) told.push(metadata.usage);
  expect(told).toMatchObject([{ cacheWriteInputTokens: 5, cacheDetails }]);
  client.destroy();
});
