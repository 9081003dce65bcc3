import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { eventually, startForwarding, testAws } from "../../forward-testing.ts";

const weather: Rule = (turn) => {
  if (turn.tools.length === 0) return undefined;
  const answered = turn.messages.at(-1)?.content.some((block) => block.toolResult !== undefined);
  if (answered === true) return { text: "It is sunny." };
  return {
    text: "Let me see.",
    toolUses: [
      { name: "weather", input: { city: "Oslo" } },
      { name: "weather", input: { city: "Rome" } },
    ],
  };
};

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: OpenAI;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 0, rules: [weather], ...testAws });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [{ model_name: "nova-lite", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } }],
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

const messages = [
  { role: "system" as const, content: "Be brief." },
  { role: "user" as const, content: "Hello there" },
];
const tools = [
  {
    type: "function" as const,
    function: { name: "weather", parameters: { type: "object", properties: { city: { type: "string" } } } },
  },
];

it("answers whole", async () => {
  const answer = await client.chat.completions.create({ model: "nova-lite", messages });
  expect(answer.object).toBe("chat.completion");
  expect(answer.choices[0]?.message.content).toContain("stand-in");
  expect(answer.choices[0]?.finish_reason).toBe("stop");
  expect(answer.usage?.total_tokens).toBe((answer.usage?.prompt_tokens ?? 0) + (answer.usage?.completion_tokens ?? 0));
  await eventually(() => gateway.settlements.length > 0);
  expect(gateway.settlements.at(-1)).toMatchObject({
    outcome: "ok",
    status: 200,
    providerModel: "bedrock/us.amazon.nova-lite-v1:0",
    usage: { outputTokens: answer.usage?.completion_tokens },
  });
});

it("streams, with usage when asked", async () => {
  const stream = await client.chat.completions.create({
    model: "nova-lite",
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  const chunks: OpenAI.ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  expect(chunks[0]?.choices[0]?.delta).toMatchObject({ role: "assistant" });
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
  expect(text).toContain("Hello there");
  expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe("stop");
  expect(chunks.at(-1)?.choices).toEqual([]);
  expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(5);
});

it("calls tools in parallel and takes their results", async () => {
  const asked = await client.chat.completions.create({ model: "nova-lite", messages, tools });
  const message = asked.choices[0]?.message;
  expect(asked.choices[0]?.finish_reason).toBe("tool_calls");
  const calls = (message?.tool_calls ?? []).flatMap((call) => (call.type === "function" ? [call] : []));
  expect(calls.map((call) => JSON.parse(call.function.arguments))).toEqual([{ city: "Oslo" }, { city: "Rome" }]);
  const results = calls.map((call) => ({ role: "tool" as const, tool_call_id: call.id, content: "sunny" }));
  const history = [...messages, ...(message === undefined ? [] : [message]), ...results];
  const answer = await client.chat.completions.create({ model: "nova-lite", messages: history, tools });
  expect(answer.choices[0]?.message.content).toBe("It is sunny.");
});

it("streams tool calls in fragments that join to their arguments", async () => {
  const runner = client.chat.completions.stream({ model: "nova-lite", messages, tools });
  const final = await runner.finalChatCompletion();
  const calls = final.choices[0]?.message.tool_calls ?? [];
  expect(calls.map((call) => (call.type === "function" ? JSON.parse(call.function.arguments) : undefined))).toEqual([
    { city: "Oslo" },
    { city: "Rome" },
  ]);
});

it("takes a picture", async () => {
  const url = "data:image/png;base64,iVBORw0KGgo=";
  const content = [
    { type: "text" as const, text: "What is this?" },
    { type: "image_url" as const, image_url: { url } },
  ];
  const answer = await client.chat.completions.create({ model: "nova-lite", messages: [{ role: "user", content }] });
  expect(answer.choices[0]?.message.content).toContain("What is this?");
});

it("answers in the schema that was asked for", async () => {
  const place = {
    type: "object",
    properties: { city: { type: "string" }, size: { type: "integer" } },
    required: ["city", "size"],
  };
  const schema = {
    type: "object",
    properties: { places: { type: "array", items: { $ref: "#/$defs/place" } } },
    $defs: { place },
  };
  const answer = await client.chat.completions.create({
    model: "nova-lite",
    messages,
    response_format: { type: "json_schema", json_schema: { name: "places", schema, strict: true } },
  });
  const said = JSON.parse(answer.choices[0]?.message.content ?? "");
  expect(said).toEqual({ places: [{ city: expect.stringContaining("stand-in"), size: 0 }] });
});

it("refuses by name, in OpenAI's envelope", async () => {
  const refusal = client.chat.completions.create({ model: "nova-lite", messages, logit_bias: { "5": 1 } });
  await expect(refusal).rejects.toMatchObject({ status: 400, param: "logit_bias", type: "invalid_request_error" });
  await expect(client.chat.completions.create({ model: "nobody", messages })).rejects.toMatchObject({
    status: 404,
    code: "model_not_found",
  });
});
