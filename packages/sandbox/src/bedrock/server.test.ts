import {
  BedrockRuntimeClient,
  type ContentBlock,
  ConverseCommand,
  ConverseStreamCommand,
  type ConverseStreamOutput,
  type Message,
} from "@aws-sdk/client-bedrock-runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Rule } from "./rule.ts";
import { startBedrock } from "./server.ts";

const credentials = { accessKeyId: "AKIDSANDBOX", secretAccessKey: "sandbox-secret" };
const askForTool: Rule = (turn) =>
  turn.tools.length > 0 ? { text: "Looking.", toolUses: [{ name: "look", input: { at: "the sky" } }] } : undefined;

let service: Awaited<ReturnType<typeof startBedrock>>;
const clientWith = (options: Partial<ConstructorParameters<typeof BedrockRuntimeClient>[0]> = {}) =>
  new BedrockRuntimeClient({ region: "us-east-1", endpoint: service.url, credentials, maxAttempts: 1, ...options });
const command = {
  modelId: "us.amazon.nova-lite-v1:0",
  messages: [{ role: "user" as const, content: [{ text: "Hello there" }] }],
};

beforeAll(async () => {
  service = await startBedrock({
    port: 0,
    region: "us-east-1",
    bearerKey: "bedrock-key",
    rules: [askForTool],
    eventDelayMs: 0,
    ...credentials,
  });
});
afterAll(() => service.close());

async function collect(stream: AsyncIterable<ConverseStreamOutput> | undefined) {
  const events: ConverseStreamOutput[] = [];
  for await (const event of stream ?? []) events.push(event);
  return events;
}

describe("the real AWS SDK, unmodified, over HTTP/2", () => {
  it("converses and is told that this is a stand-in", async () => {
    const answer = await clientWith().send(new ConverseCommand(command));
    expect(answer.stopReason).toBe("end_turn");
    expect(answer.output?.message?.content?.[0]?.text).toContain("stand-in");
    expect(answer.usage?.outputTokens).toBeGreaterThan(5);
  });

  it.each(["eu-west-1", "us-gov-west-1", "ap-southeast-2"])("converses in %s", async (region) => {
    const answer = await clientWith({ region }).send(new ConverseCommand(command));
    expect(answer.stopReason).toBe("end_turn");
  });

  it("streams word by word, with usage after the end of the message", async () => {
    const answer = await clientWith().send(new ConverseStreamCommand(command));
    const events = await collect(answer.stream);
    expect(events.at(0)?.messageStart?.role).toBe("assistant");
    const words = events.flatMap((event) => event.contentBlockDelta?.delta?.text ?? []);
    expect(words.length).toBeGreaterThan(10);
    expect(words.join("")).toContain("Hello there");
    expect(events.at(-2)?.messageStop?.stopReason).toBe("end_turn");
    expect(events.at(-1)?.metadata?.usage?.totalTokens).toBeGreaterThan(10);
  });

  it("calls tools by rule", async () => {
    const tools = [{ toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } }];
    const answer = await clientWith().send(new ConverseCommand({ ...command, toolConfig: { tools } }));
    expect(answer.stopReason).toBe("tool_use");
    expect(answer.output?.message?.content?.[1]?.toolUse?.input).toEqual({ at: "the sky" });
  });

  it("wants the tools of a history declared, as Bedrock does", async () => {
    const messages = [
      ...command.messages,
      { role: "assistant" as const, content: [{ toolUse: { toolUseId: "one", name: "look", input: {} } }] },
      { role: "user" as const, content: [{ toolResult: { toolUseId: "one", content: [{ text: "stars" }] } }] },
    ];
    await expect(clientWith().send(new ConverseCommand({ ...command, messages }))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("toolConfig field must be defined"),
    });
  });

  it.each([
    ["the wrong secret", { credentials: { ...credentials, secretAccessKey: "another" } }, "InvalidSignatureException"],
    ["an unknown key", { credentials: { ...credentials, accessKeyId: "AKIDOTHER" } }, "UnrecognizedClientException"],
    ["a region that AWS has not", { region: "nowhere" }, "InvalidSignatureException"],
    [
      "a session token never issued",
      { credentials: { ...credentials, sessionToken: "x" } },
      "UnrecognizedClientException",
    ],
  ])("refuses %s as AWS does", async (_, options, name) => {
    const refusal = clientWith(options).send(new ConverseCommand(command));
    await expect(refusal).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
  });

  const document = (name: string) => ({
    document: { name, format: "txt" as const, source: { bytes: Buffer.from("Hi") } },
  });
  const user = (...content: ContentBlock[]): Message[] => [{ role: "user", content }];
  it.each([
    ["the assistant begins", [{ role: "assistant", content: [{ text: "Hi" }] }], "must start with a user message"],
    ["a text is blank", user({ text: "Hi" }, { text: " \n" }), "at messages.0.content.1 is blank"],
    [
      "two documents have one name",
      user({ text: "Hi" }, document("Report"), document("report")),
      "can't contain duplicate document names",
    ],
    [
      "a call's id has characters of another provider's",
      user({ text: "Hi" }, { toolResult: { toolUseId: "functions.now:0", content: [{ text: "12" }] } }),
      "'functions.now:0' at 'messages.1.member.content.2.member.toolResult.toolUseId' failed to satisfy constraint",
    ],
    [
      "a result has a document of a name that was there",
      user({ text: "Hi" }, document("a"), { toolResult: { toolUseId: "one", content: [document("a")] } }),
      "can't contain duplicate document names",
    ],
  ] as [string, Message[], string][])("refuses a conversation as Bedrock does where %s", async (_, messages, words) => {
    await expect(clientWith().send(new ConverseCommand({ ...command, messages }))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(words),
      $metadata: { httpStatusCode: 400 },
    });
  });
});

