import { expect, it } from "vitest";
import { answerView } from "./answer.ts";
import { countRows, parseCsv } from "./csv.ts";

it.each([
  "",
  "a",
  "a,b\n1,2",
  "a,b\r\n1,2\r\n",
  "\n\na\n\n",
  'a\n"one\ntwo","three"\n',
  'a\n"say ""hi""\n""there""",b\n',
  ',\n,""\n',
  'a\n""\n\n""""\n',
  'in"ches\n5"\n',
])("counts the rows that are read of %j", (text) => {
  expect(countRows(text)).toBe(parseCsv(text).length);
});

it("reads no more rows than are asked for", () => {
  expect(parseCsv("a\n1\n2\n3\n", 2)).toEqual([["a"], ["1"]]);
});

it("says how many rows a table has of which a hundred are shown", () => {
  const csv = `name,value\n${"a,b\n".repeat(1_000_000)}`;
  const action = { type: "csv", label: "Table", value: csv };
  const view = JSON.stringify(answerView({ result: "", actions: [action], pending: false }).behind);
  expect(view).toContain("Table · 1000000 rows");
  expect(view).toContain("and 999900 more rows");
  expect(view.match(/"tr"/g)).toHaveLength(101);
});
