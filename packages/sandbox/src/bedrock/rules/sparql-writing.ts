import type { Plan } from "./plan.ts";
import { leadsToDate } from "./properties.ts";
import type { Reading } from "./question-reading.ts";
import type { KnownProperty, KnownSchema } from "./schema-reading.ts";
import { figureQuery } from "./sparql-figures.ts";
import { dated, exists, named, orHaving } from "./sparql-filters.ts";

const rdfs = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>";
const xsd = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>";

/**
 * The query for a plan.
 * @param loosely also look for things by what is said of them, not only by name: slower, for when no name was found
 */
export function writeSparql(plan: Plan, reading: Reading, schema: KnownSchema, loosely = false): string {
  return `${prologueOf(schema)}\n${body(plan, reading, loosely)}`;
}

function prologueOf({ prologue }: KnownSchema): string {
  return [prologue, ...[rdfs, xsd].filter((line) => !prologue.includes(line))].join("\n");
}

function body(plan: Plan, reading: Reading, loosely: boolean): string {
  switch (plan.kind) {
    case "describe":
      return describe(reading);
    case "relation":
      return relation(plan, reading, loosely);
    case "having":
      return having(reading);
    case "lacking":
      return lacking(plan, reading);
    case "list":
      return list(reading);
    case "extreme":
      return extreme(plan.property, reading);
    case "figure":
      return figureQuery(plan, reading);
  }
}

function describe({ mentions, given, wanted }: Reading): string {
  const classes = [given ?? (wanted?.words.includes("place") ? undefined : wanted)].flatMap((known) => known ?? []);
  const kinds = classes.map(({ name }) => `?thing a ${name} . `).join("");
  return `SELECT ?thing ?name ?kind ?comment ?property ?value ?valueName
WHERE {
  ${kinds}?thing rdfs:label ?name . ${named("?name", mentions)}
  OPTIONAL { ?thing a/rdfs:label ?kind }
  OPTIONAL { ?thing rdfs:comment ?comment }
  OPTIONAL {
    ?thing ?predicate ?value . ?predicate rdfs:label ?property .
    OPTIONAL { ?value rdfs:label ?valueName }
  }
}
ORDER BY ?name ?property ?valueName`;
}

function relation(
  { property, known }: Extract<Plan, { kind: "relation" }>,
  reading: Reading,
  loosely: boolean,
): string {
  const { mentions, wanted, given, years, count } = reading;
  const lines = ["  ?subject rdfs:label ?subjectName ."];
  const kindOf = (side: "subject" | "object") => (side === known ? given : wanted);
  for (const side of ["subject", "object"] as const) {
    const kind = known === "none" && side === "object" ? undefined : kindOf(side);
    const possible = kind && property.pairs.some(({ from, to }) => (side === "subject" ? from : to) === kind.name);
    if (possible) lines.push(`  ?${side} a ${kind.name} .`);
  }
  const swapped = known === "both" && reading.property?.swapped === true;
  const subjects = swapped ? mentions.slice(-1) : mentions.slice(0, 1);
  const objects = swapped ? mentions.slice(0, 1) : mentions.slice(-1);
  const first = reading.joined === "or" ? mentions : mentions.slice(0, 1);
  lines.push(...steps(property, known, reading));
  lines.push("  OPTIONAL { ?object rdfs:label ?label }", "  BIND(COALESCE(?label, STR(?object)) AS ?objectName)");
  if (known === "subject") lines.push(`  ${named("?subjectName", first)}`);
  if (known === "object") lines.push(`  ${loosely ? orHaving("?object", first) : named("?objectName", first)}`);
  if (known === "both") lines.push(`  ${named("?subjectName", subjects)}`, `  ${named("?objectName", objects)}`);
  lines.push("  FILTER(?subject != ?object)");
  if (years !== undefined && leadsToDate(property)) lines.push(`  ${dated("?object", years)}`);
  const inner = `WHERE {\n${lines.join("\n")}\n}`;
  if (count) return `SELECT (COUNT(DISTINCT ?${countedSide(property, known, wanted)}) AS ?count)\n${inner}`;
  return `SELECT DISTINCT ?subject ?subjectName ?object ?objectName\n${inner}\nORDER BY ?subjectName ?objectName`;
}

/** One step for what is asked; one more for each further name on the same side. */
function steps({ path }: KnownProperty, known: string, reading: Reading): readonly string[] {
  const { mentions, excluded, joined } = reading;
  const first = `  ?subject ${path} ?object .`;
  const asked = known === "subject" ? "?object" : "?subject";
  const denied = excluded.flatMap((mention) => [
    exists("", path, "?given", "?holder", known, [mention]),
    exists("NOT ", path, "?not", asked, known, [mention]),
  ]);
  if (known === "both" || known === "none" || mentions.length < 2 || joined === "or") return [first, ...denied];
  const others = mentions.slice(1).map((mention, index) => {
    const other = `?other${index + 2}`;
    const step = known === "subject" ? `${other} ${path} ?object .` : `?subject ${path} ${other} .`;
    return `  ${step} ${other} rdfs:label ${other}Name . ${named(`${other}Name`, [mention])}`;
  });
  return [first, ...others, ...denied];
}

