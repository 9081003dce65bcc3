import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openEmbedded } from "./embedded.ts";
import type { Dataset, Graph, QueryLimits, Table } from "./graph.ts";
import { boundStoreMemory } from "./memory.ts";
import { createReadQueryParser } from "./read-query.ts";

let folder: string;
let graph: Graph | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graph-"));
  await writeFile(join(folder, "a.ttl"), '@prefix : <urn:> . :a :p "Turtle"@en ; :q 5 .');
  await writeFile(join(folder, "b.nt"), "<urn:b> <urn:p> <urn:a> .\n");
  await writeFile(join(folder, "c.jsonld"), '{"@id":"urn:c","urn:p":[{"@value":"JSON"}]}');
  await writeFile(
    join(folder, "schema.ttl"),
    `@prefix : <urn:> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
     :Cat rdfs:subClassOf :Animal . :owns owl:inverseOf :ownedBy . :owns rdfs:subPropertyOf :knows . :knows rdfs:range :Thing .
     :tom a :Cat ; :ownedBy :ann .`,
  );
  await writeFile(join(folder, "broken.ttl"), "@prefix : <urn:> .\n:a :p .\n");
});
afterEach(async () => {
  await graph?.close();
  graph = undefined;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const parse = createReadQueryParser();
const everything: Dataset = { database: undefined, namedGraphs: [], reasoning: false };
const usual: QueryLimits = { maxRows: 100, maxBytes: 100_000, timeoutMs: 5_000 };

async function open(names: readonly string[], workers = 1): Promise<Graph> {
  graph = await openEmbedded({ database: "db", files: names.map((name) => ({ path: join(folder, name) })), workers });
  return graph;
}
function ask(
  on: Graph,
  sparql: string,
  dataset = everything,
  limits = usual,
  signal = new AbortController().signal,
): Promise<Table> {
  return on.query(parse(sparql, limits.maxRows), dataset, limits, { signal });
}
const cells = ({ rows }: Table) => rows.map((row) => row.map((term) => term?.value));

describe("an embedded database", () => {
  it("reads Turtle, N-Triples and JSON-LD, each into a graph of its own", async () => {
    const on = await open(["a.ttl", "b.nt", "c.jsonld"]);
    const table = await ask(on, "SELECT ?g ?s WHERE { GRAPH ?g { ?s <urn:p> ?o } } ORDER BY ?g");
    expect(cells(table)).toEqual([
      ["urn:file:a", "urn:a"],
      ["urn:file:b", "urn:b"],
      ["urn:file:c", "urn:c"],
    ]);
  });

  it("keeps types and languages, and what is not bound", async () => {
    const on = await open(["a.ttl"]);
    const { rows } = await ask(on, "SELECT ?p ?n ?none WHERE { <urn:a> <urn:p> ?p ; <urn:q> ?n }");
    expect(rows).toEqual([
      [
        { type: "literal", value: "Turtle", language: "en" },
        { type: "literal", value: "5", datatype: "http://www.w3.org/2001/XMLSchema#integer" },
        undefined,
      ],
    ]);
  });

  it("answers ASK and CONSTRUCT as tables too", async () => {
    const on = await open(["a.ttl", "b.nt"]);
    expect(cells(await ask(on, "ASK { <urn:b> ?p ?o }"))).toEqual([["true"]]);
    expect(cells(await ask(on, "CONSTRUCT WHERE { <urn:b> ?p ?o }"))).toEqual([["urn:b", "urn:p", "urn:a"]]);
    expect(cells(await ask(on, "DESCRIBE <urn:b>"))).toEqual([["urn:b", "urn:p", "urn:a"]]);
  });

  it("shows only the named graphs that are asked for", async () => {
    const on = await open(["a.ttl", "b.nt"]);
    const narrow = { ...everything, namedGraphs: ["urn:file:b", "urn:not-there"] };
    expect(cells(await ask(on, "SELECT ?s WHERE { ?s ?p ?o }", narrow))).toEqual([["urn:b"]]);
    expect(cells(await ask(on, "SELECT ?s WHERE { GRAPH <urn:file:a> { ?s ?p ?o } }", narrow))).toEqual([]);
  });

  it("shows what stands in no graph only where no graphs are asked for", async () => {
    await writeFile(join(folder, "d.trig"), "<urn:loose> <urn:p> 1 . <urn:g> { <urn:held> <urn:p> 2 }");
    const on = await open(["d.trig"]);
    const subjects = async (namedGraphs: readonly string[]) =>
      cells(await ask(on, "SELECT ?s WHERE { ?s <urn:p> ?o } ORDER BY ?s", { ...everything, namedGraphs })).flat();
    expect(await subjects([])).toEqual(["urn:held", "urn:loose"]);
    expect(await subjects(["urn:g"])).toEqual(["urn:held"]);
    expect(await subjects(["urn:elsewhere"])).toEqual([]);
  });

  it("says that rows were left out, and refuses what is too large", async () => {
    const on = await open(["a.ttl", "b.nt", "c.jsonld"]);
    const table = await ask(on, "SELECT * WHERE { ?s ?p ?o }", everything, { ...usual, maxRows: 2 });
    expect([table.rows.length, table.truncated]).toEqual([2, true]);
    const all = await ask(on, "SELECT * WHERE { ?s ?p ?o } LIMIT 2", everything, { ...usual, maxRows: 2 });
    expect([all.rows.length, all.truncated]).toEqual([2, false]);
    const small = ask(on, "SELECT * WHERE { ?s ?p ?o }", everything, { ...usual, maxBytes: 50 });
    await expect(small).rejects.toMatchObject({ code: "too_large" });
  });

  it("knows no other database than its own", async () => {
    const on = await open(["a.ttl"]);
    await expect(ask(on, "ASK {}", { ...everything, database: "other" })).rejects.toMatchObject({
      code: "unknown_database",
    });
  });

  it.each([
    ["broken.ttl", /broken\.ttl: .*(line|2)/],
    ["nowhere.ttl", /nowhere\.ttl/],
    ["a.csv", /a\.csv: expected a file ending in \.ttl/],
  ])("does not open with %s, and says so", async (name, message) => {
    await expect(open([name])).rejects.toThrow(message);
  });
});

describe("a query that takes too long", () => {
  const heavy =
    "SELECT (COUNT(*) AS ?n) WHERE { VALUES ?a { 1 2 3 4 5 6 7 8 9 10 } VALUES ?b { 1 2 3 4 5 6 7 8 9 10 } VALUES ?c { 1 2 3 4 5 6 7 8 9 10 } VALUES ?d { 1 2 3 4 5 6 7 8 9 10 } VALUES ?e { 1 2 3 4 5 6 7 8 9 10 } VALUES ?f { 1 2 3 4 5 6 7 8 9 10 } VALUES ?g { 1 2 3 4 5 6 7 8 9 10 } VALUES ?h { 1 2 3 4 5 6 7 8 9 10 } VALUES ?i { 1 2 3 4 5 6 7 8 9 10 } }";

  it("is cut, and those that wait behind it are answered", async () => {
    const on = await open(["a.ttl"]);
    const cut = ask(on, heavy, everything, { ...usual, timeoutMs: 300 });
    const behind = ask(on, "SELECT ?s WHERE { ?s <urn:q> ?o }");
    await expect(cut).rejects.toMatchObject({ code: "too_slow" });
    expect(cells(await behind)).toEqual([["urn:a"]]);
    expect(cells(await ask(on, "ASK { ?s ?p ?o }"))).toEqual([["true"]]);
  });

  it("does not hold one who has left", async () => {
    const on = await open(["a.ttl"]);
    const leaving = new AbortController();
    const left = ask(on, heavy, everything, { ...usual, timeoutMs: 400 }, leaving.signal);
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: "cancelled" });
  });

  it("does not hold one who leaves while he waits for another's query", async () => {
    const on = await open(["a.ttl"]);
    let cutYet = false;
    const cut = ask(on, heavy, everything, { ...usual, timeoutMs: 1_500 }).catch(() => {
      cutYet = true;
    });
    const leaving = new AbortController();
    const left = Array.from({ length: 1_000 }, () => ask(on, "ASK {}", everything, usual, leaving.signal));
    leaving.abort();
    for (const { reason } of (await Promise.allSettled(left)) as PromiseRejectedResult[])
      expect(reason).toMatchObject({ code: "cancelled" });
    expect(cutYet).toBe(false);
    // Those who left take up no room.
    expect(cells(await ask(on, "SELECT ?s WHERE { ?s <urn:q> ?o }"))).toEqual([["urn:a"]]);
    await cut;
  });

  it("has room for a rush, and refuses what would wait behind a thousand", async () => {
    const on = await open(["a.ttl"]);
    const rush = Array.from({ length: 1_200 }, () => ask(on, "SELECT ?s WHERE { ?s <urn:q> ?o }"));
    const outcomes = await Promise.allSettled(rush);
    const refused = outcomes.filter(({ status }) => status === "rejected");
    expect(outcomes.slice(0, 1_000).every(({ status }) => status === "fulfilled")).toBe(true);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]).toMatchObject({ reason: { code: "unavailable", message: expect.stringContaining("waiting") } });
    expect(cells(await ask(on, "ASK { ?s ?p ?o }"))).toEqual([["true"]]);
  });

  it("lets others by on a second thread", async () => {
    const on = await open(["a.ttl"], 2);
    const cut = ask(on, heavy, everything, { ...usual, timeoutMs: 1_500 });
    let cutYet = false;
    void cut.catch(() => {
      cutYet = true;
    });
    await ask(on, "ASK { ?s ?p ?o }");
    expect(cutYet).toBe(false);
    await expect(cut).rejects.toMatchObject({ code: "too_slow" });
  });
});

