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
    ["that has all rows: it is asked at once", 0, [], 1, ["ask"]],
    ["that takes the rows that wait, and is asked then", 1, [true], 1, ["flush", "ask"]],
    ["that stood still, and then took the rows that waited", 1, [false, true], 2, ["flush", "ask", "flush", "ask"]],
    ["that answers and takes no rows: it is believed", 1, [false, false], 1, ["flush", "ask", "flush"]],
  ])("%s", async (_, waiting, flushed, spent, steps) => {
    const taken: string[] = [];
    const answers: boolean[] = [...flushed];
    let asked = 0;
    const spentUsd = recordedSpend({
      waiting: () => waiting,
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
