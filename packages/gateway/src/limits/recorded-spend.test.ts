import { describe, expect, test } from "vitest";
import type { Limit } from "./limits.ts";
import { recordedSpend } from "./recorded-spend.ts";

const limit: Limit = {
  rpm: undefined,
  tpm: undefined,
  maxParallel: undefined,
  budget: undefined,
  scope: "user",
  name: "user a",
  id: "user:a",
  subject: { value: "a" },
};

describe("what was spent, by the record", () => {
  test.each([
    ["whose rows are all there: it is asked once", [true], 1, ["flush", "ask"]],
    ["that stood still, and then took the rows that waited", [false, true], 2, ["flush", "ask", "flush", "ask"]],
    ["that answers and takes no rows: it is believed", [false, false], 1, ["flush", "ask", "flush"]],
  ])("%s", async (_, flushed, spent, steps) => {
    const taken: string[] = [];
    const answers = [...flushed];
    let asked = 0;
    const spentUsd = recordedSpend({
      flush: async () => {
        taken.push("flush");
        return answers.shift() ?? false;
      },
      spentUsd: async () => {
        taken.push("ask");
        asked += 1;
        return asked;
      },
    });
    expect(await spentUsd(limit, 0)).toBe(spent);
    expect(taken).toEqual(steps);
  });
});
