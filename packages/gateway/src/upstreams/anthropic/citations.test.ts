import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startForwarding } from "../../forward-testing.ts";
import { citationOf } from "./citations.ts";

const cited = {
  type: "char_location",
  cited_text: "Bob is a cat.",
  document_index: 0,
  document_title: "Cats",
  file_id: null,
  start_char_index: 3,
  end_char_index: 16,
};
const citation = {
  title: "Cats",
  sourceContent: [{ text: "Bob is a cat." }],
  location: { documentChar: { documentIndex: 0, start: 3, end: 16 } },
};
const usage = { input_tokens: 3, output_tokens: 2 };
const content = [
  { type: "text", text: "Well, " },
  { type: "text", text: "Bob is.", citations: [cited] },
];
const events = [
  { type: "message_start", message: { usage } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "", citations: [] } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Bob is." } },
  { type: "content_block_delta", index: 0, delta: { type: "citations_delta", citation: cited } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage },
  { type: "message_stop" },
];

const server = createServer((incoming, outgoing) => {
  incoming.resume();
  const streamed = incoming.headers.accept === "text/event-stream";
  outgoing.writeHead(200, { "content-type": streamed ? "text/event-stream" : "application/json" });
  const stream = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  outgoing.end(streamed ? stream : JSON.stringify({ content, stop_reason: "end_turn", usage }));
});
let gateway: Awaited<ReturnType<typeof startForwarding>>;
let client: BedrockRuntimeClient;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const api_base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const models = [{ model_name: "m", litellm_params: { model: "anthropic/claude-x", api_base, api_key: "own" } }];
  gateway = await startForwarding({ models, router: { num_retries: 0 } });
  client = new BedrockRuntimeClient({
    region: "us-east-1",
    endpoint: gateway.url,
    token: { token: "t" },
    authSchemePreference: ["httpBearerAuth"],
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await gateway.close();
  server.close();
});

const document = { name: "Cats", source: { text: "So Bob is a cat." }, citations: { enabled: true } };
const input = { modelId: "m", messages: [{ role: "user" as const, content: [{ document }, { text: "Who is Bob?" }] }] };

it("what an answer stands on reaches the clients that ask for it", async () => {
  const answer = await client.send(new ConverseCommand(input));
  expect(answer.output?.message?.content).toEqual([
    { text: "Well, " },
    { citationsContent: { content: [{ text: "Bob is." }], citations: [citation] } },
  ]);
});

it("and in a stream", async () => {
  const deltas: unknown[] = [];
  for await (const event of (await client.send(new ConverseStreamCommand(input))).stream ?? [])
    if (event.contentBlockDelta !== undefined) deltas.push(event.contentBlockDelta.delta);
  expect(deltas).toEqual([{ text: "Bob is." }, { citation }]);
});

it.each([
  [
    { ...cited, type: "page_location", start_page_number: 2, end_page_number: 3 },
    { documentPage: { documentIndex: 0, start: 2, end: 3 } },
  ],
  [
    { ...cited, type: "content_block_location", start_block_index: 0, end_block_index: 1 },
    { documentChunk: { documentIndex: 0, start: 0, end: 1 } },
  ],
  [
    { type: "search_result_location", source: "s", search_result_index: 4, start_block_index: 0, end_block_index: 1 },
    { searchResultLocation: { searchResultIndex: 4, start: 0, end: 1 } },
  ],
])("$type", (said, location) => {
  expect(citationOf(said)).toMatchObject({ location });
});

it.each([null, "x", {}, { type: "web_search_result_location" }, { type: "constructor" }])("%j is none", (said) => {
  expect(citationOf(said)).toBeUndefined();
});
