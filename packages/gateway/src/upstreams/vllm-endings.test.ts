import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import Anthropic from "@anthropic-ai/sdk";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startForwarding } from "../forward-testing.ts";

// What follows came from vLLM 0.32.0, ids shortened. A call that is asked for by name ends with "stop", at OpenAI too.
const named = {
  whole:
    '{"id":"chatcmpl-1","object":"chat.completion","created":1795372458,"model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"","refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[{"id":"chatcmpl-tool-1","type":"function","function":{"name":"look","arguments":"{\\"q\\": \\"Bob\\"}"}}],"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-3a4fcf7d","usage":{"prompt_tokens":309,"total_tokens":359,"completion_tokens":50,"prompt_tokens_details":null,"completion_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}',
  chunks: [
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795372458,"model":"tiny","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}',
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795372458,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"id":"chatcmpl-tool-1","type":"function","index":0,"function":{"name":"look"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}',
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795372458,"model":"tiny","choices":[{"index":0,"delta":{"content":null,"tool_calls":[{"index":0,"function":{"arguments":"{\\"q\\": \\"Bob\\"}"}}]},"logprobs":null,"finish_reason":null,"token_ids":null}]}',
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795372458,"model":"tiny","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":null,"token_ids":null}],"system_fingerprint":"vllm-0.32.0-3a4fcf7d"}',
    '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795372458,"model":"tiny","choices":[],"usage":{"prompt_tokens":309,"total_tokens":359,"completion_tokens":50},"system_fingerprint":"vllm-0.32.0-3a4fcf7d"}',
  ],
};

/** An answer of text that met `met`: a stop text, or a token's number where the model's own end was met. */
const stopped = (met: string | number) => ({
  whole: `{"id":"chatcmpl-2","object":"chat.completion","created":1795372646,"model":"tiny","choices":[{"index":0,"message":{"role":"assistant","content":"The ","refusal":null,"annotations":null,"audio":null,"function_call":null,"reasoning":null},"logprobs":null,"finish_reason":"stop","stop_reason":${JSON.stringify(met)},"token_ids":null,"routed_experts":null}],"service_tier":null,"system_fingerprint":"vllm-0.32.0-3a4fcf7d","usage":{"prompt_tokens":24,"total_tokens":37,"completion_tokens":13,"prompt_tokens_details":null,"completion_tokens_details":null},"prompt_logprobs":null,"prompt_token_ids":null,"prompt_text":null,"kv_transfer_params":null,"ec_transfer_params":null,"metrics":null}`,
  chunks: [
    '{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1795372646,"model":"tiny","choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"prompt_token_ids":null,"prompt_text":null}',
    `{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1795372646,"model":"tiny","choices":[{"index":0,"delta":{"content":"The "},"logprobs":null,"finish_reason":"stop","stop_reason":${JSON.stringify(met)},"token_ids":null}]}`,
    '{"id":"chatcmpl-2","object":"chat.completion.chunk","created":1795372646,"model":"tiny","choices":[],"usage":{"prompt_tokens":24,"total_tokens":37,"completion_tokens":13},"system_fingerprint":"vllm-0.32.0-3a4fcf7d"}',
  ],
});

let said = named;
const server = createServer(async (request, response) => {
  const { stream } = JSON.parse(await text(request));
  response.setHeader("content-type", stream ? "text/event-stream; charset=utf-8" : "application/json");
  response.end(stream ? `${said.chunks.map((chunk) => `data: ${chunk}\n\n`).join("")}data: [DONE]\n\n` : said.whole);
});
let gateway: Awaited<ReturnType<typeof startForwarding>>;

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const models = [{ model_name: "tiny", litellm_params: { model: "hosted_vllm/tiny", api_base } }];
  gateway = await startForwarding({ models, router: { num_retries: 0 } });
});
afterAll(async () => {
  await gateway.close();
  server.closeAllConnections();
  server.close();
});

const schema = { type: "object" as const, properties: { q: { type: "string" } } };
const hello = { model: "tiny", max_tokens: 300, messages: [{ role: "user" as const, content: "Who is Bob?" }] };
const forced = {
  ...hello,
  tools: [{ name: "look", input_schema: schema }],
  tool_choice: { type: "tool" as const, name: "look" },
};

/** How a message ends, asked for whole and as a stream. */
async function ends(body: Anthropic.MessageCreateParamsNonStreaming) {
  const client = new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 });
  const answers = [await client.messages.create(body), await client.messages.stream(body).finalMessage()];
  return answers.map(({ stop_reason, stop_sequence }) => [stop_reason, stop_sequence]);
}

describe("a call by name", () => {
  it("is one that Anthropic's clients run", async () => {
    said = named;
    expect(await ends(forced)).toEqual([
      ["tool_use", null],
      ["tool_use", null],
    ]);
  });

  it("is one that Bedrock's clients run", async () => {
    said = named;
    const client = new BedrockRuntimeClient({
      endpoint: gateway.url,
      region: "us-east-1",
      credentials: { accessKeyId: "none", secretAccessKey: "none" },
      requestHandler: new NodeHttpHandler(),
    });
    const body = {
      modelId: "tiny",
      messages: [{ role: "user" as const, content: [{ text: "Who is Bob?" }] }],
      toolConfig: {
        tools: [{ toolSpec: { name: "look", inputSchema: { json: schema } } }],
        toolChoice: { tool: { name: "look" } },
      },
    };
    expect((await client.send(new ConverseCommand(body))).stopReason).toBe("tool_use");
    const { stream } = await client.send(new ConverseStreamCommand(body));
    const seen: unknown[] = [];
    for await (const { messageStop } of stream ?? []) if (messageStop !== undefined) seen.push(messageStop.stopReason);
    expect(seen).toEqual(["tool_use"]);
    client.destroy();
  });
});

describe("what vLLM met", () => {
  it("is told where it is a stop text of the client's", async () => {
    said = stopped("sum");
    expect(await ends({ ...hello, stop_sequences: ["zzz", "sum"] })).toEqual([
      ["stop_sequence", "sum"],
      ["stop_sequence", "sum"],
    ]);
  });

  it.each([258, "<|im_end|>"])("is an ordinary end where it is none: %s", async (met) => {
    said = stopped(met);
    expect(await ends({ ...hello, stop_sequences: ["sum"] })).toEqual([
      ["end_turn", null],
      ["end_turn", null],
    ]);
  });
});

describe("a call that the limit of length cut off", () => {
  const cutAt = (reason: string) => ({
    ...named,
    whole: named.whole.replace(String.raw`\"Bob\"}`, String.raw`\"Bo`).replace('"stop"', `"${reason}"`),
  });

  it("is no call, and the answer says that it was cut", async () => {
    said = cutAt("length");
    const message = await new Anthropic({ baseURL: gateway.url, apiKey: "none", maxRetries: 0 }).messages.create(
      forced,
    );
    expect(message).toMatchObject({ stop_reason: "max_tokens", content: [], usage: { output_tokens: 50 } });
  });

  it("is the server's fault where it says that it ended by itself", async () => {
    said = cutAt("tool_calls");
    await expect(ends(forced)).rejects.toMatchObject({ status: 502 });
  });
});
