import { describe, expect, it } from "vitest";
import type { UsageLine } from "../api/below.ts";
import { foldRest, lastDays, seriesOf, usageOver } from "./charts.ts";
import { toHtml } from "./tree.ts";

const days = lastDays(Date.parse("2026-03-02T10:00:00Z"), 3);
const line = (day: string, group: string, requests: number): UsageLine => ({
  day,
  group,
  requests,
  tokens: requests * 10,
  usd: requests / 100,
});

describe("usage over time", () => {
  it("is one series a group, day by day, the largest first", () => {
    expect(days).toEqual(["2026-02-28", "2026-03-01", "2026-03-02"]);
    const series = seriesOf(days, [line("2026-03-01", "a", 2), line("2026-03-02", "a", 3), line("2026-03-02", "b", 9)]);
    expect(series.map(({ name, perDay, requests, tokens }) => [name, perDay, requests, tokens])).toEqual([
      ["b", [0, 0, 9], 9, 90],
      ["a", [0, 2, 3], 5, 50],
    ]);
  });

  it("puts those without a colour of their own together, and loses none of their figures", () => {
    const many = Array.from({ length: 9 }, (_, at) => line("2026-03-02", `g${at}`, 10 - at));
    const folded = foldRest(seriesOf(days, many));
    expect(folded.map(({ name }) => name)).toEqual(["g0", "g1", "g2", "g3", "g4", "4 others"]);
    expect(folded.reduce((sum, { requests }) => sum + requests, 0)).toBe(54);
    expect(folded.at(-1)?.perDay).toEqual([0, 0, 14]);
  });

  it("draws a bar for each part that is not empty, and says so in words", () => {
    const html = toHtml(usageOver(days, "By user", [line("2026-03-02", "<alice>", 4), line("2026-03-01", "bob", 1)]));
    expect(html.match(/<rect/g)).toHaveLength(2);
    expect(html).toContain("2026-03-02 &lt;alice&gt;: 4");
    expect(html).toContain("4 req");
    expect(toHtml(usageOver(days, "By user", []))).toContain("Nothing yet");
  });
});
