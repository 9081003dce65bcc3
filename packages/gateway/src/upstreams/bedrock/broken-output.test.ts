import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually, startForwarding } from "../../forward-testing.ts";
import { converseFrames, frames, startScripted } from "../../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startScripted();
  const litellm_params = { model: "bedrock/us.amazon.nova-lite-v1:0" };
  const models = [{ model_name: "nova", litellm_params }];
  gateway = await startForwarding({ bedrockUrl: provider.url, models, router: { num_retries: 1 } });
});
beforeEach(() => {
  gateway.settlements.length = 0;
  gateway.failures.length = 0;
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

const messages = [{ role: "user" as const, content: "Hi" }];
const openai = () => new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
const usage = { inputTokens: 3, outputTokens: 2, totalTokens: 5 };
const answer = (stopReason: string, said = "Let") => ({
  output: { message: { role: "assistant", content: [{ text: said }] } },
  stopReason,
  usage,
});
const text = ["contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Let" } }] as const;
const good = [
  text,
  ["contentBlockStop", { contentBlockIndex: 0 }],
  ["messageStop", { stopReason: "end_turn" }],
] as const;

const dialects = {
  chat: {
    whole: async () =>
      (await openai().chat.completions.create({ model: "nova", messages })).choices[0]?.message.content,
    stream: () => openai().chat.completions.stream({ model: "nova", messages }).finalContent(),
  },
  responses: {
    whole: async () => (await openai().responses.create({ model: "nova", input: "Hi" })).output_text,
    stream: async () => (await openai().responses.stream({ model: "nova", input: "Hi" }).finalResponse()).output_text,
  },
  messages: {
    whole: async () =>
      (await anthropic().messages.create({ model: "nova", max_tokens: 9, messages })).content.map((block) =>
        block.type === "text" ? block.text : "",
      )[0],
    stream: () => anthropic().messages.stream({ model: "nova", max_tokens: 9, messages }).finalText(),
  },
};

describe.each(Object.entries(dialects))("output that Bedrock could not read, in %s", (_, { whole, stream }) => {
  it.each(["malformed_model_output", "malformed_tool_use"])("is no answer: %s", async (reason) => {
    provider.says({ whole: answer(reason) });
    await expect(whole()).rejects.toMatchObject({ status: 502 });
    expect(gateway.failures).toMatchObject([{ code: "upstream_failed", cause: reason }]);
  });

  it("is asked for again", async () => {
    provider.says({ whole: answer("malformed_tool_use") }, { whole: answer("end_turn", "Well.") });
    expect(await whole()).toBe("Well.");
  });

  it("is a failed stream, and counted", async () => {
    const stop = ["messageStop", { stopReason: "malformed_tool_use" }] as const;
    provider.says({
      stream: frames(["messageStart", { role: "assistant" }], text),
      late: frames(stop, ["metadata", { usage }]),
    });
    await expect(stream()).rejects.toThrow(/called a tool in a way/);
    await eventually(() => gateway.settlements.length > 0);
    const counted = { inputTokens: 3, outputTokens: 2 };
    expect(gateway.settlements).toMatchObject([{ outcome: "error", errorCode: "upstream_failed", usage: counted }]);
    expect(gateway.settlements[0]?.usageEstimated).toBe(false);
  });
});

it("a stream of which nothing was written yet is asked for again", async () => {
  const nothing = ["messageStop", { stopReason: "malformed_model_output" }] as const;
  provider.says({ stream: converseFrames(nothing) }, { stream: converseFrames(...good) });
  expect(await dialects.chat.stream()).toBe("Let");
});

it("is a failed stream without a count behind it, too", async () => {
  const stop = ["messageStop", { stopReason: "malformed_tool_use" }] as const;
  provider.says({ stream: frames(text), late: frames(stop) });
  await expect(dialects.messages.stream()).rejects.toThrow(/called a tool in a way/);
});

it("Bedrock's own clients are told as Bedrock tells it, and the record says what happened", async () => {
  const body = JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hi" }] }] });
  const ask = (operation: string) => fetch(`${gateway.url}/model/nova/${operation}`, { method: "POST", body });
  provider.says({ whole: answer("malformed_tool_use") });
  expect(await (await ask("converse")).json()).toEqual(answer("malformed_tool_use"));
  const stream = converseFrames(text, ["messageStop", { stopReason: "malformed_model_output" }]);
  provider.says({ stream });
  expect(Buffer.from(await (await ask("converse-stream")).arrayBuffer())).toEqual(stream);
  await eventually(() => gateway.settlements.length > 1);
  expect(gateway.settlements).toMatchObject([
    { outcome: "ok", errorCode: "malformed_tool_use" },
    { outcome: "ok", errorCode: "malformed_model_output" },
  ]);
});
