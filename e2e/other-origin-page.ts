import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

/** What a page with the official clients in it comes to. */
export interface Outcome {
  readonly whole?: string | null | undefined;
  readonly streamed?: string;
  readonly claude?: string;
  readonly requestId?: string | null;
  readonly error?: string;
  readonly status?: unknown;
  readonly message?: string;
}

/** Runs in the browser, bundled. @returns what it was answered, or why not */
async function ask([gateway, token]: readonly [string, string]): Promise<Outcome> {
  const common = { maxRetries: 0, dangerouslyAllowBrowser: true };
  const openai = new OpenAI({ ...common, baseURL: `${gateway}/v1`, apiKey: token });
  const anthropic = new Anthropic({ ...common, baseURL: gateway, authToken: token, apiKey: null });
  const model = "claude-sonnet-4-6";
  const messages = [{ role: "user" as const, content: "Say hello." }];
  try {
    const { data, response } = await openai.chat.completions.create({ model, messages }).withResponse();
    let streamed = "";
    for await (const chunk of await openai.chat.completions.create({ model, messages, stream: true }))
      streamed += chunk.choices[0]?.delta.content ?? "";
    const [block] = (await anthropic.messages.create({ model, messages, max_tokens: 100 })).content;
    const claude = block?.type === "text" ? block.text : "no text";
    return {
      whole: data.choices[0]?.message.content,
      streamed,
      claude,
      requestId: response.headers.get("x-request-id"),
    };
  } catch (error) {
    if (!(error instanceof OpenAI.APIError)) throw error;
    const { name, status, message } = Object.assign(error, { name: error.constructor.name });
    return { error: name, status, message };
  }
}

Object.assign(globalThis, { ask });
