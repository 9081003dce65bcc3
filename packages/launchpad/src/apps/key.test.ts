import { describe, expect, it } from "vitest";
import { type App, type AppKey, refusal } from "./app.ts";
import { createKey, hashKey, keyHint, keyMatches, keyPattern } from "./key.ts";

describe("application keys", () => {
  it("are recognisable, random, and known by their hash alone", () => {
    const made = createKey();
    expect(made.key).toMatch(keyPattern);
    expect(made.hint).toBe(made.key.slice(0, 12));
    expect(keyHint(made.key)).toBe(made.hint);
    expect(keyMatches(made.key, made.hash)).toBe(true);
    expect(keyMatches(`${made.key}x`, made.hash)).toBe(false);
    expect(keyMatches(made.key, "")).toBe(false);
    expect(hashKey(made.key)).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(Array.from({ length: 1_000 }, () => createKey().key)).size).toBe(1_000);
  });
});

const app = { modes: ["jwt"], disabled: false, expires_at: null } as unknown as App;
const key = { disabled: false, expires_at: null } as unknown as AppKey;
const now = Date.parse("2026-06-01T00:00:00Z");

describe("whether a key opens its application", () => {
  it.each([
    ["both good", {}, {}, undefined],
    ["a disabled key", {}, { disabled: true }, "key_disabled"],
    ["a key at its end", {}, { expires_at: "2026-06-01T00:00:00Z" }, "key_expired"],
    ["a key a second before its end", {}, { expires_at: "2026-06-01T00:00:01Z" }, undefined],
    ["a disabled application", { disabled: true }, {}, "app_disabled"],
    ["an application at its end", { expires_at: "2026-05-31T00:00:00Z" }, {}, "app_expired"],
    ["a way that is not open", { modes: ["session"] }, {}, "mode_refused"],
  ])("%s", (_, appFields, keyFields, expected) => {
    expect(refusal({ ...app, ...appFields } as App, { ...key, ...keyFields } as AppKey, "jwt", now)).toBe(expected);
  });
});
