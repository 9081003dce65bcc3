import type { Dataset, Graph, QueryCall, QueryLimits, Table, Term } from "./graph.ts";
import type { ReadQuery, ReadQueryParser } from "./read-query.ts";
import { isWritable } from "./schema.ts";

/** One question's view of a database: a fixed dataset, limits and caller. */
export interface Session {
  /** The schema in words, for the model. */
  schema(): Promise<string>;
  /** @throws GraphError `invalid`, `refused` */
  parse(sparql: string): ReadQuery;
  /** @throws GraphError */
  run(query: ReadQuery): Promise<Table>;
  search(text: string): Promise<Table>;
  describe(iri: string): Promise<Table>;
  /** The graphs that say something of these things: IRI, label, comment and type. */
  sources(iris: readonly string[]): Promise<Table>;
  /** A table as the model reads it: marked as data, no longer than the limit. */
  forModel(table: Table): string;
}

export interface SessionOptions {
  readonly graph: Graph;
  readonly dataset: Dataset;
  readonly limits: QueryLimits;
  readonly call: QueryCall;
  readonly parse: ReadQueryParser;
  readonly schema: () => Promise<string>;
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
/** A word this short is in every second name. */
const minWordLength = 3;

export function createSession(options: SessionOptions): Session {
  const { graph, dataset, limits, call, maxToolCharacters } = options;
  const parse = (sparql: string): ReadQuery => options.parse(sparql, limits.maxRows);
  const run = (query: ReadQuery): Promise<Table> => graph.query(query, dataset, limits, call);
  const ask = (sparql: string): Promise<Table> => run(parse(sparql));
  return {
    schema: options.schema,
    parse,
    run,
    async search(text) {
      const whole = await ask(searchQuery([text]));
      const words = text.split(/\s+/).filter((word) => word.length >= minWordLength);
      return whole.rows.length > 0 || words.length === 0 ? whole : ask(searchQuery(words));
    },
    describe: async (iri) => (isWritable(iri) ? ask(describeQuery(iri)) : nothing),
    sources: async (iris) => {
      const writable = iris.filter(isWritable);
      return writable.length === 0 ? nothing : ask(sourcesQuery(writable));
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
  return `${labels}SELECT DISTINCT ?graph ?label ?comment ?type
WHERE {
  { SELECT DISTINCT ?graph WHERE { VALUES ?thing { ${iris.map((iri) => `<${iri}>`).join(" ")} } GRAPH ?graph { ?thing ?p ?o } } }
  OPTIONAL { ?graph rdfs:label ?label } OPTIONAL { ?graph rdfs:comment ?comment } OPTIONAL { ?graph a ?type }
} ORDER BY ?graph LIMIT ${maxFound}`;
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
