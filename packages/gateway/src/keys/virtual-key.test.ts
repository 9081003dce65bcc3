import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createKeyHash, hintOf, newKey } from "./virtual-key.ts";

test("a copy of the table alone cannot be tried against: the hash needs the pepper", () => {
  const { key } = newKey();
  const hash = createKeyHash("one pepper")(key);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(createKeyHash("one pepper")(key)).toBe(hash);
  expect(createKeyHash("another pepper")(key)).not.toBe(hash);
  expect(hash).not.toBe(createHash("sha256").update(key).digest("hex"));
});

test("a hint shows four characters", () => {
  expect(hintOf("sk-abcdefghijklmnop")).toBe("sk-...mnop");
});
