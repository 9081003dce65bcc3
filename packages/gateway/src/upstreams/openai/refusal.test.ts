import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";
import { chatChunks, startScripted } from "../../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startScripted();
  const litellm_params = { model: "openai/gpt-x", api_base: provider.url };
  gateway = await startForwarding({ models: [{ model_name: "gpt", litellm_params }], router: { num_retries: 0 } });
  const delta = (said: object) => ({ index: 0, delta: said, finish_reason: null });
  const message = { role: "assistant", content: "Hm.", refusal: "I cannot." };
  provider.says({
    whole: {
      id: "c",
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    },
    stream: chatChunks(
      delta({ role: "assistant", content: "", refusal: null }),
      delta({ content: "Hm." }),
      delta({ refusal: "I can" }),
      delta({ refusal: "not." }),
      { index: 0, delta: {}, finish_reason: "stop" },
    ),
  });
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

it("a refusal is text of its own to Anthropic's clients, whole and streamed", async () => {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const asked = { model: "gpt", max_tokens: 9, messages: [{ role: "user" as const, content: "Hi" }] };
  const whole = await client.messages.create(asked);
  const streamed = await client.messages.stream(asked).finalMessage();
  expect(whole.content).toMatchObject([{ text: "Hm." }, { text: "I cannot." }]);
  expect([streamed.content, streamed.stop_reason]).toEqual([whole.content, whole.stop_reason]);
});

it("and in Responses", async () => {
  const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
  const streamed = await client.responses.stream({ model: "gpt", input: "Hi" }).finalResponse();
  expect(streamed.output_text).toBe("Hm.I cannot.");
});
