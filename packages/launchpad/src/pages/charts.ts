import type { UsageLine } from "../api/below.ts";
import { h, type Tree } from "./tree.ts";

const width = 640;
const height = 150;
const base = 124;

/** Requests per day as bars, drawn as SVG; the table beside it says the same for who does not see it. */
export function dayChart(lines: readonly UsageLine[], days: readonly string[]): Tree {
  const byDay = new Map(lines.map((line) => [line.group, line]));
  const most = Math.max(1, ...lines.map(({ requests }) => requests));
  const step = width / days.length;
  const bars = days.map((day, at) => {
    const line = byDay.get(day);
    const tall = ((line?.requests ?? 0) / most) * (base - 24);
    const x = at * step + step * 0.15;
    return h(
      "g",
      {},
      h("title", {}, `${day}: ${line?.requests ?? 0} requests, ${(line?.tokens ?? 0).toLocaleString("en")} tokens`),
      h("rect", { class: "bar", x, y: base - Math.max(tall, 1), width: step * 0.7, height: Math.max(tall, 1), rx: 3 }),
      line !== undefined &&
        h("text", { x: x + step * 0.35, y: base - tall - 5, "text-anchor": "middle" }, String(line.requests)),
      (at % 2 === 0 || days.length < 9) &&
        h("text", { x: x + step * 0.35, y: base + 17, "text-anchor": "middle", class: "axis" }, day.slice(5)),
    );
  });
  return h(
    "svg",
    { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Requests per day" },
    h("path", { class: "axis-line", d: `M0 ${base}.5H${width}` }),
    ...bars,
  );
}

/** The largest first, each with a bar of its share. */
export function ranking(title: string, lines: readonly UsageLine[]): Tree {
  const most = Math.max(1, ...lines.map(({ requests }) => requests));
  const shown = [...lines].sort((a, b) => b.requests - a.requests).slice(0, 8);
  return h(
    "section",
    { class: "ranking" },
    h("h3", {}, title),
    shown.length === 0
      ? h("p", { class: "quiet" }, "Nothing yet.")
      : h(
          "table",
          {},
          h(
            "tbody",
            {},
            ...shown.map(({ group, requests, tokens, usd }) =>
              h(
                "tr",
                {},
                h(
                  "th",
                  { scope: "row" },
                  group,
                  h(
                    "svg",
                    { class: "share", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" },
                    h("rect", { class: "bar", x: 0, y: 0, width: (requests / most) * 100, height: 4, rx: 1 }),
                  ),
                ),
                h("td", {}, `${requests.toLocaleString("en")} req`),
                h("td", {}, `${tokens.toLocaleString("en")} tok`),
                h("td", {}, `$${usd.toFixed(usd < 1 ? 4 : 2)}`),
              ),
            ),
          ),
        ),
  );
}

/** The last `count` days, oldest first, as UTC dates. */
export function lastDays(nowMs: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) =>
    new Date(nowMs - (count - 1 - at) * 86_400_000).toISOString().slice(0, 10),
  );
}
