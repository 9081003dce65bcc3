import { expect, test, vi } from "vitest";
import { bodyCollector } from "./reception.ts";

test("an answer of very many pieces is whole, and held in few buffers", () => {
  const collected = bodyCollector(false);
  const text = Array.from({ length: 200_000 }, (_, index) => String(index % 10)).join("");
  for (const sign of text) expect(collected.add(Buffer.from(sign))).toBe(true);
  const joined = vi.spyOn(Buffer, "concat");
  expect(collected.bytes().toString()).toBe(text);
  expect(joined.mock.calls[0]?.[0].length).toBeLessThan(30);
  joined.mockRestore();
});
