import type { Nodes, Root } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmFromMarkdown } from "mdast-util-gfm";
import { gfm } from "micromark-extension-gfm";
import { h, type Tree } from "./tree.ts";

/** Longer answers are shown as plain text: parsing cost must stay bounded, whatever a model writes. */
const maxMarkdownLength = 100_000;
const maxDepth = 40;

/**
 * An answer in Markdown (CommonMark and GFM) as a tree of harmless elements. Raw HTML is shown as the text it is;
 * images become links, so that no answer makes the browser call anybody; links lead to http(s) and mail only.
 */
export function markdownTree(text: string): Tree {
  if (text.length > maxMarkdownLength) return h("div", { class: "prose" }, h("pre", {}, text));
  const root: Root = fromMarkdown(text, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] });
  return h("div", { class: "prose" }, ...root.children.map((node) => view(node, 0)));
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
