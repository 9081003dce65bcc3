import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startForwarding } from "../forward-testing.ts";

let close: () => Promise<void>;
let url: string;
let bytes = "";

/** Whatever the gateway asks, of a provider that only listens. */
beforeAll(async () => {
  const server = createServer(async (incoming, outgoing) => {
    for await (const chunk of incoming) bytes += chunk;
    outgoing.writeHead(400, { "content-type": "application/json" });
    outgoing.end('{"message":"heard"}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const model = (name: string, id: string) => ({
    model_name: name,
    litellm_params: { model: id, api_base, api_key: "own" },
  });
  const gateway = await startForwarding({
    bedrockUrl: api_base,
    models: [
      model("nova", "bedrock/us.amazon.nova-2-lite-v1:0"),
      model("claude", "bedrock/us.anthropic.claude-sonnet-4-6"),
      model("claude at Anthropic", "anthropic/claude-sonnet-4-6"),
      model("another like Anthropic", "anthropic/MiniMax-M2"),
    ],
    router: { num_retries: 0 },
  });
  url = gateway.url;
  close = async () => {
    await gateway.close();
    server.close();
  };
});
afterAll(() => close());

async function sent(path: string, body: object) {
  bytes = "";
  await fetch(url + path, { method: "POST", body: JSON.stringify(body) });
  return JSON.parse(bytes).messages;
}

const hi = { type: "text", text: "Hi" };
const unsigned = { type: "thinking", thinking: "Look first.", signature: "" };
const signed = { type: "thinking", thinking: "", signature: "c2ln" };
const redacted = { type: "redacted_thinking", data: "eA==" };
const turns = (...thoughts: unknown[]) => [
  { role: "user", content: [hi] },
  { role: "assistant", content: [...thoughts, { type: "text", text: "Hello" }] },
  { role: "user", content: "And?" },
];
const messages = (model: string, ...thoughts: unknown[]) =>
  sent("/v1/messages", { model, max_tokens: 9, messages: turns(...thoughts) });

const item = (kept: object) => ({
  type: "reasoning",
  id: "rs_1",
  summary: [],
  encrypted_content: Buffer.from(JSON.stringify(kept)).toString("base64"),
});
const responses = (model: string, ...thoughts: unknown[]) =>
  sent("/v1/responses", {
    model,
    input: [{ role: "user", content: "Hi" }, ...thoughts, { role: "assistant", content: "Hello" }],
  });

describe("thoughts that nobody signed", () => {
  it("go back to Nova without a signature, which it refuses to be empty", async () => {
    const blank = { ...unsigned, thinking: "\n" };
    const [, turn] = await messages("nova", unsigned, { type: "thinking", thinking: "No field." }, blank, signed);
    expect(turn.content).toEqual([
      { reasoningContent: { reasoningText: { text: "Look first." } } },
      { reasoningContent: { reasoningText: { text: "No field." } } },
      { reasoningContent: { reasoningText: { text: "", signature: "c2ln" } } },
      { text: "Hello" },
    ]);
    const asItems = [item({ text: "Look first.", signature: "" }), item({ text: " ", signature: "" })];
    const [, said] = await responses("nova", ...asItems);
    expect(said.content).toEqual([{ reasoningContent: { reasoningText: { text: "Look first." } } }, { text: "Hello" }]);
  });

  it("go not to Claude, which refuses them; what it signed does", async () => {
    expect(await messages("claude", unsigned, signed, redacted)).toEqual(turns(signed, redacted));
    expect(await messages("claude at Anthropic", unsigned, signed, redacted)).toEqual(turns(signed, redacted));
    const kept = [
      item({ text: "Look first.", signature: "" }),
      item({ text: "Hm", signature: "c2ln" }),
      item({ redacted: "eA==" }),
    ];
    expect((await responses("claude", ...kept))[1].content).toEqual([
      { reasoningContent: { reasoningText: { text: "Hm", signature: "c2ln" } } },
      { reasoningContent: { redactedContent: "eA==" } },
      { text: "Hello" },
    ]);
    expect((await responses("claude at Anthropic", ...kept))[1].content).toEqual([
      { ...signed, thinking: "Hm" },
      redacted,
      { type: "text", text: "Hello" },
    ]);
  });

  it("leave no empty turn behind", async () => {
    const broken = [{ role: "user", content: [hi] }, { role: "assistant", content: [unsigned] }, ...turns()];
    const asked = { max_tokens: 9, messages: broken };
    for (const model of ["claude", "claude at Anthropic"])
      expect(await sent("/v1/messages", { model, ...asked })).toEqual([{ role: "user", content: [hi] }, ...turns()]);
    const alone = [
      { role: "user", content: "Hi" },
      item({ text: "Hm", signature: "" }),
      { role: "user", content: "Hi" },
    ];
    expect(await sent("/v1/responses", { model: "claude", input: alone })).toEqual([
      { role: "user", content: [{ text: "Hi" }, { text: "Hi" }] },
    ]);
  });

  it("go back to another model that speaks Anthropic's protocol as they came", async () => {
    expect(await messages("another like Anthropic", unsigned)).toEqual(turns(unsigned));
  });
});
