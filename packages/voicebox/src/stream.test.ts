import { describe, expect, it } from "vitest";
import type { Answer } from "./answer.ts";
import { createSnapshotStream } from "./stream.ts";

const answer = (result: string): Answer => ({ result, conversation_id: "c", message_id: "m", actions: [] });
const read = async (body: ReadableStream<Uint8Array>): Promise<{ result: string; pending: boolean }[]> =>
  (await new Response(body).text())
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("a stream of snapshots", () => {
  it("gives a slow reader the newest instead of everything", async () => {
    const stream = createSnapshotStream(1);
    let made = 0;
    for (let n = 0; n < 10_000; n += 1) {
      stream.push(() => {
        made += 1;
        return answer(`text ${n}`);
      });
    }
    stream.end({ ...answer("text 9999"), pending: false });
    const lines = await read(stream.body);
    expect(lines.at(-1)).toMatchObject({ result: "text 9999", pending: false });
    expect(lines.length).toBeLessThan(5);
    expect(made).toBeLessThan(5);
  });

  it("gives each change to a reader who waits", async () => {
    const stream = createSnapshotStream(0);
    const reader = stream.body.getReader();
    const decoder = new TextDecoder();
    for (const text of ["a", "ab", "abc"]) {
      const next = reader.read();
      stream.push(() => answer(text));
      expect(JSON.parse(decoder.decode((await next).value))).toMatchObject({ result: text, pending: true });
    }
    stream.end({ ...answer("abc"), pending: false });
    expect(JSON.parse(decoder.decode((await reader.read()).value))).toMatchObject({ pending: false });
    expect((await reader.read()).done).toBe(true);
  });

  it("ends at once, without waiting for its interval", async () => {
    const stream = createSnapshotStream(60_000);
    const lines = read(stream.body);
    stream.push(() => answer("a"));
    await new Promise((tick) => setImmediate(tick));
    stream.end({ ...answer("ab"), pending: false });
    expect((await lines).at(-1)).toMatchObject({ result: "ab", pending: false });
  });
});
