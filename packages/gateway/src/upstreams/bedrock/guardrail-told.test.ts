import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { eventually, startForwarding } from "../../forward-testing.ts";
import { invokeFrames, startScripted } from "../../testing/scripted-upstream.ts";

let provider: Awaited<ReturnType<typeof startScripted>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  provider = await startScripted();
  const models = [{ model_name: "claude", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-6" } }];
  gateway = await startForwarding({ bedrockUrl: provider.url, models, router: { num_retries: 0 } });
});
beforeEach(() => {
  gateway.settlements.length = 0;
});
afterAll(async () => {
  await gateway.close();
  provider.close();
});

const message = { id: "m", type: "message", role: "assistant", model: "x", content: [] };
const begin = [
  { type: "message_start", message: { ...message, usage: { input_tokens: 3, output_tokens: 1 } } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Sorry." } },
];
const end = {
  type: "message_delta",
  delta: { stop_reason: "end_turn", stop_sequence: null },
  usage: { output_tokens: 2 },
};
const stop = { type: "message_stop", "amazon-bedrock-invocationMetrics": { inputTokenCount: 3, outputTokenCount: 2 } };
const action = { "amazon-bedrock-guardrailAction": "INTERVENED" };
const none = { "amazon-bedrock-guardrailAction": "NONE" };

const asked = { model: "claude", max_tokens: 9, messages: [{ role: "user" as const, content: "Hi" }] };
const client = () => new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
const block = { type: "content_block_stop", index: 0 };

describe("a guardrail that steps in while Claude streams", () => {
  it.each([
    ["at the last event", { ...end, ...none }, { ...stop, ...action }],
    ["where the message ends", { ...end, ...action }, { ...stop, ...none }],
    ["at both", { ...end, ...action }, { ...stop, ...action }],
  ])("is told as in a whole answer, said %s", async (_, first, last) => {
    const whole = { ...message, content: [{ type: "text", text: "Sorry." }], stop_reason: "end_turn", ...action };
    provider.says({ whole: { ...whole, usage: { input_tokens: 3, output_tokens: 2 } } });
    const { stop_reason, stop_details } = await client().messages.create(asked);
    expect(stop_reason).toBe("refusal");
    provider.says({ stream: invokeFrames(...begin, block, first, last) });
    expect(await client().messages.stream(asked).finalMessage()).toMatchObject({
      content: [{ text: "Sorry." }],
      stop_reason,
      stop_details,
      usage: { input_tokens: 3, output_tokens: 2 },
    });
    await eventually(() => gateway.settlements.length > 1);
    expect(gateway.settlements.map(({ errorCode }) => errorCode)).toEqual(Array(2).fill("guardrail_intervened"));
  });

  it.each([
    ["last", end, { ...stop, ...action }],
    ["earlier", { ...end, ...action }, stop],
    // As families say it that count at another place.
    ["in an event without a count", { type: "message_delta", delta: end.delta, ...action }, stop],
  ])("is in the record of Bedrock's own clients, said %s", async (_, first, last) => {
    provider.says({ stream: invokeFrames(...begin, block, first, last) });
    const body = JSON.stringify({ ...asked, anthropic_version: "bedrock-2023-05-31" });
    const address = `${gateway.url}/model/claude/invoke-with-response-stream`;
    await (await fetch(address, { method: "POST", body })).arrayBuffer();
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements).toMatchObject([{ outcome: "ok", errorCode: "guardrail_intervened" }]);
  });
});

describe("without one", () => {
  const seen = async () => {
    const events: string[] = [];
    for await (const event of await client().messages.create({ ...asked, stream: true })) events.push(event.type);
    return events;
  };

  it("a message ends as Claude ended it", async () => {
    provider.says({ stream: invokeFrames(...begin, block, { ...end, ...none }, { ...stop, ...none }) });
    const { stop_reason, stop_details } = await client().messages.stream(asked).finalMessage();
    expect([stop_reason, stop_details ?? null]).toEqual(["end_turn", null]);
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements).toMatchObject([{ outcome: "ok", errorCode: undefined }]);
  });

  it("every event comes once and in order, however often an end is told", async () => {
    provider.says({ stream: invokeFrames(...begin, block, end, { type: "ping" }, end, stop) });
    const begun = ["message_start", "content_block_start", "content_block_delta", "content_block_stop"];
    expect(await seen()).toEqual([...begun, "message_delta", "message_delta", "message_stop"]);
  });
});
