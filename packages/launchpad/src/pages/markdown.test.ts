import { describe, expect, it } from "vitest";
import { parseCsv } from "./csv.ts";
import { isCheap, markdownTree } from "./markdown.ts";
import { h, toHtml } from "./tree.ts";

const html = (text: string): string => toHtml(markdownTree(text));

describe("an answer in Markdown", () => {
  it.each([
    ["**bold** and `code`", "<strong>bold</strong> and <code>code</code>"],
    ["# Title", "<h3>Title</h3>"],
    ["| a | b |\n|---|---|\n| 1 | 2 |", '<th scope="col">a</th>'],
    ["- [x] done", "<li>☑ <p>done</p></li>"],
    ["3. three", '<ol start="3">'],
    ["~~gone~~", "<del>gone</del>"],
    ["[site](https://example.com/)", 'href="https://example.com/" rel="noopener noreferrer nofollow"'],
  ])("%s", (text, expected) => {
    expect(html(text)).toContain(expected);
  });

  it.each([
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>)",
    "![x](https://evil.example/track.png)",
    "<svg/onload=alert(1)>",
    "[x](vbscript:x)",
    '<a href="https://x" onclick="x">y</a>',
    "```html\n</code></pre><script>alert(1)</script>\n```",
  ])("never becomes more than harmless elements: %s", (text) => {
    const written = html(text);
    expect(written).not.toMatch(/<(script|img|svg|iframe|object|style)\b/i);
    expect(written).not.toMatch(/<[^>]*\son\w+=/i);
    expect(written).not.toMatch(/(href|src)="(?!https?:|mailto:)/i);
  });

  it.each([
    "_a*",
    "> ",
    "[a](",
    "*a",
    "![",
    "][",
    "[[[",
    "`",
    "<a ",
    "- - a\n",
    "\n> a\n",
    "a\n=\n",
    "\n- a\n  ",
    ">a\n>>b\n",
    "[x]: /u\n",
    "x",
  ])("that repeats %j is not parsed at all, and shown as the text it is", (unit) => {
    const text = unit.repeat(Math.ceil(16_000 / unit.length));
    expect(isCheap(text)).toBe(false);
    const tree = markdownTree(text);
    expect(tree.children).toHaveLength(1);
    expect(tree.children[0]).toMatchObject({ tag: "pre", children: [text] });
  });

  it.each([
    ["a long answer in prose", "Bob works on **Atlas** and `beacon`. ".repeat(70)],
    ["a table of 100 rows", `| a | b | c |\n|---|---|---|\n${"| one | two | three |\n".repeat(100)}`],
    ["a list with links", "- [Bob](https://example.com/bob) in *Tallinn*\n".repeat(14)],
    ["a query in a fence", `\`\`\`sparql\n${"SELECT ?a_b WHERE { ?a_b <urn:x> [] }\n".repeat(60)}\`\`\`\n`],
    ["a nested list", "- a\n  - b\n    - c\n      > d\n"],
  ])("that is %s is parsed", (_, text) => {
    expect(isCheap(text)).toBe(true);
    expect(
      markdownTree(text).children.some((child) => typeof child === "object" && child.attributes.class !== "wrapped"),
    ).toBe(true);
  });
});

describe("a tree as HTML", () => {
  it("escapes text and attributes, leaves out what is false, and closes what has to be closed", () => {
    expect(
      toHtml(h("p", { title: `"<&'`, hidden: true, id: undefined, open: false }, "<b>", null, 3, ["x", [h("br")]])),
    ).toBe('<p title="&quot;&lt;&amp;&#39;" hidden="">&lt;b&gt;3x<br></p>');
  });
});

describe("CSV", () => {
  it.each([
    [
      "a,b\r\n1,2\r\n",
      [
        ["a", "b"],
        ["1", "2"],
      ],
    ],
    [
      'a,"b,c"\n"say ""x""","two\nlines"',
      [
        ["a", "b,c"],
        ['say "x"', "two\nlines"],
      ],
    ],
    [
      "a,\n,b",
      [
        ["a", ""],
        ["", "b"],
      ],
    ],
    ["", []],
    ["a\n\nb", [["a"], ["b"]]],
  ])("%j", (text, rows) => {
    expect(parseCsv(text)).toEqual(rows);
  });
});
