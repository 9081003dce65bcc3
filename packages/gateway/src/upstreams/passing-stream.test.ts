import { describe, expect, test } from "vitest";
import { createSseReader } from "../streams/sse.ts";
import { newProgress } from "./exchange.ts";
import { passingStream } from "./passing-stream.ts";

function open() {
  return passingStream({
    progress: newProgress(),
    keepAlive: ": keep-alive\n\n",
    fail: ({ code }) => `failed: ${code}\n\n`,
    read: (write) => createSseReader((_, __, raw) => write(raw)),
  });
}

const event = 'data: {"a":"ü"}\n\n';

describe("a stream whose events pass as they came", () => {
  test("gives each event on when it is whole, wherever the bytes are split", () => {
    const bytes = Buffer.from(event + event);
    for (let at = 0; at <= bytes.length; at += 1) {
      const stream = open();
      const out = [bytes.subarray(0, at), bytes.subarray(at)].map((part) => stream.push(part)).join("") + stream.end();
      expect(out).toBe(event + event);
      expect(stream.progress.failure).toBeUndefined();
    }
  });

  test("fails when it ends inside an event, and gives no half of it on", () => {
    const stream = open();
    expect(stream.push(Buffer.from(`${event}data: {"b":`))).toBe(event);
    expect(stream.end()).toBe("");
    expect(stream.progress.failure).toMatchObject({ code: "upstream_failed" });
  });

  test("fails on an event that its reader cannot take, and remembers the first failure", () => {
    const stream = passingStream({
      progress: newProgress(),
      keepAlive: "",
      fail: () => "",
      read: () => createSseReader((_, data) => JSON.parse(data)),
    });
    stream.push(Buffer.from("data: {\n\n"));
    const first = stream.progress.failure;
    expect(first).toMatchObject({ code: "upstream_failed" });
    stream.push(Buffer.from("data: [\n\n"));
    expect(stream.progress.failure).toBe(first);
  });
});
