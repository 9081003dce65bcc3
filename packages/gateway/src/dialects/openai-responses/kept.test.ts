import { expect, test } from "vitest";
import { encodeFrame } from "../../streams/event-stream.ts";
import { joinStream } from "../../upstreams/answer-stream.ts";
import { converseReader } from "../../upstreams/bedrock/reader.ts";
import { compactionStream } from "./compaction.ts";
import { responsesStream } from "./stream.ts";

/** A megabyte. */
const part = "x".repeat(1024 * 1024);
const writer = () => responsesStream({ id: "x", created: 1, model: "m", body: {} });

function frame(type: string, payload: object): Buffer {
  const headers = { ":message-type": "event", ":event-type": type, ":content-type": "application/json" };
  return encodeFrame(headers, JSON.stringify(payload));
}

test.each([
  ["words", writer, { text: part }],
  ["thoughts", writer, { reasoningContent: { text: part } }],
  ["a summary", () => compactionStream(writer(), "x"), { text: part }],
])("%s without end are not kept without end: the stream fails, and says so", (_, open, delta) => {
  const stream = joinStream(converseReader, open());
  stream.push(frame("messageStart", { role: "assistant" }));
  const more = frame("contentBlockDelta", { contentBlockIndex: 0, delta });
  for (let megabytes = 1; megabytes <= 64; megabytes += 1) stream.push(more);
  expect(stream.progress.failure).toBeUndefined();
  stream.push(more);
  expect(stream.progress.failure).toMatchObject({ code: "upstream_failed" });
  expect(String(stream.progress.failure?.cause)).toMatch("more than the 67108864 characters");
});
