import type { Dataset, Graph, QueryCall, QueryLimits, Table, Term } from "./graph.ts";
import { isWritable } from "./iri.ts";
import type { ReadQuery, ReadQueryParser } from "./read-query.ts";
import type { GraphDescription } from "./schema.ts";

/*
 * The queries that are written here need no parser: nothing of a stranger's gets into them but strings and IRIs, quoted
 * and checked, and each has its limit.
 */

/** One question's view of a database: a fixed dataset, limits and caller. */
export interface Session {
  /** What the database is about. */
  description(): Promise<Description>;
  /** @throws GraphError `invalid`, `refused` */
  parse(sparql: string): ReadQuery;
  /** @throws GraphError */
  run(query: ReadQuery): Promise<Table>;
  search(text: string): Promise<Table>;
  describe(iri: string): Promise<Table>;
  /** IRIs of the graphs that say something of the things in a table. */
  sources(table: Table): Promise<readonly string[]>;
  /** A table as the model reads it: marked as data, no longer than the limit. */
  forModel(table: Table): string;
}

/** A database's schema in words, for the model, and what its graphs say of themselves. */
export interface Description {
  readonly schema: string;
  readonly graphs: ReadonlyMap<string, GraphDescription>;
}

interface SessionOptions {
  readonly graph: Graph;
  readonly dataset: Dataset;
  readonly limits: QueryLimits;
  readonly call: QueryCall;
  readonly parse: ReadQueryParser;
  readonly description: () => Promise<Description>;
  /** Characters of one tool result. */
  readonly maxToolCharacters: number;
}

const labels = `PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
PREFIX foaf: <http://xmlns.com/foaf/0.1/>
`;
const named = "?thing rdfs:label|skos:prefLabel|skos:altLabel|foaf:name ?label .";
const maxFound = 20;
const maxDescribed = 100;
const maxThings = 40;
/** A word this short is in every second name. */
const minWordLength = 3;

/** One conversation's view of one dataset, within its limits. */
export function createSession(options: SessionOptions): Session {
  const { graph, dataset, limits, call, maxToolCharacters } = options;
  const parse = (sparql: string): ReadQuery => options.parse(sparql, limits.maxRows);
  const ask = (text: string): Promise<Table> => graph.query({ form: "select", text }, dataset, limits, call);
  return {
    description: options.description,
    parse,
    run: (query) => graph.query(query, dataset, limits, { ...call, withSources: true }),
    async search(text) {
      const whole = await ask(searchQuery([text]));
      const words = text.split(/\s+/).filter((word) => word.length >= minWordLength);
      return whole.rows.length > 0 || words.length === 0 ? whole : ask(searchQuery(words));
    },
    describe: async (iri) => (isWritable(iri) ? ask(describeQuery(iri)) : nothing),
    async sources(table) {
      if (table.sources !== undefined) return table.sources;
      const iris = irisOf(table).filter(isWritable);
      if (iris.length === 0) return [];
      const { rows } = await ask(sourcesQuery(iris));
      return rows.map(([graphName]) => graphName?.value ?? "");
    },
    forModel: (table) => tableForModel(table, maxToolCharacters),
  };
}

const nothing: Table = { columns: [], rows: [], truncated: false };

function searchQuery(words: readonly string[]): string {
  const tests = words.map((word) => `CONTAINS(LCASE(STR(?label)), ${literal(word.toLowerCase())})`);
  return `${labels}SELECT DISTINCT ?thing ?label ?type
WHERE { ${named} OPTIONAL { ?thing a ?type } FILTER(${tests.join(" || ")}) }
ORDER BY ?label LIMIT ${maxFound}`;
}

function describeQuery(iri: string): string {
  return `${labels}SELECT ?direction ?property ?value ?label
WHERE {
  { <${iri}> ?property ?value . BIND("out" AS ?direction) } UNION { ?value ?property <${iri}> . BIND("in" AS ?direction) }
  OPTIONAL { ?value rdfs:label ?label }
} LIMIT ${maxDescribed}`;
}

function sourcesQuery(iris: readonly string[]): string {
  const things = iris.map((iri) => `<${iri}>`).join(" ");
  return `SELECT DISTINCT ?graph WHERE { VALUES ?thing { ${things} } GRAPH ?graph { ?thing ?p ?o } } LIMIT ${maxFound}`;
}

function irisOf({ rows }: Table): readonly string[] {
  const iris = new Set<string>();
  for (const row of rows) {
    for (const term of row) if (term?.type === "uri" && iris.size < maxThings) iris.add(term.value);
  }
  return [...iris];
}

/** A SPARQL string; JSON's escapes are SPARQL's too (grammar, ECHAR and codepoint escapes). */
function literal(text: string): string {
  return JSON.stringify(text.replaceAll(/\p{Cc}+/gu, " "));
}

/**
 * Everything stands inside JSON strings under `graph_data`, so that no value can look like the end of the result or
 * like a message of its own.
 */
function tableForModel({ columns, rows, truncated }: Table, maxCharacters: number): string {
  const shown: (string | null)[][] = [];
  let length = 0;
  for (const row of rows) {
    const cells = row.map(textOf);
    length += cells.reduce((sum, cell) => sum + (cell?.length ?? 4) + 3, 2);
    if (length > maxCharacters) break;
    shown.push(cells);
  }
  const leftOut = truncated || shown.length < rows.length;
  return JSON.stringify({
    graph_data: { columns, rows: shown, ...(leftOut ? { more_rows_were_left_out: true } : {}) },
  });
}

function textOf(term: Term | undefined): string | null {
  return term?.value ?? null;
}
