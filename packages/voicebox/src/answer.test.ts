import { describe, expect, it } from "vitest";
import { actionsOf, csvOf, provenanceOf } from "./answer.ts";
import type { Table } from "./graph/graph.ts";
import type { Evidence } from "./tools.ts";

const table = (rows: Table["rows"]): Table => ({ columns: ["a", "b,c"], rows, truncated: false });
const evidence = (sparql: string, found: Table | undefined): Evidence => ({
  question: `about ${sparql}`,
  sparql,
  query: { form: "select", text: sparql },
  table: found,
});
const cell = { type: "literal", value: "x" } as const;

describe("CSV (SPARQL 1.1 Query Results CSV, section 3)", () => {
  it("quotes what RFC 4180 wants quoted, and nothing else", () => {
    const rows = [
      [{ type: "uri", value: "urn:a" }, undefined],
      [
        { type: "literal", value: 'say "hi", twice' },
        { type: "bnode", value: "b0" },
      ],
      [
        { type: "literal", value: "two\nlines" },
        { type: "literal", value: "" },
      ],
    ] as const;
    expect(csvOf(table(rows))).toBe('a,"b,c"\r\nurn:a,\r\n"say ""hi"", twice",_:b0\r\n"two\nlines",\r\n');
  });
});

describe("the actions of an answer", () => {
  it("rest on the last query that found something", () => {
    const found = [evidence("first", table([[cell, cell]])), evidence("second", table([]))];
    const actions = actionsOf(found, [], undefined, true);
    expect(actions.find(({ type }) => type === "sparql")?.value).toBe("first");
    expect(actions.find(({ type }) => type === "rewritten_query")?.value).toBe("about first");
  });

  it("rest on the last query when none found anything", () => {
    const actions = actionsOf([evidence("first", table([])), evidence("second", table([]))], [], undefined, true);
    expect(actions.find(({ type }) => type === "sparql")?.value).toBe("second");
  });

  it("have rows and sources only when the answer is complete", () => {
    const found = [evidence("q", table([[cell, cell]]))];
    expect(actionsOf(found, [], undefined, false).map(({ type }) => type)).toEqual(["rewritten_query", "sparql"]);
    const complete = actionsOf(found, [], { graphs: [] }, true).map(({ type }) => type);
    expect(complete).toEqual(["rewritten_query", "sparql", "csv", "provenance"]);
  });

  it("are none for an answer without a query", () => {
    expect(actionsOf([], [], undefined, true)).toEqual([]);
  });
});

it("provenance names a graph by its label, or by the end of its IRI", () => {
  const described = new Map([["urn:g#a", { label: "A", comment: "About a.", types: ["urn:t#Records"] }]]);
  expect(provenanceOf(["urn:g#a", "urn:g#b"], described).graphs).toEqual([
    { name: "A", iri: "urn:g#a", graph_type: "Records", description: "About a.", types: ["urn:t#Records"] },
    { name: "b", iri: "urn:g#b", graph_type: "NamedGraph", description: null, types: [] },
  ]);
});

it("a graph's IRI may be as long as it likes, and may end with a sign", () => {
  const long = `urn:${"a".repeat(300_000)}/`;
  const begun = performance.now();
  expect(provenanceOf([long], new Map()).graphs).toMatchObject([{ name: long }]);
  // Looked for from each letter on, the end took half a minute.
  expect(performance.now() - begun).toBeLessThan(2_000);
});
