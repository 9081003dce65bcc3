import { expect, it } from "vitest";

/** A script of the page's, which the browser's own types check. */
const script = "./stream.js";
const { lines }: { lines: (body: ReadableStream<Uint8Array>) => AsyncIterable<unknown> } = await import(script);

function bodyOf(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(at, at + size));
      at += size;
      if (at >= bytes.length) controller.close();
    },
  });
}

it.each([1, 2, 5, 100])("reads lines that come in parts of %i bytes", async (size) => {
  const read: unknown[] = [];
  for await (const line of lines(bodyOf('{"a":"ü"}\n\n{"b":2}\n{"c":3}', size))) read.push(line);
  expect(read).toEqual([{ a: "ü" }, { b: 2 }, { c: 3 }]);
});

it("looks a long line through once, in however many parts it comes", async () => {
  const begun = performance.now();
  for await (const line of lines(bodyOf(`"${"x".repeat(1024 * 1024)}"\n`, 32))) expect(line).toHaveLength(1024 * 1024);
  // Looked through again with each part, it took many seconds.
  expect(performance.now() - begun).toBeLessThan(2_000);
});
