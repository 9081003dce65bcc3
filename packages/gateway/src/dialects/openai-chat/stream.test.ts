import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { startForwarding, testAws } from "../../forward-testing.ts";

type Turn = Parameters<Rule>[0];

const asked: Turn[] = [];
/** Thinks, calls a tool without a word, and answers when it has the result. */
const thinker: Rule = (turn) => {
  asked.push(turn);
  const answered = turn.messages.at(-1)?.content.some((block) => block.toolResult !== undefined);
  if (turn.tools.length === 0 || answered === true) return { text: "It is sunny." };
  const thinks = turn.system === "Think." ? { reasoning: "Where is that? In Norway." } : {};
  return { ...thinks, toolUses: [{ name: "weather", input: { city: "Oslo" } }] };
};

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: OpenAI;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 0, rules: [thinker], ...testAws });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [{ model_name: "claude", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-6" } }],
  });
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

const user = { role: "user" as const, content: "What is the weather in Oslo?" };
const thinking = [{ role: "system" as const, content: "Think." }, user];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function" as const, function: { name: "weather", parameters } }];
async function deltas(body: Omit<OpenAI.ChatCompletionCreateParamsStreaming, "model" | "stream">) {
  const stream = await client.chat.completions.create({ ...body, model: "claude", stream: true });
  const all: OpenAI.ChatCompletionChunk.Choice.Delta[] = [];
  for await (const { choices } of stream) if (choices[0] !== undefined) all.push(choices[0].delta);
  return all;
}

it.each([
  ["text", { messages: [user] }, ""],
  ["a tool call", { messages: [user], tools }, null],
  ["thoughts", { messages: thinking, tools }, null],
])("begins with a role, and with the content that OpenAI has before %s", async (_, body, content) => {
  const [first, ...rest] = await deltas(body);
  expect(first).toEqual({ role: "assistant", content, refusal: null });
  expect(rest.some(({ role }) => role !== undefined)).toBe(false);
});

it("tells thoughts word by word, and once as a block that can be sent back", async () => {
  const all = (await deltas({ messages: thinking, tools })) as {
    reasoning_content?: string;
    thinking_blocks?: object[];
  }[];
  expect(all.map((delta) => delta.reasoning_content ?? "").join("")).toBe("Where is that? In Norway.");
  expect(all.filter((delta) => delta.thinking_blocks !== undefined)).toEqual([
    {
      // LiteLLM's reader drops a chunk without it.
      reasoning_content: "",
      thinking_blocks: [
        { index: 0, type: "thinking", thinking: "Where is that? In Norway.", signature: expect.stringMatching(/./) },
      ],
    },
  ]);
});

it("is joined by OpenAI's own helper to a message with which Claude gets its thoughts back", async () => {
  const message = await client.chat.completions.stream({ model: "claude", messages: thinking, tools }).finalMessage();
  const result = { role: "tool" as const, tool_call_id: message.tool_calls?.[0]?.id ?? "", content: "sun" };
  const messages = [...thinking, message, result];
  const answer = await client.chat.completions.create({ model: "claude", messages, tools });
  expect(answer.choices[0]?.message.content).toBe("It is sunny.");
  const sentBack = asked.at(-1)?.messages.find(({ role }) => role === "assistant")?.content ?? [];
  const reasoningText = { text: "Where is that? In Norway.", signature: expect.stringMatching(/./) };
  expect(sentBack[0]).toEqual({ reasoningContent: { reasoningText } });
  expect(sentBack[1]?.toolUse?.name).toBe("weather");
});
