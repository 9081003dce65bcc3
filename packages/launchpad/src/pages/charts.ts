import type { UsageLine } from "../api/below.ts";
import { h, type Tree } from "./tree.ts";
import { dollars } from "./words.ts";

const width = 480;
const height = 130;
const base = 106;
const top = 16;
/** As many as have a colour of their own; what is left is one more. */
const shownGroups = 5;

/** What one group used, on each day and in all. */
interface Series {
  readonly name: string;
  readonly perDay: readonly number[];
  readonly requests: number;
  readonly tokens: number;
  readonly usd: number;
}

/** Usage over time, split by something: bars for the days, and the figures beside them, largest first. */
export function usageOver(days: readonly string[], title: string, lines: readonly UsageLine[]): Tree {
  const series = foldRest(seriesOf(days, lines));
  return h(
    "section",
    { class: "ranking" },
    h("h3", {}, title),
    series.length === 0 ? h("p", { class: "quiet" }, "Nothing yet.") : [chart(days, title, series), table(series)],
  );
}

/** Pure: one series a group, the one with most requests first. */
export function seriesOf(days: readonly string[], lines: readonly UsageLine[]): readonly Series[] {
  const groups = [...new Set(lines.map(({ group }) => group))];
  return groups
    .map((name) => {
      const own = lines.filter(({ group }) => group === name);
      const sum = (of: (line: UsageLine) => number): number => own.reduce((total, line) => total + of(line), 0);
      return {
        name,
        perDay: days.map((day) =>
          own.filter((line) => line.day === day).reduce((total, { requests }) => total + requests, 0),
        ),
        requests: sum(({ requests }) => requests),
        tokens: sum(({ tokens }) => tokens),
        usd: sum(({ usd }) => usd),
      };
    })
    .sort((a, b) => b.requests - a.requests);
}

/** Pure: the smaller ones as one. */
export function foldRest(series: readonly Series[]): readonly Series[] {
  if (series.length <= shownGroups + 1) return series;
  const rest = series.slice(shownGroups);
  const sum = (of: (one: Series) => number): number => rest.reduce((total, one) => total + of(one), 0);
  const others: Series = {
    name: `${rest.length} others`,
    perDay: (series[0]?.perDay ?? []).map((_, at) => sum(({ perDay }) => perDay[at] ?? 0)),
    requests: sum(({ requests }) => requests),
    tokens: sum(({ tokens }) => tokens),
    usd: sum(({ usd }) => usd),
  };
  return [...series.slice(0, shownGroups), others];
}

function chart(days: readonly string[], title: string, series: readonly Series[]): Tree {
  const totals = days.map((_, at) => series.reduce((total, { perDay }) => total + (perDay[at] ?? 0), 0));
  const most = Math.max(1, ...totals);
  const step = width / days.length;
  const tall = (requests: number): number => (requests / most) * (base - top);
  return h(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: requests per day` },
    h("path", { class: "axis-line", d: `M0 ${base}.5H${width}` }),
    ...days.map((day, at) => {
      const x = at * step + step * 0.14;
      let y = base;
      const parts = series.map(({ name, perDay }, colour) => {
        const part = tall(perDay[at] ?? 0);
        if (part === 0) return null;
        y -= part;
        return h(
          "rect",
          { class: `c${colour}`, x, y, width: step * 0.72, height: part },
          h("title", {}, `${day} ${name}: ${perDay[at]}`),
        );
      });
      const middle = { x: x + step * 0.36, "text-anchor": "middle" };
      const isLast = at === days.length - 1;
      // The last one ends where the chart ends: in the middle of its bar, a large letter would be cut off.
      const under = isLast ? { x: width, "text-anchor": "end" } : middle;
      return h(
        "g",
        {},
        ...parts,
        (totals[at] ?? 0) > 0 && h("text", { ...middle, y: y - 4 }, String(totals[at])),
        (days.length - 1 - at) % 3 === 0 && h("text", { ...under, y: base + 16, class: "axis" }, day.slice(5)),
      );
    }),
  );
}

function table(series: readonly Series[]): Tree {
  const rows = series.map(({ name, requests, tokens, usd }, colour) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, h("span", { class: `swatch c${colour}`, "aria-hidden": "true" }), name),
      h("td", {}, `${requests.toLocaleString("en")} req`),
      h("td", {}, `${tokens.toLocaleString("en")} tok`),
      h("td", {}, dollars(usd)),
    ),
  );
  return h("table", {}, h("tbody", {}, ...rows));
}

/** The last `count` days, oldest first, as UTC dates. */
export function lastDays(nowMs: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) =>
    new Date(nowMs - (count - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
}
