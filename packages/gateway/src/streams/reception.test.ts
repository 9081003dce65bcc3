import { expect, test, vi } from "vitest";
import { bodyCollector, encodingProblem } from "./reception.ts";

test("an answer of very many pieces is whole, and held in few buffers", () => {
  const collected = bodyCollector(false);
  const text = Array.from({ length: 200_000 }, (_, index) => String(index % 10)).join("");
  for (const sign of text) expect(collected.add(Buffer.from(sign))).toBe(true);
  const joined = vi.spyOn(Buffer, "concat");
  expect(collected.bytes().toString()).toBe(text);
  expect(joined.mock.calls[0]?.[0].length).toBeLessThan(30);
  joined.mockRestore();
});

test.each(["gzip", "br", "identity, gzip", "x".repeat(5_000)])(
  "an encoding nobody asked for is not unpacked: %.20s",
  (encoding) => {
    const problem = encodingProblem({ "content-encoding": encoding });
    expect(problem).toMatchObject({ code: "upstream_failed" });
    expect(String(problem?.cause).length).toBeLessThan(200);
  },
);

test.each([undefined, "", "identity"])("as it is: %j", (encoding) => {
  expect(encodingProblem({ "content-encoding": encoding })).toBeUndefined();
});

test("of an error only the beginning is kept, of an answer 64 MiB", () => {
  const MiB = Buffer.alloc(1024 * 1024, "x");
  const [error, answer] = [bodyCollector(true), bodyCollector(false)];
  const taken = Array.from({ length: 64 }, () => [error.add(MiB), answer.add(MiB)]);
  expect(taken.flat().every(Boolean)).toBe(true);
  expect(error.bytes().length).toBeLessThanOrEqual(2 * MiB.length);
  expect([error.add(MiB), answer.add(Buffer.from("x"))]).toEqual([true, false]);
});
