import fc from "fast-check";
import { expect, test } from "vitest";
import type { AnswerSink } from "../../dialects/conversation.ts";
import { encodeFrame } from "../../streams/event-stream.ts";
import { converseReader } from "./reader.ts";

/** What the sink is told about one event, as `[name, ...arguments]`. */
function told(payload: string, type = "contentBlockDelta"): unknown[] {
  const calls: unknown[] = [];
  const sink = new Proxy({} as AnswerSink, {
    get:
      (_, name) =>
      (...args: unknown[]) => {
        calls.push([name, ...args.map((arg) => (arg instanceof Error ? arg.name : arg))]);
      },
  });
  const headers = { ":message-type": "event", ":event-type": type, ":content-type": "application/json" };
  converseReader(sink).push(encodeFrame(headers, payload));
  return calls;
}

const padding = fc.stringMatching(/^\w{0,30}$/);

test("words are read as JSON reads them, whatever is in them", () => {
  fc.assert(
    fc.property(fc.nat(2_000_000), fc.string({ unit: "binary" }), fc.option(padding), (block, text, p) => {
      const event = { contentBlockIndex: block, delta: { text }, ...(p === null ? {} : { p }) };
      // Half a character cannot be in UTF-8: the frame says it as JSON does.
      expect(told(JSON.stringify(event))).toEqual([["text", block, text]]);
    }),
    { numRuns: 1_000 },
  );
});

test.each([
  ["with spaces", '{ "contentBlockIndex": 0, "delta": { "text": "a" } }', "a"],
  ["with the padding first", '{"p":"abc","contentBlockIndex":0,"delta":{"text":"a"}}', "a"],
  ["with escapes", String.raw`{"contentBlockIndex":0,"delta":{"text":"a\n\"\u00e9\\"}}`, 'a\n"é\\'],
  ["with a field nobody knows", '{"contentBlockIndex":0,"delta":{"text":"a","lang":"en"},"p":""}', "a"],
  ["said twice, where JSON takes the last", '{"contentBlockIndex":0,"delta":{"text":"a"},"delta":{"text":"b"}}', "b"],
])("an event %s says the same", (_, payload, text) => {
  expect(told(payload)).toEqual([["text", 0, text]]);
});

test.each([
  ["a raw line break in the words", '{"contentBlockIndex":0,"delta":{"text":"a\nb"}}'],
  ["something after the end", '{"contentBlockIndex":0,"delta":{"text":"a"}}x'],
  ["no end", '{"contentBlockIndex":0,"delta":{"text":"a"}'],
])("%s is no JSON, and fails", (_, payload) => {
  expect(told(payload)).toEqual([["fail", "GatewayError"]]);
});

test("words under another type of event are nobody's", () => {
  expect(told('{"contentBlockIndex":0,"delta":{"text":"a"}}', "somethingNew")).toEqual([]);
});
