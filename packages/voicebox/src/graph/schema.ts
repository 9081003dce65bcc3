import type { Table, Term } from "./graph.ts";
import { isWritable } from "./iri.ts";

/** A class that has instances in the database. */
interface SchemaClass {
  readonly iri: string;
  readonly instances: number;
}

/** A property that is used, or one that follows from others. */
export interface SchemaProperty {
  readonly iri: string;
  /** From which class to which class or datatype, the most frequent first. */
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly uses: number }[];
  /** For a property that is not stored but defined as a chain (OWL 2, section 9.2.1): the two steps. */
  readonly chain?: readonly [Step, Step];
  /** Another property that says the same the other way round. */
  readonly inverse?: string;
}

/** One step along a property, or against it. */
export interface Step {
  readonly iri: string;
  readonly backwards: boolean;
}

/** How people call a class or property. */
export interface Names {
  readonly label: string | undefined;
  readonly others: readonly string[];
  readonly comment: string | undefined;
}

/** What a dataset knows, read from the data itself. */
export interface Schema {
  readonly classes: readonly SchemaClass[];
  readonly properties: readonly SchemaProperty[];
  readonly names: ReadonlyMap<string, Names>;
  readonly graphs: ReadonlyMap<string, GraphDescription>;
}

/** What a graph says of itself. */
export interface GraphDescription {
  readonly label: string | undefined;
  readonly comment: string | undefined;
  readonly types: readonly string[];
}

export type AskTable = (sparql: string) => Promise<Table>;

const maxClasses = 40;
const maxPairs = 300;
const maxGraphs = 500;
/** A label is worth reading up to here; a longer one is not a name. */
const maxTextLength = 120;

const prologue = `PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>
PREFIX owl: <http://www.w3.org/2002/07/owl#>
PREFIX skos: <http://www.w3.org/2004/02/skos/core#>
`;
const notLanguage = (variable: string): string =>
  `FILTER(!STRSTARTS(STR(${variable}), STR(rdf:)) && !STRSTARTS(STR(${variable}), STR(rdfs:)) && !STRSTARTS(STR(${variable}), STR(owl:)) && !STRSTARTS(STR(${variable}), STR(skos:)))`;

const classesQuery = `${prologue}SELECT ?class (COUNT(DISTINCT ?thing) AS ?instances)
WHERE { ?thing a ?class . FILTER(isIRI(?class)) ${notLanguage("?class")} }
GROUP BY ?class ORDER BY DESC(?instances) ?class LIMIT ${maxClasses}`;

const propertiesQuery = `${prologue}SELECT ?property ?from ?to (COUNT(*) AS ?uses)
WHERE {
  ?thing ?property ?value ; a ?from . ${notLanguage("?property")} ${notLanguage("?from")}
  OPTIONAL { ?value a ?class . ${notLanguage("?class")} }
  BIND(IF(isLiteral(?value), DATATYPE(?value), ?class) AS ?to) FILTER(BOUND(?to))
}
GROUP BY ?property ?from ?to ORDER BY DESC(?uses) ?property LIMIT ${maxPairs}`;

const graphsQuery = `${prologue}SELECT ?graph ?label ?comment ?type
WHERE { { SELECT DISTINCT ?graph WHERE { GRAPH ?graph { ?s ?p ?o } } LIMIT ${maxGraphs} }
  OPTIONAL { ?graph rdfs:label ?label } OPTIONAL { ?graph rdfs:comment ?comment } OPTIONAL { ?graph a ?type } }
ORDER BY ?graph ?type LIMIT 2000`;

const axiomsQuery = `${prologue}SELECT ?property ?inverse ?first ?second
WHERE {
  { ?inverse owl:inverseOf ?property . FILTER(isIRI(?inverse) && isIRI(?property)) }
  UNION
  { ?property owl:propertyChainAxiom ?list .
    ?list rdf:first ?first ; rdf:rest ?rest . ?rest rdf:first ?second ; rdf:rest rdf:nil . }
} LIMIT ${maxPairs}`;

/** What the database is about, read from its data and its own descriptions. */
export async function readSchema(ask: AskTable): Promise<Schema> {
  const asked = [classesQuery, propertiesQuery, axiomsQuery, graphsQuery].map(ask);
  const [classes, pairs, axioms, graphs] = (await Promise.all(asked)) as [Table, Table, Table, Table];
  const properties = propertiesOf(pairs, axioms);
  const terms = new Set([
    ...classes.rows.map(([iri]) => iri?.value ?? ""),
    ...properties.flatMap(({ iri, inverse }) => (inverse === undefined ? [iri] : [iri, inverse])),
  ]);
  return {
    classes: classes.rows.map(([iri, n]) => ({ iri: iri?.value ?? "", instances: Number(n?.value ?? 0) })),
    properties,
    graphs: graphsOf(graphs),
    names: namesOf(terms.size === 0 ? { columns: [], rows: [], truncated: false } : await ask(namesQuery(terms))),
  };
}