describe("over HTTP/1.1", () => {
  const post = (headers: Record<string, string>) =>
    fetch(`${service.url}/model/amazon.nova-lite-v1%3A0/converse`, {
      method: "POST",
      headers,
      body: JSON.stringify({ messages: command.messages }),
    });

  it("accepts its API key and nothing else", async () => {
    expect((await post({ authorization: "Bearer bedrock-key" })).status).toBe(200);
    const refused = await post({ authorization: "Bearer another" });
    expect(refused.status).toBe(403);
    expect(refused.headers.get("x-amzn-errortype")).toMatch(/^AccessDeniedException:/);
    expect((await post({})).headers.get("x-amzn-errortype")).toMatch(/^MissingAuthenticationTokenException:/);
  });

  it.each([
    ["x-amz-date", "'Host' or ':authority' must"],
    ["host", "'x-amz-date' must"],
    ["content-type;host;x-amz-date", "'x-amz-own' must"],
  ])("refuses a signature over %s alone, before it looks at it", async (signed, words) => {
    const at = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
    const scope = `${credentials.accessKeyId}/${at.slice(0, 8)}/us-east-1/bedrock/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=${signed}, Signature=${"0".repeat(64)}`;
    const refused = await post({ authorization, "x-amz-date": at, "x-amz-own": "1" });
    expect(refused.headers.get("x-amzn-errortype")).toMatch(/^InvalidSignatureException:/);
    expect(await refused.text()).toContain(words);
  });

  it("turns its switches for no page of a browser", async () => {
    const faults = (headers: Record<string, string>) =>
      fetch(`${service.url}/sandbox/faults`, { method: "POST", headers, body: '{"fault":"throttle","count":1}' });
    expect((await faults({ origin: "https://evil.example", "content-type": "text/plain" })).status).toBe(403);
    expect((await post({ authorization: "Bearer bedrock-key" })).status).toBe(200);
    expect((await faults({ "content-type": "application/json" })).status).toBe(200);
    expect((await post({ authorization: "Bearer bedrock-key" })).status).toBe(429);
  });

  it("refuses a signature made an hour ago", async () => {
    const late = await startBedrock({
      port: 0,
      region: "us-east-1",
      ...credentials,
      now: () => Date.now() + 3_600_000,
    });
    try {
      const client = clientWith({ endpoint: late.url });
      // The SDK corrects its clock from the refusal's Date header once; one attempt shows the refusal itself.
      await expect(client.send(new ConverseCommand(command))).rejects.toMatchObject({
        name: "InvalidSignatureException",
      });
    } finally {
      await late.close();
    }
  });
});
