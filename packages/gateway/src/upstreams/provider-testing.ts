import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { encodeFrame } from "../streams/event-stream.ts";

const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
const claude = {
  content: [{ type: "text", text: "Hi" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1, output_tokens: 1 },
};
const answers: readonly (readonly [RegExp, unknown])[] = [
  [/count.tokens$/, { inputTokens: 1, input_tokens: 1 }],
  [
    /converse$/,
    { output: { message: { role: "assistant", content: [{ text: "Hi" }] } }, stopReason: "end_turn", usage },
  ],
  [/titan.*invoke$/, { embedding: [1], inputTextTokenCount: 1 }],
  [/invoke$|messages$/, claude],
  [/embeddings$/, { data: [{ embedding: [1] }], usage: { prompt_tokens: 1, total_tokens: 1 } }],
  [
    /completions$/,
    {
      choices: [{ message: { content: "Hi" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 1, completion_tokens: 1 },
    },
  ],
];
const frame = (type: string, payload: unknown): Buffer =>
  encodeFrame(
    { ":event-type": type, ":content-type": "application/json", ":message-type": "event" },
    JSON.stringify(payload),
  );
const frames = Buffer.concat([
  frame("messageStart", { role: "assistant" }),
  frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: "Hi" } }),
  frame("messageStop", { stopReason: "end_turn" }),
  frame("metadata", { usage, metrics: { latencyMs: 1 } }),
]);
const events = [
  'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\ndata: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
  'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\ndata: [DONE]\n\n',
].join("");
const claudeStream = [
  { type: "message_start", message: { usage: claude.usage } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "Hi" } },
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: claude.usage },
  { type: "message_stop" },
];
const claudeEvents = claudeStream.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join("");
const claudeFrames = Buffer.concat(
  claudeStream.map((event) => frame("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64") })),
);

/** Every provider at once, and content with whatever it is sent. */
export async function startProvider() {
  const server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.once("end", () => {
      const { url: path = "", headers } = incoming;
      if (headers.accept === "application/vnd.amazon.eventstream")
        outgoing.end(path.endsWith("/converse-stream") ? frames : claudeFrames);
      else if (headers.accept === "text/event-stream") outgoing.end(path.endsWith("/messages") ? claudeEvents : events);
      else outgoing.end(JSON.stringify(answers.find(([known]) => known.test(path))?.[1]));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close(): void {
      server.closeAllConnections();
      server.close();
    },
  };
}
