import { signIn } from "@onbehalf/sandbox/token";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.close());

async function client(user: string): Promise<OpenAI> {
  const issuer = `${chain.urls.identityProvider}/oauth2/llm`;
  const { accessToken } = await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" });
  return new OpenAI({ baseURL: `${chain.urls.gateway}/v1`, apiKey: accessToken, maxRetries: 0 });
}

const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: "user", content: "Say hello." }];
const model = "claude-sonnet-4-6";

describe("the official OpenAI client with a person's token as its key", () => {
  it("lists the models this person may use", async () => {
    const openai = await client("alice");
    const models = [];
    for await (const one of openai.models.list()) models.push(one.id);
    expect(models).toContain(model);
  });

  it("completes a chat", async () => {
    const openai = await client("alice");
    const completion = await openai.chat.completions.create({ model, messages });
    expect(completion.object).toBe("chat.completion");
    expect(completion.choices[0]?.message.content).toMatch(/stand-in/i);
    expect(completion.choices[0]?.finish_reason).toBe("stop");
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("streams a chat to the same text, with usage at the end when asked", async () => {
    const openai = await client("alice");
    const whole = await openai.chat.completions.create({ model, messages });
    const stream = await openai.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]?.message.content);
    expect(usage).toEqual(whole.usage);
  });

  it("gets its own kind of error for a model that is not there", async () => {
    const openai = await client("alice");
    const refused = await openai.chat.completions
      .create({ model: "gpt-none", messages })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.APIError);
    expect(refused).toMatchObject({ status: expect.any(Number), requestID: expect.any(String) });
    expect(String((refused as Error).message)).toContain("gpt-none");
  });

  it("gets 403 in words for a person without a group", async () => {
    const openai = await client("mallory");
    const refused = await openai.chat.completions.create({ model, messages }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect((refused as Error).message).toMatch(/group/i);
  });

  it("gets 401 for a token that is none", async () => {
    const openai = new OpenAI({ baseURL: `${chain.urls.gateway}/v1`, apiKey: "nonsense", maxRetries: 0 });
    await expect(openai.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  });
});
