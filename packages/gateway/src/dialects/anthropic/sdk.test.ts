import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { eventually, startForwarding, testAws } from "../../forward-testing.ts";

const look: Rule = (turn) => {
  if (turn.tools.length === 0) return undefined;
  const answered = turn.messages.at(-1)?.content.find((block) => block.toolResult !== undefined);
  if (answered !== undefined) return { text: `I saw: ${answered.toolResult?.content[0]?.text}` };
  return { text: "Let me look.", toolUses: [{ name: "look", input: { at: "sky", deep: { ü: [1, 2] } } }] };
};
const longAnswer: Rule = (turn) =>
  JSON.stringify(turn.messages).includes("at length") ? { text: "word ".repeat(20_000) } : undefined;

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: Anthropic;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 1, rules: [look, longAnswer], ...testAws });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      { model_name: "claude", litellm_params: { model: "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0" } },
      { model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } },
    ],
    router: { num_retries: 0 },
  });
  client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

async function fault(body: Record<string, unknown>): Promise<void> {
  await fetch(`${bedrock.url}/sandbox/faults`, { method: "POST", body: JSON.stringify(body) });
}

const messages = [{ role: "user" as const, content: "Hello there" }];
/** The SDK's types no longer have it; people's requests do. */
const tooHot = { temperature: 7 };
const tools = [{ name: "look", description: "Looks", input_schema: { type: "object" as const } }];

// Claude goes by InvokeModel with its own body, Nova through the conversation: the client must not see a difference.
describe.each(["claude", "nova"])("the Anthropic SDK with %s", (model) => {
  it("gets a message", async () => {
    const message = await client.messages.create({ model, max_tokens: 200, system: "Be brief.", messages });
    expect(message).toMatchObject({ type: "message", role: "assistant", stop_reason: "end_turn", stop_sequence: null });
    expect(message.content[0]).toMatchObject({ type: "text", text: expect.stringContaining("Hello there") });
    expect(message.usage.output_tokens).toBeGreaterThan(5);
    expect(gateway.settlements.at(-1)?.usage).toMatchObject({
      inputTokens: message.usage.input_tokens,
      outputTokens: message.usage.output_tokens,
    });
  });

  it("streams a message whose parts join to the same", async () => {
    const names: string[] = [];
    const stream = client.messages.stream({ model, max_tokens: 200, messages });
    stream.on("streamEvent", (event) => names.push(event.type));
    const message = await stream.finalMessage();
    expect(message.content[0]).toMatchObject({ type: "text", text: expect.stringContaining("Hello there") });
    expect(message.usage.output_tokens).toBeGreaterThan(5);
    expect(names[0]).toBe("message_start");
    expect(names.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
    expect(names.filter((name) => name === "content_block_delta").length).toBeGreaterThan(10);
    await eventually(() => gateway.settlements.at(-1)?.outcome === "ok");
    expect(gateway.settlements.at(-1)?.usage?.outputTokens).toBe(message.usage.output_tokens);
  });

  it("calls tools, streamed, and takes their results", async () => {
    const asked = await client.messages.stream({ model, max_tokens: 200, messages, tools }).finalMessage();
    expect(asked.stop_reason).toBe("tool_use");
    const use = asked.content.find((block) => block.type === "tool_use");
    expect(use?.input).toEqual({ at: "sky", deep: { ü: [1, 2] } });
    const history = [
      ...messages,
      { role: "assistant" as const, content: asked.content },
      {
        role: "user" as const,
        content: [{ type: "tool_result" as const, tool_use_id: use?.id ?? "", content: "stars" }],
      },
    ];
    const answer = await client.messages.create({ model, max_tokens: 200, messages: history, tools });
    expect(answer.content[0]).toMatchObject({ text: "I saw: stars" });
  });

  it("takes pictures, documents and cache marks", async () => {
    const content = [
      {
        type: "image" as const,
        source: { type: "base64" as const, media_type: "image/png" as const, data: "iVBORw0KGgo=" },
      },
      {
        type: "document" as const,
        source: { type: "base64" as const, media_type: "application/pdf" as const, data: "JVBERi0=" },
      },
      { type: "text" as const, text: "What are these?", cache_control: { type: "ephemeral" as const } },
    ];
    const answer = await client.messages.create({ model, max_tokens: 200, messages: [{ role: "user", content }] });
    expect(answer.content[0]).toMatchObject({ text: expect.stringContaining("What are these?") });
    expect(answer.usage.cache_creation_input_tokens).toBe(64);
  });

  it("says which limit and which stop sequence ended it", async () => {
    const short = await client.messages.create({ model, max_tokens: 3, messages });
    expect(short.stop_reason).toBe("max_tokens");
    const stopped = await client.messages.create({ model, max_tokens: 200, messages, stop_sequences: ["model"] });
    expect(stopped.stop_reason).toBe("stop_sequence");
  });

  it("counts tokens", async () => {
    const counted = await client.messages.countTokens({ model, messages });
    expect(counted.input_tokens).toBeGreaterThan(3);
  });

  it("gets errors in Anthropic's words", async () => {
    await fault({ fault: "throttle", retryAfter: 1 });
    const throttled = client.messages.create({ model, max_tokens: 5, messages });
    await expect(throttled).rejects.toMatchObject({
      status: 429,
      error: { type: "error", error: { type: "rate_limit_error" } },
    });
    await expect(throttled).rejects.toBeInstanceOf(Anthropic.RateLimitError);
    // The deployment now rests as long as its provider asked for.
    const resting = client.messages.create({ model, max_tokens: 5, messages });
    await expect(resting).rejects.toMatchObject({ status: 429, requestID: "test-request" });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const bad = client.messages.create({ model, max_tokens: 5, messages, ...tooHot });
    await expect(bad).rejects.toMatchObject({ status: 400, error: { error: { type: "invalid_request_error" } } });
  });

  it("gets an error event when the provider fails in the middle", async () => {
    for (const kind of ["exception", "cut", "bad-crc", "end-early"]) {
      await fault({ fault: kind, after: 4 });
      const stream = client.messages.stream({ model, max_tokens: 200, messages });
      await expect(stream.finalMessage(), kind).rejects.toMatchObject({ error: { type: "error" } });
      await eventually(() => gateway.settlements.at(-1)?.outcome === "error");
      expect(gateway.settlements.at(-1), kind).toMatchObject({
        outcome: "error",
        status: 200,
        errorCode: expect.stringMatching(/^upstream_/),
      });
      gateway.settlements.length = 0;
    }
  });

  it("can leave in the middle", async () => {
    gateway.settlements.length = 0;
    const content = "Talk at length";
    const stream = client.messages.stream({ model, max_tokens: 100_000, messages: [{ role: "user", content }] });
    await expect(
      (async () => {
        for await (const event of stream) if (event.type === "content_block_delta") stream.abort();
      })(),
    ).rejects.toThrow();
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", errorCode: "client_gone" });
  });
});

it("thinks, with a signature to send back", async () => {
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };
  const answer = await client.messages.create({ model: "claude", max_tokens: 2000, thinking, messages });
  expect(answer.content[0]).toMatchObject({ type: "thinking", signature: expect.any(String) });
});

