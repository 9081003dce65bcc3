import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { startForwarding, testAws } from "../../forward-testing.ts";

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: OpenAI;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, ...testAws });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      { model_name: "titan", litellm_params: { model: "bedrock/amazon.titan-embed-text-v2:0" } },
      { model_name: "cohere", litellm_params: { model: "bedrock/cohere.embed-english-v3" } },
      { model_name: "claude", litellm_params: { model: "bedrock/anthropic.claude-3-haiku-20240307-v1:0" } },
    ],
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

describe.each(["titan", "cohere"])("embeddings of %s", (model) => {
  it("come as floats and as base64, the same", async () => {
    const floats = await client.embeddings.create({ model, input: "Hello there", encoding_format: "float" });
    const plain = floats.data[0]?.embedding ?? [];
    expect(plain).toHaveLength(1024);
    // The SDK asks for base64 by itself and unpacks it.
    const packed = await client.embeddings.create({ model, input: "Hello there" });
    expect(packed.data[0]?.embedding).toHaveLength(1024);
    for (const [index, value] of (packed.data[0]?.embedding ?? []).entries())
      expect(value).toBeCloseTo(plain[index] ?? 9, 6);
    expect(packed.usage.prompt_tokens).toBe(3);
  });

  it("come for many texts in one request, in order, with all their tokens", async () => {
    const input = Array.from({ length: 120 }, (_, index) => `text number ${index}`);
    const many = await client.embeddings.create({ model, input });
    const last = await client.embeddings.create({ model, input: "text number 119" });
    expect(many.data).toHaveLength(120);
    expect(many.data.map((item) => item.index)).toEqual(input.map((_, index) => index));
    expect(many.data[119]?.embedding).toEqual(last.data[0]?.embedding);
    expect(many.data[118]?.embedding).not.toEqual(last.data[0]?.embedding);
    expect(gateway.settlements.at(-2)?.usage?.inputTokens).toBe(many.usage.prompt_tokens);
    expect(many.usage.prompt_tokens).toBeGreaterThan(300);
  });
});

it("have the size that was asked for, where the model can", async () => {
  const small = await client.embeddings.create({ model: "titan", input: "Hello", dimensions: 256 });
  expect(small.data[0]?.embedding).toHaveLength(256);
  await expect(client.embeddings.create({ model: "cohere", input: "Hello", dimensions: 256 })).rejects.toMatchObject({
    status: 400,
    param: "dimensions",
  });
});

it.each([
  ["token numbers", { model: "titan", input: [1, 2, 3] }, "input"],
  ["an empty text", { model: "titan", input: ["a", ""] }, "input[1]"],
  ["a model that chats", { model: "claude", input: "Hello" }, "model"],
])("refuse %s by name", async (_, body, param) => {
  await expect(client.embeddings.create(body)).rejects.toMatchObject({ status: 400, param });
});

it("fail as a whole when one call of many fails", async () => {
  const told = { fault: "denied", operation: "invoke", count: 1 };
  await fetch(`${bedrock.url}/sandbox/faults`, { method: "POST", body: JSON.stringify(told) });
  const input = ["a", "b", "c"];
  await expect(client.embeddings.create({ model: "titan", input })).rejects.toMatchObject({ status: 502 });
});
