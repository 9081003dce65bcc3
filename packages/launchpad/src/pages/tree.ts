/**
 * A piece of a page. The server writes it as HTML, the browser builds elements from the same tree: what is shown never
 * passes through an HTML parser as text, so nothing in an answer can become markup (and Trusted Types can be on).
 */
export interface Tree {
  readonly tag: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly (Tree | string)[];
}

export type Child = Tree | string | number | null | undefined | false | readonly Child[];
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** An element. An attribute that is `false` or undefined is left out; `true` is written without a value. */
export function h(tag: string, attributes: Attributes = {}, ...children: readonly Child[]): Tree {
  const kept = Object.entries(attributes).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === false ? [] : [[name, value === true ? "" : String(value)]],
  );
  return { tag, attributes: Object.fromEntries(kept), children: flatten(children) };
}

function flatten(children: readonly Child[]): (Tree | string)[] {
  return children.flatMap((child): (Tree | string)[] => {
    if (child === null || child === undefined || child === false) return [];
    if (typeof child === "number") return [String(child)];
    return isList(child) ? flatten(child) : [child];
  });
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

const voidTags = new Set(["br", "hr", "img", "input", "link", "meta"]);

/** HTML of a tree, everything escaped. */
export function toHtml(tree: Tree | string): string {
  if (typeof tree === "string") return escapeText(tree);
  const attributes = Object.entries(tree.attributes).map(([name, value]) => ` ${name}="${escapeText(value)}"`);
  const open = `<${tree.tag}${attributes.join("")}>`;
  return voidTags.has(tree.tag) ? open : `${open}${tree.children.map(toHtml).join("")}</${tree.tag}>`;
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (found) => escapes[found] ?? found);
}
