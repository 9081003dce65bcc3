// @ts-check
/** The server sends trees of elements (see pages/tree.ts): nothing here turns text into markup. */
/** @typedef {{ tag: string, attributes: Record<string, string>, children: (Tree | string)[] }} Tree */

const svgTags = new Set(["svg", "path", "circle", "rect", "line", "g", "text", "title", "polyline"]);
const svgNamespace = "http://www.w3.org/2000/svg";

/** @param {Tree | string} tree @returns {Node} */
export function build(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const element = svgTags.has(tree.tag)
    ? document.createElementNS(svgNamespace, tree.tag)
    : document.createElement(tree.tag);
  for (const [name, value] of Object.entries(tree.attributes)) element.setAttribute(name, value);
  element.append(...tree.children.map(build));
  return element;
}

/** @param {string} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
