import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
  CountTokensCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../../../sandbox/src/bedrock/index.ts";
import { GatewayError } from "../../errors.ts";
import { eventually, startForwarding, testAws } from "../../forward-testing.ts";
import { bedrockError } from "../../upstreams/bedrock/error.ts";
import { bedrockDialectError } from "./error.ts";

const look: Rule = (turn) =>
  turn.tools.length > 0 ? { toolUses: [{ name: "look", input: { at: "sky" } }] } : undefined;

let bedrock: Awaited<ReturnType<typeof startBedrock>>;
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: BedrockRuntimeClient;

beforeAll(async () => {
  bedrock = await startBedrock({ port: 0, eventDelayMs: 1, rules: [look], ...testAws });
  const model = (name: string, id: string) => ({ model_name: name, litellm_params: { model: `bedrock/${id}` } });
  gateway = await startForwarding({
    bedrockUrl: bedrock.url,
    models: [
      model("claude", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
      model("claude-new", "us.anthropic.claude-opus-4-7"),
      model("nova", "us.amazon.nova-lite-v1:0"),
      model("llama", "us.meta.llama3-3-70b-instruct-v1:0"),
      model("titan-text", "amazon.titan-text-express-v1"),
      model("titan-embed", "amazon.titan-embed-text-v2:0"),
    ],
    router: { num_retries: 0 },
  });
  client = clientWith(1);
});
afterAll(async () => {
  await gateway.close();
  await bedrock.close();
});

/** As a user has it: the token in AWS_BEARER_TOKEN_BEDROCK, the gateway as the endpoint. */
function clientWith(maxAttempts: number, endpoint = gateway.url): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint,
    token: { token: "a-user-token" },
    authSchemePreference: ["httpBearerAuth"],
    requestHandler: new NodeHttpHandler(),
    maxAttempts,
  });
}

async function fault(body: Record<string, unknown>): Promise<void> {
  await fetch(`${bedrock.url}/sandbox/faults`, { method: "POST", body: JSON.stringify(body) });
}

const messages = [{ role: "user" as const, content: [{ text: "Hello there" }] }];
const tools = [{ toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } }];

