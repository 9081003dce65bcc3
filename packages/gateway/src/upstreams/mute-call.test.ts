import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding, testAws } from "../forward-testing.ts";
import { chatChunks, converseFrames, startScripted } from "../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startScripted();
  gateway = await startForwarding({
    bedrockUrl: provider.url,
    models: [
      { model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } },
      { model_name: "tiny", litellm_params: { model: "openai/tiny", api_base: provider.url } },
    ],
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

const frames = (name: string, block: number, ...pieces: readonly string[]) => [
  ["contentBlockStart", { contentBlockIndex: block, start: { toolUse: { toolUseId: name, name } } }] as const,
  ...pieces.map((input) => ["contentBlockDelta", { contentBlockIndex: block, delta: { toolUse: { input } } }] as const),
  ["contentBlockStop", { contentBlockIndex: block }] as const,
];
const end = ["messageStop", { stopReason: "tool_use" }] as const;
/** As Claude calls a tool without parameters, and as others do. */
const bedrock = converseFrames(
  ...frames("now", 0, ""),
  ...frames("look", 1, "", '{"at":', '"sky"}'),
  ...frames("who", 2),
  end,
);
const inputs = [
  { name: "now", input: {} },
  { name: "look", input: { at: "sky" } },
  { name: "who", input: {} },
];

const begun = (name: string, index: number) => ({
  index,
  id: name,
  type: "function",
  function: { name, arguments: "" },
});
const openai = chatChunks(
  { index: 0, delta: { role: "assistant", content: null, tool_calls: [begun("now", 0)] }, finish_reason: null },
  { index: 0, delta: { tool_calls: [begun("look", 1)] }, finish_reason: null },
  { index: 0, delta: { tool_calls: [{ index: 1, function: { arguments: '{"at":"sky"}' } }] }, finish_reason: null },
  { index: 0, delta: { tool_calls: [begun("who", 2)] }, finish_reason: null },
  { index: 0, delta: {}, finish_reason: "tool_calls" },
);

const schema = { type: "object" as const };
const messages = [{ role: "user" as const, content: "What time is it?" }];

it("a call without a word has arguments that OpenAI's clients can parse", async () => {
  provider.says({ stream: bedrock });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const tools = inputs.map(({ name }) => ({ type: "function" as const, function: { name, parameters: schema } }));
  const answer = await client.chat.completions.stream({ model: "nova", messages, tools }).finalMessage();
  const calls = (answer.tool_calls ?? []).flatMap((call) => (call.type === "function" ? [call.function] : []));
  expect(calls.map(({ name, arguments: json }) => ({ name, input: JSON.parse(json) }))).toEqual(inputs);
});

it("is run by OpenAI's helper that runs tools", async () => {
  provider.says({ stream: bedrock });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const ran: unknown[] = [];
  const tools = inputs.map(({ name }) => ({
    type: "function" as const,
    function: {
      name,
      description: name,
      parameters: schema,
      parse: JSON.parse,
      function: (input: unknown) => {
        ran.push({ name, input });
        // The next answer is an ordinary one.
        const text = ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Noon." } }] as const;
        provider.says({ stream: converseFrames(text, ["messageStop", { stopReason: "end_turn" }]) });
        return "noon";
      },
    },
  }));
  const runner = client.chat.completions.runTools({ model: "nova", messages, tools, stream: true });
  expect(await runner.finalContent()).toBe("Noon.");
  expect(ran).toEqual(inputs);
});

it("has them in Responses, and says them before it is done", async () => {
  provider.says({ stream: bedrock });
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const tools = inputs.map(({ name }) => ({ type: "function" as const, name, parameters: schema, strict: false }));
  const stream = client.responses.stream({ model: "nova", input: "What time is it?", tools });
  const events: unknown[] = [];
  for await (const event of stream) if ("output_index" in event && event.output_index === 0) events.push(event);
  expect(events).toMatchObject([
    { type: "response.output_item.added", item: { arguments: "", status: "in_progress" } },
    { type: "response.function_call_arguments.delta", delta: "{}" },
    { type: "response.function_call_arguments.done", arguments: "{}" },
    { type: "response.output_item.done", item: { arguments: "{}", status: "completed" } },
  ]);
  const { output } = await stream.finalResponse();
  const calls = output.flatMap((item) => (item.type === "function_call" ? [item] : []));
  expect(calls.map(({ name, arguments: json }) => ({ name, input: JSON.parse(json) }))).toEqual(inputs);
});

it("has an input for Anthropic's clients", async () => {
  provider.says({ stream: bedrock });
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const tools = inputs.map(({ name }) => ({ name, input_schema: schema }));
  const stream = client.messages.stream({ model: "nova", max_tokens: 99, messages, tools });
  const pieces: string[] = [];
  for await (const event of stream)
    if (event.type === "content_block_delta" && event.delta.type === "input_json_delta" && event.index !== 1)
      pieces.push(event.delta.partial_json);
  const { content } = await stream.finalMessage();
  expect(content).toMatchObject(inputs);
  expect(pieces).toEqual(["{}", "{}"]);
});

it("has one for Bedrock's, who join the pieces and parse them", async () => {
  provider.says({ stream: openai });
  const client = new BedrockRuntimeClient({
    endpoint: gateway.url,
    region: testAws.region,
    credentials: testAws,
    requestHandler: new NodeHttpHandler(),
  });
  const asked = {
    modelId: "tiny",
    messages: [{ role: "user" as const, content: [{ text: "What time is it?" }] }],
    toolConfig: { tools: inputs.map(({ name }) => ({ toolSpec: { name, inputSchema: { json: schema } } })) },
  };
  const { stream } = await client.send(new ConverseStreamCommand(asked));
  const calls: { name: string | undefined; input: string }[] = [];
  for await (const { contentBlockStart: start, contentBlockDelta: delta } of stream ?? []) {
    if (start !== undefined) calls.push({ name: start.start?.toolUse?.name, input: "" });
    const call = calls.at(-1);
    if (call !== undefined) call.input += delta?.delta?.toolUse?.input ?? "";
  }
  expect(calls.map(({ name, input }) => ({ name, input: JSON.parse(input) }))).toEqual(inputs);
  client.destroy();
});