it("forwards beta features and nothing Bedrock does not take", async () => {
  const answer = await client.beta.messages.create({
    model: "claude",
    max_tokens: 200,
    betas: ["context-management-2025-06-27"],
    context_management: { edits: [] },
    service_tier: "auto",
    metadata: { user_id: "u" },
    messages,
  });
  expect(answer.stop_reason).toBe("end_turn");
});

it("leaves out the betas that would fail the request at Bedrock, and what belongs to them", async () => {
  const mark = { type: "ephemeral" as const, scope: "global" };
  const answer = await client.beta.messages.create({
    model: "claude",
    max_tokens: 200,
    betas: ["prompt-caching-scope-2026-01-05", "advanced-tool-use-2025-11-20", "brand-new-2030-01-01"],
    system: [{ type: "text", text: "Be brief.", cache_control: mark }],
    tools: [
      { ...tools[0], name: "look", input_schema: { type: "object" }, defer_loading: true, eager_input_streaming: true },
    ],
    messages,
  });
  expect(answer.stop_reason).toBe("tool_use");
});

it("tells the client in Bedrock's words what Bedrock does not take, for it reads them", async () => {
  const adaptive = { type: "adaptive" as const };
  const refusal = client.messages.create({ model: "claude", max_tokens: 200, thinking: adaptive, messages });
  await expect(refusal).rejects.toMatchObject({
    status: 400,
    error: { error: { message: "adaptive thinking is not supported on this model" } },
  });
});

it("counts what could be sent: below the budget of thoughts, without tools", async () => {
  const thinking = { type: "enabled" as const, budget_tokens: 4000 };
  const counted = await client.messages.countTokens({ model: "claude", messages, thinking, tools: [] });
  expect(counted.input_tokens).toBeGreaterThan(3);
  // As a request that fills the cache is counted beforehand.
  const noAnswer = { model: "claude", messages, max_tokens: 0 };
  expect(await client.messages.countTokens(noAnswer)).toHaveProperty("input_tokens");
});

it("serves another family what a client for Claude always says", async () => {
  const answer = await client.beta.messages.create({
    model: "nova",
    max_tokens: 200,
    betas: ["context-management-2025-06-27", "effort-2025-11-24"],
    thinking: { type: "adaptive", display: "updates" },
    output_config: { effort: "high" },
    context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
    messages: [...messages, { role: "system", content: "It is Monday." }],
  });
  expect(answer.content[0]).toMatchObject({ text: expect.stringContaining("Hello there") });
  const low = { model: "nova", max_tokens: 200, output_config: { effort: "low" as const }, messages };
  await expect(client.messages.create(low)).rejects.toMatchObject({ status: 400 });
});

it("refuses by name what another family has no words for", async () => {
  const refusal = client.messages.create({
    model: "nova",
    max_tokens: 5000,
    thinking: { type: "enabled", budget_tokens: 1024 },
    messages,
  });
  await expect(refusal).rejects.toMatchObject({ status: 400, message: expect.stringContaining("'thinking'") });
});

it("retries as its SDK does when the gateway says so", async () => {
  const retrying = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 2 });
  await fault({ fault: "unavailable", count: 1 });
  const answer = await retrying.messages.create({ model: "claude", max_tokens: 50, messages });
  expect(answer.type).toBe("message");
});