describe("converse", () => {
  it("answers whole, with usage read on the way", async () => {
    const answer = await client.send(new ConverseCommand({ modelId: "nova", messages }));
    expect(answer.output?.message?.content?.[0]?.text).toContain("Hello there");
    expect(gateway.settlements.at(-1)).toMatchObject({
      outcome: "ok",
      usage: { outputTokens: answer.usage?.outputTokens },
    });
  });

  it("streams", async () => {
    const answer = await client.send(new ConverseStreamCommand({ modelId: "nova", messages }));
    let text = "";
    let tokens: number | undefined;
    for await (const event of answer.stream ?? []) {
      text += event.contentBlockDelta?.delta?.text ?? "";
      tokens = event.metadata?.usage?.outputTokens ?? tokens;
    }
    expect(text).toContain("Hello there");
    await eventually(() => gateway.settlements.at(-1)?.usage?.outputTokens === tokens);
    expect(gateway.settlements.at(-1)).toMatchObject({ outcome: "ok", usage: { outputTokens: tokens } });
  });

  it("takes tools, pictures and the client's own metadata", async () => {
    const image = { format: "png" as const, source: { bytes: Buffer.from("89504e470d0a1a0a", "hex") } };
    const answer = await client.send(
      new ConverseCommand({
        modelId: "claude",
        messages: [{ role: "user", content: [{ image }, { text: "What is this?" }] }],
        toolConfig: { tools },
        requestMetadata: { project: "moon" },
      }),
    );
    expect(answer.stopReason).toBe("tool_use");
    expect(answer.output?.message?.content?.[0]?.toolUse?.input).toEqual({ at: "sky" });
  });

  it("gives AWS's exceptions", async () => {
    await fault({ fault: "throttle" });
    const throttled = client.send(new ConverseCommand({ modelId: "nova", messages }));
    await expect(throttled).rejects.toMatchObject({
      name: "ThrottlingException",
      $metadata: { httpStatusCode: 429, requestId: "test-request" },
    });
    const bad = client.send(new ConverseCommand({ modelId: "nova", messages, inferenceConfig: { temperature: 9 } }));
    await expect(bad).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("temperature"),
    });
    const unknown = client.send(new ConverseCommand({ modelId: "nobody", messages }));
    await expect(unknown).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  it("says how long to wait by the header that AWS's SDKs know, and hears it from Bedrock", async () => {
    const body = JSON.stringify({ message: "Too many requests" });
    const refusal = { "x-amzn-errortype": "ThrottlingException", "x-amz-retry-after": "2500", "retry-after": "9" };
    const error = bedrockError(429, refusal, Buffer.from(body));
    expect(error).toMatchObject({ code: "upstream_throttled", retryAfterSeconds: 2.5 });
    const { headers } = bedrockDialectError(error, "r");
    expect(headers).toMatchObject({ "x-amz-retry-after": "2500", "retry-after": "3" });
  });

  it("says a wait of more than a minute as a date: Java's SDK sleeps through seconds, however many, and says nothing", () => {
    const now = Date.UTC(2026, 10, 23, 4, 0, 0);
    const used = new GatewayError("budget_exhausted", "used up", { retryAfterSeconds: 72_000, shouldRetry: false });
    const { headers } = bedrockDialectError(used, "r", now);
    expect(headers).toMatchObject({ "retry-after": "Tue, 24 Nov 2026 00:00:00 GMT", "x-should-retry": "false" });
    expect(headers).not.toHaveProperty("x-amz-retry-after");
    const minute = new GatewayError("rate_limited", "wait", { retryAfterSeconds: 60 });
    const told = { "retry-after": "60", "x-amz-retry-after": "60000" };
    expect(bedrockDialectError(minute, "r", now).headers).toMatchObject(told);
  });

  it("retries as its SDK does", async () => {
    await fault({ fault: "unavailable" });
    const answer = await clientWith(3).send(new ConverseCommand({ modelId: "nova", messages }));
    expect(answer.$metadata.attempts).toBe(2);
  });

  it("has its retries to itself, and who makes none has the gateway's: together they would be nine", async () => {
    const models = [{ model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } }];
    const retrying = await startForwarding({ bedrockUrl: bedrock.url, models, router: { num_retries: 2 } });
    try {
      const ask = (maxAttempts: number) =>
        clientWith(maxAttempts, retrying.url).send(new ConverseCommand({ modelId: "nova", messages }));
      await fault({ fault: "unavailable", count: 3 });
      await expect(ask(3)).rejects.toMatchObject({ $metadata: { httpStatusCode: 503, attempts: 3 } });
      await fault({ fault: "unavailable", count: 2 });
      expect((await ask(1)).$metadata).toMatchObject({ httpStatusCode: 200, attempts: 1 });
    } finally {
      await retrying.close();
    }
  });

  it.each([
    ["exception", "ModelStreamErrorException", "upstream_failed"],
    ["cut", "ServiceUnavailableException", "upstream_unavailable"],
    ["bad-crc", "ModelStreamErrorException", "upstream_failed"],
    ["end-early", "ModelStreamErrorException", "upstream_failed"],
  ])("throws when the provider's stream fails by %s", async (kind, name, errorCode) => {
    await fault({ fault: kind, after: 4 });
    const answer = await client.send(new ConverseStreamCommand({ modelId: "nova", messages }));
    const read = (async () => {
      for await (const _ of answer.stream ?? []);
    })();
    await expect(read).rejects.toMatchObject({ name });
    await eventually(() => gateway.settlements.at(-1)?.outcome === "error");
    expect(gateway.settlements.at(-1)?.errorCode).toBe(errorCode);
  });

  it("can be left in the middle", async () => {
    await fault({ fault: "pause", after: 5, milliseconds: 3000 });
    gateway.settlements.length = 0;
    const abort = new AbortController();
    const answer = await client.send(new ConverseStreamCommand({ modelId: "nova", messages }), {
      abortSignal: abort.signal,
    });
    for await (const event of answer.stream ?? []) {
      if (event.contentBlockDelta !== undefined) break;
    }
    abort.abort();
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", errorCode: "client_gone" });
  });
});

const claudeBody = {
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello there" }],
};