/**
 * Each denied name must be known for this very fact: else everything would lack what nobody has, and a name that is
 * not in the graph would make everybody fit.
 */
function lacking({ property, side }: Extract<Plan, { kind: "lacking" }>, { wanted, excluded, count }: Reading): string {
  const known = side === "subject" ? "object" : "subject";
  const path = property?.path ?? "(!(rdfs:label|rdfs:comment))";
  const kind = wanted?.name ?? "?kind";
  const guards = excluded.map((mention) =>
    exists("", path, "?given", "?holder", known, [mention]).replace("{ ", `{ ?holder a ${kind} . `),
  );
  const inner = `WHERE {
  ?thing a ${kind} ; rdfs:label ?name .
${[...guards, exists("NOT ", path, "?not", "?thing", known, excluded)].join("\n")}
}`;
  if (count) return `SELECT (COUNT(DISTINCT ?thing) AS ?count)\n${inner}`;
  return `SELECT DISTINCT ?thing ?name\n${inner}\nORDER BY ?name`;
}

/** Both things are in the graph, and the fact could be said of them: only then is its absence a “no”. */
export function writePossible(property: KnownProperty, reading: Reading, schema: KnownSchema): string {
  const { mentions } = reading;
  const swapped = reading.property?.swapped === true;
  const [subject = "", object = ""] = swapped ? mentions.toReversed() : mentions;
  const kinds = (side: "from" | "to") =>
    property.pairs
      .map((pair) => pair[side])
      .filter((name) => !name.startsWith("xsd:"))
      .join(" ");
  return `${prologueOf(schema)}
SELECT DISTINCT ?subject ?subjectName ?object ?objectName
WHERE {
  VALUES ?from { ${kinds("from")} } ?subject a ?from ; rdfs:label ?subjectName . ${named("?subjectName", [subject])}
  VALUES ?to { ${kinds("to")} } ?object a ?to ; rdfs:label ?objectName . ${named("?objectName", [object])}
}`;
}

/** What is asked for is what is counted. */
function countedSide({ pairs }: KnownProperty, known: string, wanted: Reading["wanted"]): "subject" | "object" {
  if (known !== "none") return known === "subject" ? "object" : "subject";
  return pairs.some(({ from }) => from === wanted?.name) ? "subject" : "object";
}

function having({ mentions, wanted, given, count }: Reading): string {
  const inner = `WHERE {
  ?thing a ${wanted?.name ?? "?kind"} ; rdfs:label ?name ; ?predicate ?value .${given === undefined ? "" : ` ?value a ${given.name} .`}
  OPTIONAL { ?value rdfs:label ?label }
  BIND(COALESCE(?label, STR(?value)) AS ?valueName)
  OPTIONAL { ?predicate rdfs:label ?property }
  FILTER(isIRI(?thing) && ?predicate != rdfs:comment && ?predicate != rdfs:label) ${named("?valueName", mentions)}
}`;
  if (count) return `SELECT (COUNT(DISTINCT ?thing) AS ?count)\n${inner}`;
  return `SELECT DISTINCT ?thing ?name ?property ?valueName\n${inner}\nORDER BY ?name`;
}

function list({ wanted, count }: Reading): string {
  const inner = `WHERE { ?thing a ${wanted?.name ?? "?kind"} ; rdfs:label ?name }`;
  if (count) return `SELECT (COUNT(DISTINCT ?thing) AS ?count)\n${inner}`;
  return `SELECT DISTINCT ?thing ?name\n${inner}\nORDER BY ?name`;
}

function extreme({ path, pairs }: KnownProperty, { wanted, extreme: direction }: Reading): string {
  const kind =
    wanted !== undefined && pairs.some(({ from }) => from === wanted.name) ? `?subject a ${wanted.name} . ` : "";
  const further = `${kind.replace("?subject", "?other")}?other rdfs:label ?otherName ; ${path} ?further`;
  // Not LIMIT 1: two may share the first place.
  return `SELECT DISTINCT ?subject ?subjectName ?object
WHERE { ${kind}?subject rdfs:label ?subjectName ; ${path} ?object
  FILTER NOT EXISTS { ${further} . FILTER(?further ${direction === "least" ? "<" : ">"} ?object) } }
ORDER BY ?subjectName`;
}
