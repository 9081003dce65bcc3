import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { eventually, startForwarding } from "../forward-testing.ts";
import { encodeFrame } from "../streams/event-stream.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const start = { type: "message_start", message: { role: "assistant", usage: { input_tokens: 700, output_tokens: 1 } } };
/** 40 characters, some ten tokens. */
const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "x".repeat(40) } };
const events = [start, ...Array(30).fill(delta)];

const anthropic = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const bedrock = Buffer.concat(
  events.map((event) => {
    const headers = { ":message-type": "event", ":event-type": "chunk", ":content-type": "application/json" };
    return encodeFrame(headers, JSON.stringify({ bytes: Buffer.from(JSON.stringify(event)).toString("base64") }));
  }),
);

it.each([
  ["anthropic/claude-x", "/v1/messages", anthropic],
  ["bedrock/anthropic.claude-x", "/v1/messages", bedrock],
  ["bedrock/anthropic.claude-x", "/model/m/invoke-with-response-stream", bedrock],
])(
  "what %s wrote before it broke off on %s is counted, and not as the one token of its start",
  async (model, path, bytes) => {
    const server = createServer((incoming, outgoing) => {
      incoming.resume();
      outgoing.writeHead(200, { "content-length": 999_999 });
      outgoing.write(bytes, () => setTimeout(() => outgoing.destroy(), 20));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => void server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const gateway = await startForwarding({
      bedrockUrl: url,
      models: [
        { model_name: "m", litellm_params: { model, ...(model.startsWith("bedrock") ? {} : { api_base: url }) } },
      ],
      router: { num_retries: 0 },
    });
    closing.push(() => gateway.close());
    const messages = [{ role: "user", content: "Hi" }];
    const body = JSON.stringify({
      model: "m",
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 9,
      stream: true,
      messages,
    });
    await (await fetch(gateway.url + path, { method: "POST", body })).arrayBuffer();
    await eventually(() => gateway.settlements.length > 0);
    const [settled] = gateway.settlements;
    expect(settled).toMatchObject({ outcome: "error", usage: { inputTokens: 700 } });
    expect(settled?.usage?.outputTokens).toBeGreaterThan(250);
    expect(settled?.usage?.outputTokens).toBeLessThan(350);
  },
);