describe("invoke", () => {
  it.each([
    ["claude", claudeBody],
    ["nova", { messages, inferenceConfig: { max_new_tokens: 100 } }],
    ["llama", { prompt: "Hello there", max_gen_len: 100 }],
    ["titan-text", { inputText: "Hello there" }],
  ])("passes %s through, whole and streamed, with usage", async (modelId, body) => {
    const whole = await client.send(
      new InvokeModelCommand({ modelId, body: JSON.stringify(body), contentType: "application/json" }),
    );
    expect(Buffer.from(whole.body).toString()).toContain("Hello there");
    const counted = gateway.settlements.at(-1)?.usage;
    expect(counted?.outputTokens).toBeGreaterThan(5);

    const streamed = await client.send(
      new InvokeModelWithResponseStreamCommand({ modelId, body: JSON.stringify(body) }),
    );
    let text = "";
    for await (const event of streamed.body ?? []) text += Buffer.from(event.chunk?.bytes ?? []).toString();
    expect(text).toContain("there");
    await eventually(() => gateway.settlements.at(-1)?.usage?.outputTokens === counted?.outputTokens);
    expect(gateway.settlements.at(-1)).toMatchObject({
      outcome: "ok",
      usage: { inputTokens: counted?.inputTokens, outputTokens: counted?.outputTokens },
    });
  });

  it("embeds", async () => {
    const answer = await client.send(
      new InvokeModelCommand({ modelId: "titan-embed", body: JSON.stringify({ inputText: "Hello" }) }),
    );
    expect(JSON.parse(Buffer.from(answer.body).toString()).embedding).toHaveLength(1024);
    expect(gateway.settlements.at(-1)?.usage).toMatchObject({ inputTokens: 2, outputTokens: 0 });
  });

  it("passes on the betas that Claude's clients say in a header", async () => {
    const tools = [{ name: "look", input_schema: { type: "object" }, defer_loading: true }];
    const invoke = (headers: Record<string, string>) =>
      fetch(`${gateway.url}/model/claude/invoke`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify({ ...claudeBody, tools }),
      });
    expect((await invoke({ "anthropic-beta": "tool-search-tool-2025-10-19" })).status).toBe(200);
    expect((await invoke({})).status).toBe(400);
  });

  it("takes the newest version of Claude's protocol, which its newest clients send to every model", async () => {
    const body = JSON.stringify({ ...claudeBody, anthropic_version: "2026-10-21" });
    for (const modelId of ["claude", "claude-new"]) {
      const answer = await client.send(new InvokeModelCommand({ modelId, body }));
      expect(JSON.parse(Buffer.from(answer.body).toString()), modelId).toMatchObject({ stop_reason: "end_turn" });
    }
  });

  it("counts tokens", async () => {
    const input = { invokeModel: { body: Buffer.from(JSON.stringify(claudeBody)) } };
    const counted = await client.send(new CountTokensCommand({ modelId: "claude", input }));
    expect(counted.inputTokens).toBeGreaterThan(3);
  });
});

describe("the AWS SDK as it comes, over HTTP/2", () => {
  it("converses, streams, is told errors and can leave", async () => {
    const models = [{ model_name: "nova", litellm_params: { model: "bedrock/us.amazon.nova-lite-v1:0" } }];
    const second = await startForwarding({ bedrockUrl: bedrock.url, http2: true, models, router: { num_retries: 0 } });
    const plain = new BedrockRuntimeClient({
      region: "us-east-1",
      endpoint: second.url,
      token: { token: "t" },
      authSchemePreference: ["httpBearerAuth"],
      maxAttempts: 1,
    });
    try {
      const whole = await plain.send(new ConverseCommand({ modelId: "nova", messages }));
      expect(whole.output?.message?.content?.[0]?.text).toContain("Hello there");
      const streamed = await plain.send(new ConverseStreamCommand({ modelId: "nova", messages }));
      let text = "";
      for await (const event of streamed.stream ?? []) text += event.contentBlockDelta?.delta?.text ?? "";
      expect(text).toContain("Hello there");
      await expect(plain.send(new ConverseCommand({ modelId: "nobody", messages }))).rejects.toMatchObject({
        name: "ResourceNotFoundException",
      });
      await fault({ fault: "pause", after: 5, milliseconds: 3000 });
      second.settlements.length = 0;
      const abort = new AbortController();
      const left = await plain.send(new ConverseStreamCommand({ modelId: "nova", messages }), {
        abortSignal: abort.signal,
      });
      for await (const event of left.stream ?? []) if (event.contentBlockDelta !== undefined) break;
      abort.abort();
      plain.destroy();
      await eventually(() => second.settlements.length > 0);
      expect(second.settlements[0]).toMatchObject({ outcome: "aborted" });
    } finally {
      plain.destroy();
      await second.close();
    }
  });
});
