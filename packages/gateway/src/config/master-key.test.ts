import { describe, expect, test } from "vitest";
import { readCredential } from "../http/credential.ts";
import { readMasterKey, weakness } from "./master-key.ts";
import { readConfiguration } from "./read.ts";

const random = "bQ7xN2mVd9TzKc4RwLh8YpJf";
const useless = [
  ["no sk-", `nosk-${random}`],
  ["base64's plus", `sk-${random}+`],
  ["base64's slash", `sk-${random}/x`],
  ["base64's padding", `sk-${random}=`],
  ["a blank", `sk-${random} x`],
  ["a letter of another alphabet", `sk-${random}é`],
  ["more signs than a key has", `sk-${random.repeat(9)}`],
];

describe("a master key that no request could use is refused", () => {
  test.each(useless)("%s", (_, key) => {
    expect(weakness(key)).toMatch(/form of a key.*openssl rand -hex 32/);
    expect(readMasterKey(undefined, key)).toMatchObject({
      key: undefined,
      problems: [{ name: "general_settings.master_key", problem: expect.stringContaining("form of a key") }],
    });
  });
});

test.each([`sk-${random}`, `sk-${random.repeat(8)}`, `sk-${random}_-`])("%s is let in by both", (key) => {
  expect(weakness(key)).toBeUndefined();
  expect(readCredential(new Headers({ "x-api-key": key }))).toEqual({ kind: "key", token: key });
});

test.each([
  ["shorter than what cannot be guessed", `sk-${random.slice(1)}`, /shorter than 24 characters/],
  ["long, of few letters", "sk-ababababababababababababababab", /repeats too few/],
  ["the one of the documentation", "sk-1234", /everybody knows/],
])("%s: refused", (_, key, problem) => {
  expect(weakness(key)).toMatch(problem);
});

test("one that is refused is not said to be missing as well", () => {
  const words = (env: Record<string, string>): string => {
    try {
      return JSON.stringify(readConfiguration(env));
    } catch (error) {
      return String(error);
    }
  };
  expect(words({ LITELLM_MASTER_KEY: "sk-1234" })).toMatch(/LITELLM_MASTER_KEY.*everybody knows/);
  expect(words({ LITELLM_MASTER_KEY: "sk-1234" })).not.toContain("is not set");
  expect(words({ LITELLM_MASTER_KEY_FILE: "/no/such/file" })).not.toContain("is not set");
  expect(words({})).toContain("is not set");
});
