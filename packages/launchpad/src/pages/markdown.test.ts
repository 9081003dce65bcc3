import { describe, expect, it } from "vitest";
import { parseCsv } from "./csv.ts";
import { markdownTree } from "./markdown.ts";
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

  it("is shown as text when it is too long or too deep to be parsed cheaply", () => {
    expect(markdownTree("x".repeat(200_000)).children).toHaveLength(1);
    expect(html(`${">".repeat(500)} deep`)).toContain("…");
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
