import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issuers, startTestGateway, type TestGateway } from "../../testing/gateway.ts";
import { startUpstream, type TestUpstream } from "../../testing/upstream.ts";

let upstream: TestUpstream;
let gateway: TestGateway;

/** What Anthropic answers to a request that only fills the cache. */
const filled = {
  type: "message",
  role: "assistant",
  content: [],
  stop_reason: "max_tokens",
  usage: { input_tokens: 3, cache_creation_input_tokens: 700, cache_read_input_tokens: 0, output_tokens: 0 },
};

beforeAll(async () => {
  upstream = await startUpstream();
  gateway = await startTestGateway({
    upstream,
    yaml: `${issuers}
model_list:
  - model_name: direct
    litellm_params: { model: anthropic/claude-sonnet-4-5, api_base: "${upstream.url}", api_key: server-side }
  - model_name: claude
    litellm_params: { model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0 }
  - model_name: nova
    litellm_params: { model: bedrock/amazon.nova-lite-v1:0 }
access:
  groups:
    users: { models: ["*"] }
  users:
    direct@example.com: { tpm: 2000, budget: { usd: 1, period: day } }
    claude@example.com: { tpm: 2000, budget: { usd: 1, period: day } }
`,
  });
});
afterAll(async () => {
  await gateway.close();
  await upstream.close();
});

const ask = async (sub: string, model: string, max_tokens: unknown) => {
  const token = await gateway.token({ sub, email: `${sub}@example.com`, groups: ["users"] });
  const body = { model, max_tokens, messages: [{ role: "user", content: "Hello there" }] };
  return { token, answer: await gateway.call("/v1/messages", { token, body }) };
};

describe("a request for no answer, which fills the cache", () => {
  it.each(["direct", "claude"])("passes to Claude, and is counted and paid: %s", async (model) => {
    upstream.failure = { status: 200, body: filled };
    const { token, answer } = await ask(model, model, 0);
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({ content: [], stop_reason: "max_tokens", usage: { output_tokens: 0 } });
    expect(upstream.calls.at(-1)?.body).toMatchObject({ max_tokens: 0 });
    // Only the question was reserved.
    expect(Number(answer.headers.get("anthropic-ratelimit-tokens-remaining"))).toBeGreaterThan(1900);
    const [event] = (await gateway.call("/audit/events?limit=1", { token })).json.events;
    expect(event).toMatchObject({ tokens: 703, detail: {} });
    // 3.75 USD for a million tokens that are written; a tenth more within a geography.
    expect(event.cost_usd).toBeGreaterThan(0.0026);
    expect(event.cost_usd).toBeLessThan(0.0029);
    const later = await ask(model, model, 1);
    expect(Number(later.answer.headers.get("anthropic-ratelimit-tokens-remaining"))).toBeLessThan(1300);
  });

  it("is refused by name where another model would have to be asked in other words", async () => {
    const { answer } = await ask("nova", "nova", 0);
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toMatch(/^'max_tokens' .* cache without an answer/);
  });

  it.each([-1, 0.5, "0"])("is no other number: %s", async (limit) => {
    const { answer } = await ask("odd", "direct", limit);
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain("'max_tokens'");
  });
});
