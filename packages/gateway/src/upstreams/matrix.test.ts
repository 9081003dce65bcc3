import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../sandbox/src/bedrock/index.ts";
import { startForwarding, testAws } from "../forward-testing.ts";

/** What every dialect can say of an answer. */
interface Said {
  readonly text: string;
  readonly tool: unknown;
  readonly end: string;
  readonly outputTokens: number;
}

const look: Rule = (turn) => {
  if (turn.tools.length === 0) return undefined;
  const result = turn.messages.at(-1)?.content.find((block) => block.toolResult !== undefined)?.toolResult;
  if (result !== undefined) return { text: `I saw ${result.content[0]?.text} by ${result.toolUseId}.` };
  return { text: "Let me look.", toolUses: [{ name: "look", input: { at: "sky", deep: { list: [1, "ü"] } } }] };
};

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let behind: Awaited<ReturnType<typeof startForwarding>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

// A second gateway is a real OpenAI- and Anthropic-compatible server with a model behind it.
beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 0, rules: [look], ...testAws });
  const claude = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  behind = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [{ model_name: "inner", litellm_params: { model: claude } }],
  });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      { model_name: "bedrock", litellm_params: { model: claude } },
      {
        model_name: "openai",
        litellm_params: { model: "openai/inner", api_base: `${behind.url}/v1`, api_key: "server-side" },
      },
      {
        model_name: "anthropic",
        litellm_params: { model: "anthropic/inner", api_base: behind.url, api_key: "server-side" },
      },
    ],
    router: { num_retries: 0 },
  });
});
afterAll(async () => {
  await gateway.close();
  await behind.close();
  await bedrock.close();
});

const question = "What is up?";
const schema = { type: "object" as const, properties: { at: { type: "string" } } };

async function chat(model: string, stream: boolean, tools: boolean): Promise<Said> {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const body = {
    model,
    messages: [{ role: "user" as const, content: question }],
    ...(tools ? { tools: [{ type: "function" as const, function: { name: "look", parameters: schema } }] } : {}),
  };
  const answer = stream
    ? await client.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion()
    : await client.chat.completions.create(body);
  const choice = answer.choices[0];
  const call = choice?.message.tool_calls?.[0];
  return {
    text: choice?.message.content ?? "",
    tool: call?.type === "function" ? JSON.parse(call.function.arguments) : undefined,
    end:
      choice?.finish_reason === "tool_calls"
        ? "tool"
        : choice?.finish_reason === "stop"
          ? "end"
          : String(choice?.finish_reason),
    outputTokens: answer.usage?.completion_tokens ?? 0,
  };
}

async function responses(model: string, stream: boolean, tools: boolean): Promise<Said> {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const body = {
    model,
    input: question,
    ...(tools ? { tools: [{ type: "function" as const, name: "look", parameters: schema, strict: false }] } : {}),
  };
  const answer = stream ? await client.responses.stream(body).finalResponse() : await client.responses.create(body);
  const call = answer.output.flatMap((item) => (item.type === "function_call" ? [item] : []))[0];
  return {
    text: answer.output_text,
    tool: call === undefined ? undefined : JSON.parse(call.arguments),
    end: answer.status !== "completed" ? String(answer.status) : call === undefined ? "end" : "tool",
    outputTokens: answer.usage?.output_tokens ?? 0,
  };
}

async function messages(model: string, stream: boolean, tools: boolean): Promise<Said> {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const body = {
    model,
    max_tokens: 500,
    messages: [{ role: "user" as const, content: question }],
    ...(tools ? { tools: [{ name: "look", input_schema: schema }] } : {}),
  };
  const answer = stream ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
  return {
    text: answer.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    tool: answer.content.find((block) => block.type === "tool_use")?.input,
    end:
      answer.stop_reason === "tool_use"
        ? "tool"
        : answer.stop_reason === "end_turn"
          ? "end"
          : String(answer.stop_reason),
    outputTokens: answer.usage.output_tokens,
  };
}

async function converse(modelId: string, stream: boolean, tools: boolean): Promise<Said> {
  const client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: gateway.url,
    token: { token: "t" },
    authSchemePreference: ["httpBearerAuth"],
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
  const toolConfig = { tools: [{ toolSpec: { name: "look", inputSchema: { json: schema } } }] };
  const input = {
    modelId,
    messages: [{ role: "user" as const, content: [{ text: question }] }],
    ...(tools ? { toolConfig } : {}),
  };
  const endOf = (reason: string | undefined): string =>
    reason === "tool_use" ? "tool" : reason === "end_turn" ? "end" : String(reason);
  if (!stream) {
    const answer = await client.send(new ConverseCommand(input));
    const content = answer.output?.message?.content ?? [];
    return {
      text: content.map((block) => block.text ?? "").join(""),
      tool: content.find((block) => block.toolUse !== undefined)?.toolUse?.input,
      end: endOf(answer.stopReason),
      outputTokens: answer.usage?.outputTokens ?? 0,
    };
  }
  let text = "";
  let toolText = "";
  let end: string | undefined;
  let outputTokens = 0;
  for await (const event of (await client.send(new ConverseStreamCommand(input))).stream ?? []) {
    text += event.contentBlockDelta?.delta?.text ?? "";
    toolText += event.contentBlockDelta?.delta?.toolUse?.input ?? "";
    end = event.messageStop?.stopReason ?? end;
    outputTokens = event.metadata?.usage?.outputTokens ?? outputTokens;
  }
  return { text, tool: toolText === "" ? undefined : JSON.parse(toolText), end: endOf(end), outputTokens };
}

const dialects = { chat, responses, messages, converse };
const cases = Object.keys(dialects).flatMap((dialect) =>
  ["bedrock", "openai", "anthropic"].flatMap((upstream) =>
    [false, true].map((stream) => ({ dialect: dialect as keyof typeof dialects, upstream, stream })),
  ),
);

describe("every dialect gets the same answer from every upstream", () => {
  it.each(cases)("$dialect ← $upstream, streamed: $stream", async ({ dialect, upstream, stream }) => {
    gateway.settlements.length = 0;
    const plain = await dialects[dialect](upstream, stream, false);
    expect(plain).toMatchObject({ text: expect.stringContaining(question), tool: undefined, end: "end" });
    const tool = await dialects[dialect](upstream, stream, true);
    expect(tool).toMatchObject({ text: "Let me look.", tool: { at: "sky", deep: { list: [1, "ü"] } }, end: "tool" });
    expect(tool.outputTokens).toBeGreaterThan(5);
    expect(gateway.settlements.map(({ outcome, usage }) => [outcome, usage?.outputTokens])).toEqual([
      ["ok", plain.outputTokens],
      ["ok", tool.outputTokens],
    ]);
  });
});

it("embeddings pass to an OpenAI-compatible server", async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  // The model behind makes none; that it says so shows that it was asked, and that its words reach the client.
  await expect(client.embeddings.create({ model: "openai", input: "Hello" })).rejects.toMatchObject({
    status: 400,
    message: expect.stringContaining("makes no embeddings"),
  });
});

it("tokens are counted where Anthropic's own protocol is spoken, and refused as not implemented where none can", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const body = { messages: [{ role: "user" as const, content: question }] };
  expect((await client.messages.countTokens({ model: "anthropic", ...body })).input_tokens).toBeGreaterThan(2);
  await expect(client.messages.countTokens({ model: "openai", ...body })).rejects.toMatchObject({ status: 501 });
});