describe("a query that wants more memory than there is", () => {
  const doubling = (times: number): string => {
    const steps = Array.from({ length: times }, (_, n) => `BIND(CONCAT(?v${n},?v${n}) AS ?v${n + 1})`).join(" ");
    return `SELECT (STRLEN(?v${times}) AS ?n) WHERE { BIND("aaaaaaaaaaaaaaaa" AS ?v0) ${steps} }`;
  };

  it("ends with its thread, and the next query finds a good store", async () => {
    boundStoreMemory(128);
    const on = await open(["a.ttl"]);
    const before = process.memoryUsage.rss();
    const greedy = ask(on, doubling(40), everything, { ...usual, timeoutMs: 20_000 });
    await expect(greedy).rejects.toMatchObject({
      code: "too_large",
      message: expect.not.stringMatching(/unreachable|memory access/),
    });
    expect(process.memoryUsage.rss() - before).toBeLessThan(600_000_000);
    expect(cells(await ask(on, "SELECT ?s WHERE { ?s <urn:q> ?o }"))).toEqual([["urn:a"]]);
  });

  it("does so again and again, and on every thread", async () => {
    const on = await open(["a.ttl"], 2);
    const greedy = () =>
      ask(on, doubling(40), everything, { ...usual, timeoutMs: 20_000 }).catch((error: Error) => error.message);
    await Promise.all([greedy(), greedy(), greedy()]);
    const after = await Promise.all([1, 2, 3, 4].map(() => ask(on, "ASK { <urn:a> ?p ?o }")));
    expect(after.map(cells)).toEqual([[["true"]], [["true"]], [["true"]], [["true"]]]);
  });
});