function namesQuery(iris: ReadonlySet<string>): string {
  const values = [...iris].filter(isWritable).map((iri) => `<${iri}>`);
  return `${prologue}SELECT ?term ?kind ?text
WHERE { VALUES ?term { ${values.join(" ")} } VALUES ?kind { rdfs:label skos:altLabel skos:prefLabel rdfs:comment }
  ?term ?kind ?text . FILTER(isLiteral(?text) && (LANG(?text) = "" || LANGMATCHES(LANG(?text), "en"))) }
ORDER BY ?term ?kind ?text LIMIT 1000`;
}

function propertiesOf(pairs: Table, axioms: Table): SchemaProperty[] {
  const inverses = new Map<string, string>();
  const chains: (readonly [string, string, string])[] = [];
  for (const [property, inverse, first, second] of axioms.rows) {
    if (property === undefined) continue;
    if (inverse !== undefined) inverses.set(property.value, inverse.value);
    else if (first !== undefined && second !== undefined) chains.push([property.value, first.value, second.value]);
  }
  const stored = new Map<string, { from: string; to: string; uses: number }[]>();
  for (const row of pairs.rows) addPair(stored, row);
  const used = [...stored].map(([iri, found]): SchemaProperty => {
    const inverse = inverses.get(iri);
    return { iri, pairs: found, ...(inverse === undefined ? {} : { inverse }) };
  });
  return [...used, ...chains.flatMap((chain) => derived(chain, stored, inverses))];
}

function addPair(
  stored: Map<string, { from: string; to: string; uses: number }[]>,
  [property, from, to, uses]: readonly (Term | undefined)[],
): void {
  if (property === undefined || from === undefined || to === undefined) return;
  const found = stored.get(property.value) ?? [];
  found.push({ from: from.value, to: to.value, uses: Number(uses?.value ?? 0) });
  stored.set(property.value, found);
}

/** A chain is offered only when both of its steps can be walked over stored triples. */
function derived(
  [iri, first, second]: readonly [string, string, string],
  stored: ReadonlyMap<string, readonly { from: string; to: string }[]>,
  inverses: ReadonlyMap<string, string>,
): SchemaProperty[] {
  const original = new Map([...inverses].map(([property, inverse]) => [inverse, property]));
  const step = (name: string): Step | undefined => {
    if (stored.has(name)) return { iri: name, backwards: false };
    const forward = original.get(name);
    return forward !== undefined && stored.has(forward) ? { iri: forward, backwards: true } : undefined;
  };
  const [a, b] = [step(first), step(second)];
  if (a === undefined || b === undefined) return [];
  const start = stored.get(a.iri)?.[0];
  const end = stored.get(b.iri)?.[0];
  const from = a.backwards ? start?.to : start?.from;
  const to = b.backwards ? end?.from : end?.to;
  const pairs = from === undefined || to === undefined ? [] : [{ from, to, uses: 0 }];
  return [{ iri, pairs, chain: [a, b] }];
}

/** Several rows for a graph with several types. */
function graphsOf({ rows }: Table): Map<string, GraphDescription> {
  const graphs = new Map<string, GraphDescription>();
  for (const [graph, label, comment, type] of rows) {
    if (graph === undefined) continue;
    const known = graphs.get(graph.value) ?? { label: label?.value, comment: comment?.value, types: [] };
    const isNew = type !== undefined && !known.types.includes(type.value);
    graphs.set(graph.value, isNew ? { ...known, types: [...known.types, type.value] } : known);
  }
  return graphs;
}

function namesOf(table: Table): Map<string, Names> {
  const names = new Map<string, Names>();
  for (const [term, kind, text] of table.rows) {
    if (term === undefined || kind === undefined || text === undefined) continue;
    const known = names.get(term.value) ?? { label: undefined, others: [], comment: undefined };
    names.set(term.value, withName(known, kind.value, text.value.slice(0, maxTextLength)));
  }
  return names;
}

function withName(known: Names, kind: string, text: string): Names {
  if (kind.endsWith("comment")) return { ...known, comment: known.comment ?? text };
  if (kind.endsWith("altLabel") || known.label !== undefined) return { ...known, others: [...known.others, text] };
  return { ...known, label: text };
}
