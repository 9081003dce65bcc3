import cluster from "node:cluster";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { eventFrame as frame } from "../../packages/sandbox/src/bedrock/frames.ts";

/**
 * The model provider of the bench, in a process of its own: about 1 KB of JSON, or a stream of 100 events, in Bedrock's
 * words and in OpenAI's, made once and sent as fast as they are taken. A model named `paced` sends an event every 100 ms.
 * Argument: how many processes share the port, 1 without it.
 */
const processes = Number(process.argv[2] ?? 1);
const events = 100;
const pacedMs = 100;

const text = "The quick brown fox jumps over the lazy dog. ".repeat(18);
const word = "fox jumps ";

const usage = { inputTokens: 20, outputTokens: events, totalTokens: 20 + events };
const converseJson = Buffer.from(
  JSON.stringify({
    metrics: { latencyMs: 1 },
    output: { message: { role: "assistant", content: [{ text }] } },
    stopReason: "end_turn",
    usage,
  }),
);
const delta = frame("contentBlockDelta", { contentBlockIndex: 0, delta: { text: word }, p: "abcdefgh" });
const converseFrames = [
  frame("messageStart", { role: "assistant" }),
  ...Array.from({ length: events }, () => delta),
  frame("contentBlockStop", { contentBlockIndex: 0 }),
  frame("messageStop", { stopReason: "end_turn" }),
  frame("metadata", { usage, metrics: { latencyMs: 1 } }),
];

const meta = { id: "chatcmpl-bench", created: 1_700_000_000, model: "bench" };
const chatJson = Buffer.from(
  JSON.stringify({
    ...meta,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" }],
    usage: { prompt_tokens: 20, completion_tokens: events, total_tokens: 20 + events },
  }),
);
const chunk = (fields: unknown, finish: string | null): Buffer =>
  Buffer.from(
    `data: ${JSON.stringify({ ...meta, object: "chat.completion.chunk", choices: [{ index: 0, delta: fields, finish_reason: finish }] })}\n\n`,
  );
const chatChunk = chunk({ content: word }, null);
const chatChunks = [
  ...Array.from({ length: events }, () => chatChunk),
  chunk({}, "stop"),
  Buffer.from("data: [DONE]\n\n"),
];

const server = createServer((incoming, outgoing) => {
  const parts: Buffer[] = [];
  incoming.on("data", (part: Buffer) => parts.push(part));
  incoming.on("end", () => {
    const path = incoming.url ?? "";
    const body = Buffer.concat(parts);
    const bedrock = path.startsWith("/model/");
    const streamed = path.endsWith("/converse-stream") || body.includes('"stream":true');
    if (!streamed) {
      const answer = bedrock ? converseJson : chatJson;
      outgoing.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
      outgoing.end(answer);
      return;
    }
    outgoing.writeHead(200, { "content-type": bedrock ? "application/vnd.amazon.eventstream" : "text/event-stream" });
    if (path.includes("paced") || body.includes('"model":"paced"')) sendPaced(outgoing, bedrock);
    else sendEach(outgoing, bedrock ? converseFrames : chatChunks);
  });
});

/** One event a turn of the loop: as a model's words come, each in a packet of its own, and not as one big write. */
function sendEach(outgoing: ServerResponse, all: readonly Buffer[]): void {
  let next = 0;
  const send = (): void => {
    const one = all[next];
    next += 1;
    if (one === undefined) outgoing.end();
    else if (outgoing.write(one)) setImmediate(send);
    else outgoing.once("drain", send);
  };
  send();
}

function sendPaced(outgoing: ServerResponse, bedrock: boolean): void {
  const [first, one] = bedrock ? [converseFrames[0] ?? delta, delta] : [chatChunk, chatChunk];
  outgoing.write(first);
  const timer = setInterval(() => outgoing.write(one), pacedMs);
  outgoing.once("close", () => clearInterval(timer));
}

if (cluster.isPrimary && processes > 1) share();
else server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));

/** The system's own division of connections would be uneven with the few there are; node:cluster deals them out in turn. */
function share(): void {
  let listening = 0;
  for (let index = 0; index < processes; index += 1)
    cluster.fork().once("message", (told) => {
      listening += 1;
      if (listening === processes) process.send?.(told);
    });
}
