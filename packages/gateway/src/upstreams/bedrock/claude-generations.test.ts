import { describe, expect, it } from "vitest";
import { claudeGeneration, effortWithin } from "./claude-generations.ts";

const four = ["low", "medium", "high", "max"];
const five = ["low", "medium", "high", "xhigh", "max"];

describe("generations of Claude", () => {
  it.each([
    ["anthropic.claude-v2:1", { sampling: true, budgets: false, adaptive: false, efforts: [], off: "silence" }],
    ["anthropic.claude-instant-v1", { sampling: true, budgets: false, adaptive: false }],
    ["anthropic.claude-3-haiku-20240307-v1:0", { sampling: true, budgets: false, adaptive: false }],
    ["anthropic.claude-3-5-sonnet-20241022-v2:0", { sampling: true, budgets: false, adaptive: false }],
    ["us.anthropic.claude-3-7-sonnet-20250219-v1:0", { sampling: true, budgets: true, adaptive: false }],
    ["anthropic.claude-opus-4-20250514-v1:0", { sampling: true, budgets: true, adaptive: false, efforts: [] }],
    ["us.anthropic.claude-opus-4-1-20250805-v1:0", { sampling: true, budgets: true, adaptive: false }],
    ["eu.anthropic.claude-haiku-4-5-20251001-v1:0", { sampling: true, budgets: true, adaptive: false, off: "silence" }],
    [
      "us.anthropic.claude-opus-4-6-v1",
      { sampling: true, budgets: true, adaptive: true, efforts: four, off: "silence" },
    ],
    ["claude-sonnet-4-6", { sampling: true, budgets: true, adaptive: true, efforts: four, forcedTools: true }],
    [
      "us.anthropic.claude-opus-4-8",
      { sampling: false, budgets: false, adaptive: true, efforts: five, off: "silence" },
    ],
    [
      "anthropic.claude-sonnet-5",
      { sampling: false, budgets: false, efforts: five, off: "disabled", forcedTools: true },
    ],
    ["global.anthropic.claude-opus-5", { sampling: false, off: "disabled", forcedTools: true }],
    ["us.anthropic.claude-opus-5-5", { sampling: false, adaptive: true, off: "never", forcedTools: false }],
    ["us.anthropic.claude-sonnet-5-5", { sampling: false, off: "between_tools", forcedTools: false }],
    ["us.anthropic.claude-haiku-5-5", { sampling: false, budgets: false, off: "disabled", forcedTools: true }],
    ["us.anthropic.claude-fable-5", { sampling: false, adaptive: true, off: "never", forcedTools: true }],
    ["claude-fable-5-2", { sampling: false, adaptive: true, off: "never", forcedTools: false }],
    [
      "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
      { sampling: true, budgets: true, adaptive: false },
    ],
    [
      "anthropic.claude-something-new",
      { sampling: false, budgets: false, adaptive: true, efforts: five, off: "never" },
    ],
    ["claude-prod", { sampling: true, budgets: true, adaptive: false, forcedTools: true }],
    ["anthropic.claude-sonnet-4-10", { sampling: false, adaptive: true, efforts: five }],
    ["anthropic.claude-opus-12-1", { sampling: false, adaptive: true, off: "never", forcedTools: false }],
  ])("%s", (id, expected) => {
    expect(claudeGeneration(id)).toMatchObject(expected);
  });

  it("take the strongest effort they know that is not above the one asked for", () => {
    const { efforts } = claudeGeneration("claude-sonnet-4-6");
    expect(["minimal", "low", "medium", "high", "xhigh", "max"].map((asked) => effortWithin(asked, efforts))).toEqual([
      "low",
      "low",
      "medium",
      "high",
      "high",
      "max",
    ]);
    expect(effortWithin("enormous", efforts)).toBeUndefined();
  });
});
