import { describe, expect, it } from "vitest";
import { GraphError } from "./graph.ts";
import { createReadQueryParser } from "./read-query.ts";

const parse = createReadQueryParser();

function refusal(text: string): string {
  try {
    parse(text, 10);
    return "accepted";
  } catch (error) {
    return error instanceof GraphError ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("what may run", () => {
  it.each([
    ["SELECT * WHERE { ?s ?p ?o }", "select"],
    ["ASK { ?s ?p ?o }", "ask"],
    ["CONSTRUCT { ?s ?p ?o } WHERE { ?s ?p ?o }", "construct"],
    ["DESCRIBE <urn:a>", "describe"],
    ["PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> SELECT (xsd:integer(?o) AS ?n) WHERE { ?s ?p ?o }", "select"],
    ["# DELETE WHERE { ?s ?p ?o }\nSELECT ?s WHERE { ?s ?p 'DROP ALL' }", "select"],
  ])("%s", (text, form) => {
    expect(parse(text, 10).form).toBe(form);
  });
});

describe("what may not", () => {
  it.each([
    "INSERT DATA { <urn:a> <urn:b> <urn:c> }",
    "DELETE WHERE { ?s ?p ?o }",
    "DELETE { ?s ?p ?o } INSERT { ?s ?p 1 } WHERE { ?s ?p ?o }",
    "LOAD <http://127.0.0.1/x>",
    "CLEAR ALL",
    "DROP GRAPH <urn:g>",
    "CREATE GRAPH <urn:g>",
    "MOVE <urn:a> TO <urn:b>",
  ])("an update: %s", (text) => expect(refusal(text)).toMatch(/^refused: Updates/));

  it.each([
    "SELECT * WHERE { SERVICE <http://127.0.0.1/> { ?s ?p ?o } }",
    "SELECT * WHERE { SERVICE SILENT ?where { ?s ?p ?o } }",
    "SELECT * WHERE { OPTIONAL { { SERVICE <urn:x> { ?s ?p ?o } } UNION { ?s ?p ?o } } }",
    "SELECT * WHERE { { SELECT * WHERE { SERVICE <urn:x> { ?s ?p ?o } } } }",
    "SELECT * WHERE { ?s ?p ?o FILTER EXISTS { SERVICE <urn:x> { ?s ?p ?o } } }",
    "SELECT * WHERE { ?s ?p ?o MINUS { GRAPH ?g { SERVICE <urn:x> { ?s ?p ?o } } } }",
    "SELECT * WHERE { ?s ?p ?o BIND(IF(EXISTS { SERVICE <urn:x> { ?a ?b ?c } }, 1, 2) AS ?n) }",
    "CONSTRUCT { ?s ?p ?o } WHERE { SERVICE <urn:x> { ?s ?p ?o } }",
    "DESCRIBE ?s WHERE { SERVICE <urn:x> { ?s ?p ?o } }",
    "SELECT ?s WHERE { ?s ?p ?o } GROUP BY ?s HAVING (EXISTS { SERVICE <urn:x> { ?s ?p ?o } })",
    "SELECT * WHERE { ?s ?p ?o } ORDER BY (EXISTS { SERVICE <urn:x> { ?s ?p ?o } })",
  ])("another server: %s", (text) => expect(refusal(text)).toMatch(/^refused: SERVICE/));

  it.each(["SELECT * FROM <urn:g> WHERE { ?s ?p ?o }", "ASK FROM NAMED <urn:g> { ?s ?p ?o }"])(
    "another dataset: %s",
    (text) => expect(refusal(text)).toMatch(/^refused: FROM/),
  );

  it.each([
    "SELECT (<http://www.openlinksw.com/schemas/bif#exec>('ls') AS ?x) WHERE { ?s ?p ?o }",
    "PREFIX java: <java:> SELECT * WHERE { ?s ?p ?o FILTER(java:java.lang.Runtime(?o)) }",
    "SELECT * WHERE { ?s ?p ?o FILTER(<urn:load>('file:///etc/passwd')) }",
  ])("a function of the database's own: %s", (text) => expect(refusal(text)).toMatch(/^refused: The function/));

  it.each([
    "",
    "   ",
    "what is this",
    "SELECT * WHERE { ?s ?p ?o",
    "SELECT * WHERE { ?s unknown:p ?o }",
    "SELECT ?s WHERE { ?s ?p ?o }; DROP ALL",
  ])("what is no query: %j", (text) => expect(refusal(text)).toMatch(/^invalid: /));

  it("a query as long as a book, or as deep as a well", () => {
    expect(refusal(`SELECT * WHERE { ?s ?p "${"x".repeat(9_000)}" }`)).toMatch(/longer than/);
    expect(refusal(`SELECT * WHERE ${"{".repeat(200)}${"}".repeat(200)}`)).toMatch(/nested/);
    expect(refusal(`SELECT (${"(".repeat(100)}1${")".repeat(100)} AS ?x) WHERE {}`)).toMatch(/nested/);
  });
});

describe("what would keep everybody waiting", () => {
  it.each([
    ["a long list of objects", `SELECT * WHERE { ?s ?p 1${",1".repeat(2_000)} }`],
    ["a long VALUES", `SELECT * WHERE { VALUES ?s { ${"1 ".repeat(2_000)} } }`],
    ["a long IN", `SELECT * WHERE { ?s ?p ?o FILTER(1 IN (1${",1".repeat(2_000)})) }`],
    ["a long sum", `SELECT (1${"+1".repeat(2_000)} AS ?x) WHERE {}`],
    ["a long path", `SELECT * WHERE { ?s <urn:p>${"/<urn:p>".repeat(600)} ?o }`],
    ["a long string of comparisons", `SELECT * WHERE { FILTER(1${"=1||1".repeat(1_000)}) }`],
    ["tight groups", `SELECT * WHERE {${"{}".repeat(2_000)}}`],
  ])("%s is refused before it is parsed", (_, text) => {
    expect(refusal(text)).toMatch(/^refused: The query (has more than|is longer)/);
  });

  it("as many words as are allowed never end in anything but an answer or a refusal", () => {
    for (const text of [
      `SELECT (1${"+1".repeat(490)} AS ?x) WHERE {}`,
      `SELECT * WHERE { ?s ?p ${"!".repeat(900)}1 }`,
      `SELECT * WHERE { FILTER(${"!".repeat(900)}1) }`,
    ]) {
      expect(refusal(text)).toMatch(/^(accepted|refused|invalid)/);
    }
  });
});

describe("the row limit", () => {
  it.each([
    ["SELECT * WHERE { ?s ?p ?o }", 11],
    ["SELECT * WHERE { ?s ?p ?o } LIMIT 3", 3],
    ["SELECT * WHERE { ?s ?p ?o } LIMIT 5000 OFFSET 2", 11],
    ["CONSTRUCT WHERE { ?s ?p ?o }", 11],
    ["SELECT * WHERE { { SELECT ?s WHERE { ?s ?p ?o } LIMIT 7000 } }", 11],
  ])("of %s is %i", (text, limit) => {
    const limits = [...parse(text, 10).text.matchAll(/LIMIT (\d+)/g)].map(([, n]) => Number(n));
    expect(limits.at(-1)).toBe(limit);
  });

  it("does not change what is asked: offset, order and values stay", () => {
    const { text } = parse(
      'SELECT ?s (COUNT(*) AS ?n) WHERE { ?s ?p "it\'s \\"so\\""@en } GROUP BY ?s ORDER BY DESC(?n) OFFSET 4 VALUES ?s { <urn:a> }',
      10,
    );
    expect(text.replace(/\s+/g, " ")).toMatch(
      /"it's \\"so\\""@en .*GROUP BY \?s ORDER BY DESC.*LIMIT 11 OFFSET 4 VALUES \?s \{ <urn:a> \}/,
    );
  });
});