describe("reasoning", () => {
  const reasoning = { ...everything, reasoning: true };
  it.each([
    ["a superclass", "ASK { <urn:tom> a <urn:Animal> }"],
    ["an inverse", "ASK { <urn:ann> <urn:owns> <urn:tom> }"],
    ["a superproperty of what was concluded", "ASK { <urn:ann> <urn:knows> <urn:tom> }"],
    ["a range of what was concluded", "ASK { <urn:tom> a <urn:Thing> }"],
  ])("concludes %s only where it is switched on", async (_, sparql) => {
    const on = await open(["schema.ttl"]);
    expect(cells(await ask(on, sparql))).toEqual([["false"]]);
    expect(cells(await ask(on, sparql, reasoning))).toEqual([["true"]]);
    expect(cells(await ask(on, sparql))).toEqual([["false"]]);
  });

  it("goes on when many datasets have asked for it", async () => {
    const more = ["m0", "m1", "m2", "m3", "m4"];
    await Promise.all(more.map((name) => writeFile(join(folder, `${name}.ttl`), `<urn:${name}> a <urn:Cat> .`)));
    const on = await open(["schema.ttl", ...more.map((name) => `${name}.ttl`)]);
    for (let subset = 0; subset < 2 ** more.length; subset += 1) {
      const shown = more.filter((_, at) => (subset >> at) % 2 === 1);
      const dataset = { ...reasoning, namedGraphs: ["urn:file:schema", ...shown.map((name) => `urn:file:${name}`)] };
      const animals = await ask(on, "SELECT ?x WHERE { ?x a <urn:Animal> } ORDER BY ?x", dataset);
      expect(cells(animals).flat()).toEqual([...shown.map((name) => `urn:${name}`), "urn:tom"]);
    }
  });

  it("concludes nothing from graphs that are not shown", async () => {
    const on = await open(["schema.ttl", "a.ttl"]);
    const narrow = { ...reasoning, namedGraphs: ["urn:file:a"] };
    await ask(on, "ASK {}", reasoning);
    expect(cells(await ask(on, "SELECT ?s WHERE { ?s a ?c }", narrow))).toEqual([]);
  });
});
