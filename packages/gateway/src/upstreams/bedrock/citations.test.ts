import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";
import { converseFrames, startScripted } from "../../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

const citation = { title: "Sky", location: { documentChar: { documentIndex: 0, start: 0, end: 9 } } };
const delta = (said: object) => ["contentBlockDelta", { contentBlockIndex: 0, delta: said }] as const;

beforeAll(async () => {
  provider = await startScripted();
  const models = [{ model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } }];
  gateway = await startForwarding({ bedrockUrl: provider.url, models, router: { num_retries: 0 } });
  const cited = { content: [{ text: "It is " }, { text: "blue." }], citations: [citation] };
  provider.says({
    whole: {
      output: { message: { role: "assistant", content: [{ citationsContent: cited }] } },
      stopReason: "end_turn",
      usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    },
    stream: converseFrames(
      delta({ text: "It is " }),
      delta({ citation }),
      delta({ text: "blue." }),
      ["contentBlockStop", { contentBlockIndex: 0 }],
      ["messageStop", { stopReason: "end_turn" }],
    ),
  });
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

it("what a model wrote with citations is text in every dialect, whole and streamed", async () => {
  const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const anthropic = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "What colour is the sky?" }];
  const chat = { model: "nova", messages };
  const response = { model: "nova", input: "What colour is the sky?" };
  const whole = await openai.chat.completions.create(chat);
  const message = await anthropic.messages.create({ ...chat, max_tokens: 9 });
  expect([
    whole.choices[0]?.message.content,
    await openai.chat.completions.stream(chat).finalContent(),
    (await openai.responses.create(response)).output_text,
    (await openai.responses.stream(response).finalResponse()).output_text,
    message.content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    await anthropic.messages.stream({ ...chat, max_tokens: 9 }).finalText(),
  ]).toEqual(Array(6).fill("It is blue."));
});
