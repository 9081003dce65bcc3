import { describe, expect, it } from "vitest";
import { aged } from "./fresh-keys.ts";

const jwks = { keys: [] };

describe("the age of a provider's keys", () => {
  it.each([
    ["just loaded: asked for again when a key is unknown", 1_000, 1_001, 941],
    ["older than the library's patience: as they are", 1_000, 1_100, 1_000],
    ["too old: loaded anew", 1_000, 1_300, undefined],
    ["from the future, after the clock was set back: loaded anew", 1_000, 900, undefined],
  ])("%s", (_, uat, now, seen) => {
    expect(aged({ jwks, uat }, now)?.uat).toBe(seen);
  });
});
