import { z } from "zod";
import type { Snapshot } from "../api/schemas.ts";
import { countRows, parseCsv } from "./csv.ts";
import { markdownTree } from "./markdown.ts";
import { type Child, h, type Tree } from "./tree.ts";

/** What the page gets for each snapshot: the answer to show, and no more of it than it shows. */
export interface AnswerView {
  readonly conversation_id: string | null;
  readonly pending: boolean;
  readonly error: Snapshot["error"] | null;
  readonly answer: Tree;
  /** What is behind the answer: the query, its table, its sources. */
  readonly behind: Tree | null;
}

/** What the page draws of a snapshot: the text as a tree, so that nothing in it is markup. */
export function answerView(snapshot: Snapshot): AnswerView {
  return {
    conversation_id: snapshot.conversation_id ?? null,
    pending: snapshot.pending,
    error: snapshot.error ?? null,
    answer: inOwnDirection(markdownTree(snapshot.result ?? "")),
    behind: snapshot.pending ? null : behind(snapshot.actions),
  };
}

/** Each block is written from the side its language is, also where an answer has several. */
function inOwnDirection(prose: Tree): Tree {
  const directed = (block: Tree | string): Tree | string =>
    typeof block === "string" || block.tag === "pre"
      ? block
      : { ...block, attributes: { ...block.attributes, dir: "auto" } };
  return { ...prose, children: prose.children.map(directed) };
}

type Action = Snapshot["actions"][number];

function behind(actions: readonly Action[]): Tree | null {
  const parts = actions.map(part).filter((found) => found !== null);
  return parts.length === 0 ? null : h("div", { class: "behind" }, ...parts);
}

function part({ type, label, value }: Action): Tree | null {
  if (type === "provenance") return sources(value);
  if (typeof value !== "string" || value === "") return null;
  switch (type) {
    case "sparql":
      return fold(label ?? "SPARQL", h("pre", { tabindex: 0 }, h("code", {}, value)));
    case "csv":
      return table(label ?? "Table", value);
    case "rewritten_query":
      return fold(label ?? "Understood as", h("p", {}, value));
    case "reasoning":
      return fold(label ?? "Reasoning", h("pre", { tabindex: 0 }, pretty(value)));
    default:
      return null;
  }
}

function fold(title: string, ...content: readonly Child[]): Tree {
  return h("details", {}, h("summary", {}, title), ...content);
}

const shownRows = 100;

function table(title: string, csv: string): Tree | null {
  const [head, ...rows] = parseCsv(csv, 1 + shownRows);
  if (head === undefined) return null;
  const count = countRows(csv) - 1;
  const more = count - shownRows;
  return fold(
    `${title} · ${count} ${count === 1 ? "row" : "rows"}`,
    h(
      "div",
      { class: "table", tabindex: 0, role: "region", "aria-label": title },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, cell)))),
        h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))))),
      ),
    ),
    more > 0 && h("p", { class: "quiet" }, `and ${more} more rows`),
  );
}

const provenance = z.object({
  graphs: z.array(
    z.object({ name: z.string().nullish(), iri: z.string().nullish(), description: z.string().nullish() }),
  ),
});

/** `{graphs: [{name, iri, description, …}]}`, perhaps as JSON; anything else is not shown. */
function sources(value: unknown): Tree | null {
  const parsed = provenance.safeParse(typeof value === "string" ? parsedJson(value) : value);
  if (!parsed.success || parsed.data.graphs.length === 0) return null;
  const rows = parsed.data.graphs.map(({ name, iri, description }) =>
    h("li", {}, h("strong", {}, name ?? iri ?? "graph"), description && ` — ${description}`),
  );
  return fold(`Sources · ${rows.length}`, h("ul", {}, ...rows));
}

function pretty(json: string): string {
  const parsed = parsedJson(json);
  return parsed === undefined ? json : JSON.stringify(parsed, null, 2);
}

function parsedJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
