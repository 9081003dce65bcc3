import { describe, expect, test } from "vitest";
import { costOf } from "./cost.ts";
import { createPrices } from "./prices.ts";

const listed = createPrices({});
const usage = (input: number, output = 0, read = 0, write = 0) => ({
  inputTokens: input,
  outputTokens: output,
  cacheReadTokens: read,
  cacheWriteTokens: write,
  reasoningTokens: 0,
});
const million = 1_000_000;

describe("prices", () => {
  test.each([
    ["bedrock/anthropic.claude-3-haiku-20240307-v1:0", 0.25, 1.25],
    ["bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3, 15],
    ["bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", 3.3, 16.5],
    [
      "bedrock/arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.anthropic.claude-haiku-4-5-20251001-v1:0",
      1.1,
      5.5,
    ],
    ["bedrock/us.anthropic.claude-opus-4-6-v1", 5.5, 27.5],
    ["bedrock/us.anthropic.claude-sonnet-4-20250514-v1:0", 3, 15],
    ["bedrock/us.anthropic.claude-sonnet-5-5", 2.2, 11],
    ["bedrock/global.anthropic.claude-opus-5-5", 4, 20],
    ["bedrock/eu.anthropic.claude-fable-5-2", 8.8, 44],
    ["anthropic/claude-haiku-4-5-20251001", 1, 5],
    ["anthropic/claude-haiku-4-5", 1, 5],
    ["anthropic/claude-opus-5-5", 4, 20],
    ["bedrock/amazon.nova-lite-v1:0", 0.06, 0.24],
    ["bedrock/us.meta.llama3-3-70b-instruct-v1:0", 0.72, 0.72],
    ["bedrock/amazon.titan-embed-text-v2:0", 0.02, 0],
    ["bedrock/cohere.embed-english-v3", 0.1, 0],
  ])("%s is listed, with where the figure comes from", (model, input, output) => {
    const price = listed(model, "alias");
    expect(price?.input).toBeCloseTo(input, 9);
    expect(price?.output).toBeCloseTo(output, 9);
    expect(price?.source).toContain("https://aws.amazon.com/bedrock/pricing/");
    expect(price?.date).toMatch(/^\d{4}-\d\d-\d\d$/);
  });

  test.each(["bedrock/acme.unknown-v1:0", "openai/gpt-4", "bedrock/constructor", "bedrock/__proto__", "unknown/"])(
    "%s has none",
    (model) => {
      expect(listed(model, model)).toBeUndefined();
    },
  );

  test.each(["amazon.nova-lite-v1:0", "bedrock/amazon.nova-lite-v1:0", "fast", "amazon.nova-lite"])(
    "an operator's own price, by %s, comes first",
    (name) => {
      const own = createPrices({ [name]: { input: 7, output: 8, source: "contract", date: "2026-01-01" } });
      expect(own("bedrock/amazon.nova-lite-v1:0", "fast")).toEqual({
        input: 7,
        output: 8,
        cacheRead: 7,
        cacheWrite: 7,
        cacheWriteHour: 7,
        source: "contract",
        date: "2026-01-01",
      });
    },
  );
});

describe("cost", () => {
  const sonnet = listed("bedrock/global.anthropic.claude-sonnet-4-5-20250929-v1:0", "");
  test.each([
    [usage(million), 3],
    [usage(0, million), 15],
    [usage(0, 0, million), 0.3],
    [usage(0, 0, 0, million), 3.75],
    [usage(11, 7, 100, 10), (11 * 3 + 7 * 15 + 100 * 0.3 + 10 * 3.75) / million],
    [usage(0), 0],
  ])("%j costs %d USD", (used, usd) => {
    expect(costOf(used, sonnet)).toBeCloseTo(usd, 9);
  });

  test("what is kept for an hour costs more to write than what is kept for minutes", () => {
    const used = { ...usage(0, 0, 0, million), cacheWriteHourTokens: million / 4 };
    expect(costOf(used, sonnet)).toBeCloseTo(0.75 * 3.75 + 0.25 * 6, 9);
    // An upstream that says more of it than of the whole is not believed.
    expect(costOf({ ...used, cacheWriteHourTokens: 9 * million }, sonnet)).toBeCloseTo(6, 9);
    const own = createPrices({
      mine: { input: 1, output: 1, cache_write: 2, cache_write_1h: 3, source: "", date: "" },
    });
    expect(costOf(used, own("openai/x", "mine"))).toBeCloseTo(0.75 * 2 + 0.25 * 3, 9);
  });

  const haiku = listed("bedrock/us.anthropic.claude-haiku-5-5", "");
  test.each([
    [usage(100_000, 1_000), 100_000 * 0.11 + 1_000 * 0.55],
    [usage(100_001, 1_000), 100_001 * 0.55 + 1_000 * 2.75],
    [usage(1, 0, 100_000, 1_000), 0.55 + 100_000 * 0.055 + 1_000 * 0.6875],
  ])("a long prompt costs more where the price list says so: %j", (used, micro) => {
    expect(costOf(used, haiku)).toBeCloseTo(micro / million, 9);
  });

  test("of an unknown price is null, also when nothing was used", () => {
    expect(costOf(usage(1), undefined)).toBeNull();
    expect(costOf(usage(0), undefined)).toBeNull();
  });
});
