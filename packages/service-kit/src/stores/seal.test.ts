import { expect, test } from "vitest";
import { createSeal } from "./seal.ts";

const secret = "s".repeat(32);
const seal = createSeal(secret, "test");
const name = seal.name("key");

test("what is closed can be opened under its name, with its secret, for its purpose; else not", () => {
  const closed = seal.close(name, "text");
  expect(seal.open(name, closed)).toBe("text");
  expect(seal.open(seal.name("other"), closed)).toBeUndefined();
  expect(createSeal("t".repeat(32), "test").open(name, closed)).toBeUndefined();
  expect(createSeal(secret, "other").open(name, closed)).toBeUndefined();
});

test("names and closed texts show nothing of what they stand for, and do not repeat", () => {
  expect(name).toMatch(/^[\w-]{43}$/);
  expect(createSeal("t".repeat(32), "test").name("key")).not.toBe(name);
  const closed = [seal.close(name, "text"), seal.close(name, "text")];
  expect(new Set(closed).size).toBe(2);
  expect(Buffer.from(closed.join(""), "base64").toString("latin1")).not.toContain("text");
});

test("a member is closed the same each time, and differently in another set", () => {
  expect(seal.closeSame(name, "member")).toBe(seal.closeSame(name, "member"));
  expect(seal.closeSame(name, "member")).not.toBe(seal.closeSame(seal.name("other"), "member"));
  expect(seal.open(name, seal.closeSame(name, "member"))).toBe("member");
});

test("a text that was changed anywhere cannot be opened", () => {
  const bytes = Buffer.from(seal.close(name, "text"), "base64");
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    expect(seal.open(name, changed.toString("base64"))).toBeUndefined();
  }
  for (const broken of ["", "AQ==", "not base64 at all", bytes.subarray(0, -1).toString("base64")]) {
    expect(seal.open(name, broken)).toBeUndefined();
  }
});

test("a short secret is a mistake of the set-up", () => {
  expect(() => createSeal("short", "test")).toThrow(TypeError);
});
