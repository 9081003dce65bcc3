import { describe, expect, it } from "vitest";
import { createSeal, digest } from "./seal.ts";

const secret = "0123456789abcdef0123456789abcdef";

describe("sealed records", () => {
  it("open with the same secret, for the same purpose, and are unreadable otherwise", async () => {
    const seal = createSeal(secret, "session");
    const sealed = await seal.seal({ token: "very-secret" }, "id-1");
    expect(sealed).not.toContain("very-secret");
    expect(Buffer.from(sealed, "base64url").toString()).not.toContain("very-secret");
    expect(await seal.open(sealed, "id-1")).toEqual({ token: "very-secret" });
    expect(await seal.open(sealed, "id-2")).toBeUndefined();
    expect(await createSeal(secret, "browser").open(sealed, "id-1")).toBeUndefined();
    expect(await createSeal(`${secret}x`, "session").open(sealed, "id-1")).toBeUndefined();
  });

  it("do not open when a single character was changed, or when they are something else", async () => {
    const seal = createSeal(secret, "session");
    const sealed = await seal.seal("x", "p");
    for (let at = 0; at < sealed.length; at += 7) {
      const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      expect(await seal.open(changed, "p")).toBeUndefined();
    }
    expect(await seal.open("", "p")).toBeUndefined();
    expect(await seal.open("a.b.c.d.e", "p")).toBeUndefined();
  });

  it("never seal the same thing to the same text twice", async () => {
    const seal = createSeal(secret, "session");
    expect(await seal.seal("x", "p")).not.toBe(await seal.seal("x", "p"));
  });
});

describe("a digest of fields", () => {
  it("differs where their boundaries differ", () => {
    expect(
      new Set([digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("abc", ""), digest("", "abc")]).size,
    ).toBe(5);
    expect(digest("a", "b")).toBe(digest("a", "b"));
  });
});
