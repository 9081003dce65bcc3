import type { Nodes, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfmStrikethrough } from "micromark-extension-gfm-strikethrough";
import { gfmTable } from "micromark-extension-gfm-table";
import { gfmTaskListItem } from "micromark-extension-gfm-task-list-item";
import { h, type Tree } from "./tree.ts";

/**
 * What an answer may have to be parsed. The parser's work grows with the square of the marks that could open or close
 * something, and of the blocks; whatever a model is made to write must not keep the process from its other requests.
 * Real answers stay far below; what is above is shown as the text it is.
 */
const budget = { characters: 10_000, lines: 250, marks: 300, brackets: 60, loneBrackets: 4, nestedBlocks: 8 } as const;
const maxDepth = 40;

/** GFM without footnotes, and without its own search for addresses, which is quadratic in words: addresses are found later. */
const syntax = [gfmTable(), gfmStrikethrough(), gfmTaskListItem()];

/**
 * An answer in Markdown (CommonMark and GFM) as a tree of harmless elements. Raw HTML is shown as the text it is;
 * images become links, so that no answer makes the browser call anybody; links lead to http(s) and mail only.
 */
export function markdownTree(text: string): Tree {
  if (!isCheap(text)) return plain(text);
  try {
    const root: Root = fromMarkdown(text, { extensions: syntax, mdastExtensions: [gfmFromMarkdown()] });
    return h("div", { class: "prose" }, ...root.children.map((node) => view(node, 0)));
  } catch {
    return plain(text);
  }
}

function plain(text: string): Tree {
  return h("div", { class: "prose" }, h("pre", { class: "wrapped", tabindex: 0 }, text));
}

/** Pure: whether parsing costs little enough to be done between two other people's requests. */
export function isCheap(text: string): boolean {
  if (text.length > budget.characters || count(text, /\n/g) > budget.lines) return false;
  // Fenced code is not looked into by the parser; a run of one mark counts once, as it does for the parser.
  const prose = text.replace(/^```[^`\n]*\n[\s\S]*?^```$/gm, "");
  if (count(prose, /\*+|_+|~+|`+|[<&\\@]|:\/\/|www\./g) > budget.marks) return false;
  if (count(prose, /[[\]]/g) > budget.brackets) return false;
  // For one that stands alone the parser looks for its partner through the whole rest.
  if (count(prose.replace(/\[[^[\]\n]{0,300}\]/g, ""), /[[\]]/g) > budget.loneBrackets) return false;
  return !nestedTooDeep.test(text);
}

const nestedTooDeep = new RegExp(`^(?:[ \\t]*(?:>|[-+*]|\\d{1,9}[.)])){${budget.nestedBlocks + 1}}`, "m");

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function view(node: Nodes, depth: number): Tree | string {
  if (depth > maxDepth) return "…";
  const inside = (): (Tree | string)[] =>
    "children" in node ? node.children.map((child) => view(child, depth + 1)) : [];
  switch (node.type) {
    case "text":
    case "html":
      return node.value;
    case "paragraph":
      return h("p", {}, ...inside());
    case "heading":
      // The page has its own headings above; an answer's begin below them.
      return h(`h${Math.min(6, node.depth + 2)}`, {}, ...inside());
    case "emphasis":
      return h("em", {}, ...inside());
    case "strong":
      return h("strong", {}, ...inside());
    case "delete":
      return h("del", {}, ...inside());
    case "inlineCode":
      return h("code", {}, node.value);
    case "code":
      return h("pre", { tabindex: 0 }, h("code", {}, node.value));
    case "break":
      return h("br");
    case "thematicBreak":
      return h("hr");
    case "blockquote":
      return h("blockquote", {}, ...inside());
    case "list":
      return h(
        node.ordered === true ? "ol" : "ul",
        node.start && node.start !== 1 ? { start: node.start } : {},
        ...inside(),
      );
    case "listItem":
      return h(
        "li",
        {},
        node.checked === null || node.checked === undefined ? null : node.checked ? "☑ " : "☐ ",
        ...inside(),
      );
    case "link":
      return link(node.url, inside());
    case "image":
      return link(node.url, [node.alt || node.url]);
    case "table":
      return table(
        node.children.map((row) => row.children.map((cell) => cell.children.map((c) => view(c, depth + 1)))),
      );
    default:
      return h("span", {}, ...inside());
  }
}

function link(url: string, children: (Tree | string)[]): Tree {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:", "mailto:"].includes(parsed.protocol))
    return h("span", {}, ...children);
  return h("a", { href: parsed.href, rel: "noopener noreferrer nofollow", target: "_blank" }, ...children);
}

function table(rows: readonly (readonly (readonly (Tree | string)[])[])[]): Tree {
  const [head = [], ...body] = rows;
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": "Table" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((cell) => h("th", { scope: "col" }, ...cell)))),
      h("tbody", {}, ...body.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, ...cell))))),
    ),
  );
}
