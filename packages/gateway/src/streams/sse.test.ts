import { describe, expect, test } from "vitest";
import { createSseReader } from "./sse.ts";

/** What is told of a stream that comes in such parts, and what is left over at its end. */
function read(...parts: readonly (string | Buffer)[]) {
  const events: string[] = [];
  const raws: string[] = [];
  const reader = createSseReader((name, data, raw) => {
    events.push(`${name}: ${data}`);
    raws.push(raw);
  });
  for (const part of parts) reader.push(Buffer.from(part));
  return { events, raws, rest: reader.end() };
}

describe("server-sent events", () => {
  test.each([
    ["with line feeds", 'data: "a"\n\ndata: "ü"\n\n'],
    ["with carriage returns and line feeds", 'data: "a"\r\n\r\ndata: "ü"\r\n\r\n'],
    ["with carriage returns alone", 'data: "a"\r\rdata: "ü"\r\r'],
    ["after a byte order mark", '\ufeffdata: "a"\n\ndata: "ü"\n\n'],
    ["without a space behind the colon", 'data:"a"\n\ndata:"ü"\n\n'],
    ["between comments", ': hello\n\n: again\ndata: "a"\n\n: once more\n\ndata: "ü"\n\n'],
    ["with fields that say nothing here", 'retry: 3\n\nid: 1\ndata: "a"\n\nid: 2\ndata: "ü"\nwhat: this\n\n'],
    ["without the last blank line", 'data: "a"\n\ndata: "ü"\n'],
    ["without the last line break", 'data: "a"\n\ndata: "ü"'],
    ["that end with a comment", 'data: "a"\n\ndata: "ü"\n\n: bye'],
    ["that end with a name", 'data: "a"\n\ndata: "ü"\n\nevent: done\n'],
  ])("%s are the same events, wherever the bytes are split", (_, text) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at <= bytes.length; at += 1) {
      const { events, rest } = read(bytes.subarray(0, at), bytes.subarray(at));
      expect({ at, events, rest }).toEqual({ at, events: ['message: "a"', 'message: "ü"'], rest: "" });
    }
    const single = Array.from(bytes, (byte) => Buffer.from([byte]));
    expect(read(...single)).toMatchObject({ events: ['message: "a"', 'message: "ü"'], rest: "" });
  });

  test("of several lines of data are one", () => {
    expect(read("event: x\ndata: a\ndata: b\n\n").events).toEqual(["x: a\nb"]);
  });

  test("pass on with the blank line that was left out", () => {
    expect(read("data: [DONE]\r\n").raws).toEqual(["data: [DONE]\n\n"]);
  });

  test.each(['{"error":{"message":"x"}}', "<html></html>", "dat", 'data: {"half":'])(
    "are not %s, which is given back",
    (text) => {
      expect(read(text)).toEqual({ events: [], raws: [], rest: text });
    },
  );

  test.each(["d\n\r\n", ":\r\n\r\n", "\r\r", "\n\n"])(
    "that are tiny and many take as long as their bytes, with %j between them",
    (event) => {
      const begun = performance.now();
      expect(read(event.repeat(1 << 16)).events).toEqual([]);
      expect(performance.now() - begun).toBeLessThan(2_000);
    },
  );

  test("that never end are cut", () => {
    const reader = createSseReader(() => {});
    const part = Buffer.alloc(1024 * 1024, "x");
    expect(() => {
      for (let count = 0; count < 20; count += 1) reader.push(part);
    }).toThrow("an event does not end");
  });
});
