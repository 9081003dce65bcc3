import { leadsToDate, leadsToNumber, type Reading } from "./question-reading.ts";
import type { KnownProperty, KnownSchema } from "./schema-reading.ts";

/** What a reading comes to; the wording of the answer follows it. */
export type Plan =
  | { readonly kind: "describe" }
  | {
      readonly kind: "relation";
      readonly property: KnownProperty;
      readonly known: "subject" | "object" | "both" | "none";
    }
  | { readonly kind: "having"; readonly value: string }
  | { readonly kind: "list" }
  | { readonly kind: "extreme"; readonly property: KnownProperty };

/** Undefined when the rules cannot tell what is wanted. */
export function planOf(reading: Reading, schema: KnownSchema): Plan | undefined {
  const { property, mentions, wanted, extreme } = reading;
  if (extreme !== undefined && mentions.length === 0) {
    const named = [property?.property].flatMap((each) => (each !== undefined && isMeasure(each) ? each : []))[0];
    const measured = named ?? schema.properties.find((each) => isMeasureOf(each, wanted?.name));
    if (measured !== undefined) return { kind: "extreme", property: measured };
  }
  if (reading.where && mentions.length > 0) {
    const place = placesOf(reading, schema);
    if (place !== undefined) return { kind: "relation", property: place, known: "subject" };
  }
  if (property !== undefined && mentions.length === 1 && /\bsame\b.*\bas\b/i.test(reading.question)) {
    return { kind: "relation", property: shared(property.property, reading), known: "object" };
  }
  if (property !== undefined) {
    return { kind: "relation", property: property.property, known: mentions.length === 0 ? "none" : property.known };
  }
  const [mention] = mentions;
  if (mention === undefined) return wanted === undefined ? undefined : { kind: "list" };
  const asksForKind = wanted !== undefined && (!reading.implied || reading.belonging);
  return asksForKind ? { kind: "having", value: mention } : { kind: "describe" };
}

/** “The same project as Bob”: along the property and back again. */
function shared({ name, path, pairs, words }: KnownProperty, { given }: Reading): KnownProperty {
  const label = `${words[0] ?? "has"} the same ${given?.words[0] ?? "thing"} as`;
  const ends = pairs.map(({ from }) => ({ from, to: from }));
  return { name, path: `${path}/^${path}`, pairs: ends, words: [label], backwards: [] };
}

function isMeasure(property: KnownProperty): boolean {
  return leadsToDate(property) || leadsToNumber(property);
}

/** Everything that leads to a place, as one property. */
function placesOf({ wanted }: Reading, { properties }: KnownSchema): KnownProperty | undefined {
  const leading = properties.filter(({ pairs }) => pairs.some(({ to }) => to === wanted?.name));
  const pairs = leading.flatMap((each) => each.pairs);
  const path = `(${leading.map((each) => each.path).join("|")})`;
  return leading.length === 0 ? undefined : { name: path, path, pairs, words: ["is in"], backwards: [] };
}

function isMeasureOf(property: KnownProperty, name: string | undefined): boolean {
  return leadsToDate(property) && property.pairs.some(({ from }) => from === name);
}

const rdfs = "PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>";
const xsd = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>";

/**
 * The query for a plan.
 * @param loosely also look for things by what is said of them, not only by name: slower, for when no name was found
 */
export function writeSparql(plan: Plan, reading: Reading, schema: KnownSchema, loosely = false): string {
  const prologue = [schema.prologue, ...[rdfs, xsd].filter((line) => !schema.prologue.includes(line))].join("\n");
  return `${prologue}\n${body(plan, reading, loosely)}`;
}

function body(plan: Plan, reading: Reading, loosely: boolean): string {
  switch (plan.kind) {
    case "describe":
      return describe(reading);
    case "relation":
      return relation(plan, reading, loosely);
    case "having":
      return having(plan.value, reading);
    case "list":
      return list(reading);
    case "extreme":
      return extreme(plan.property, reading);
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
  lines.push(...steps(property, known, mentions));
  lines.push("  OPTIONAL { ?object rdfs:label ?label }", "  BIND(COALESCE(?label, STR(?object)) AS ?objectName)");
  if (known === "subject") lines.push(`  ${named("?subjectName", mentions.slice(0, 1))}`);
  if (known === "object")
    lines.push(`  ${loosely ? orHaving("?object", mentions.slice(0, 1)) : named("?objectName", mentions.slice(0, 1))}`);
  if (known === "both")
    lines.push(`  ${named("?subjectName", mentions.slice(0, 1))}`, `  ${named("?objectName", mentions.slice(-1))}`);
  lines.push("  FILTER(?subject != ?object)");
  if (years !== undefined && leadsToDate(property)) lines.push(`  ${dated("?object", years)}`);
  const inner = `WHERE {\n${lines.join("\n")}\n}`;
  if (count) return `SELECT (COUNT(DISTINCT ?${known === "subject" ? "object" : "subject"}) AS ?count)\n${inner}`;
  return `SELECT DISTINCT ?subject ?subjectName ?object ?objectName\n${inner}\nORDER BY ?subjectName ?objectName`;
}

/** One step for what is asked; one more for each further name on the same side. */
function steps({ path }: KnownProperty, known: string, mentions: readonly string[]): readonly string[] {
  const first = `  ?subject ${path} ?object .`;
  if (known === "both" || known === "none" || mentions.length < 2) return [first];
  const others = mentions.slice(1).map((mention, index) => {
    const other = `?other${index + 2}`;
    const step = known === "subject" ? `${other} ${path} ?object .` : `?subject ${path} ${other} .`;
    return `  ${step} ${other} rdfs:label ${other}Name . ${named(`${other}Name`, [mention])}`;
  });
  return [first, ...others];
}

function having(value: string, { wanted, count }: Reading): string {
  const inner = `WHERE {
  ?thing a ${wanted?.name ?? "?kind"} ; rdfs:label ?name ; ?predicate ?value .
  OPTIONAL { ?value rdfs:label ?label }
  BIND(COALESCE(?label, STR(?value)) AS ?valueName)
  OPTIONAL { ?predicate rdfs:label ?property }
  FILTER(isIRI(?thing) && ?predicate != rdfs:comment && ?predicate != rdfs:label) ${named("?valueName", [value])}
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
  return `SELECT ?subject ?subjectName ?object
WHERE { ${kind}?subject rdfs:label ?subjectName ; ${path} ?object }
ORDER BY ${direction === "least" ? "ASC" : "DESC"}(?object) LIMIT 1`;
}

function named(variable: string, mentions: readonly string[]): string {
  return `FILTER(${nameTest(variable, mentions)})`;
}

/** Whole words only: Bob is not Bobby. */
function nameTest(variable: string, mentions: readonly string[]): string {
  const tests = mentions.map((mention) => {
    const word = JSON.stringify(` ${mention.toLowerCase()} `);
    return `CONTAINS(CONCAT(" ", LCASE(STR(${variable})), " "), ${word})`;
  });
  return tests.join(" || ");
}

/** A place may be meant by its country: the thing is called so, or has exactly this value. */
function orHaving(variable: string, mentions: readonly string[]): string {
  const values = mentions.map((mention) => JSON.stringify(mention.toLowerCase())).join(", ");
  const having = `EXISTS { ${variable} ?fact ?value . FILTER(isLiteral(?value) && LCASE(STR(?value)) IN (${values})) }`;
  return `FILTER(${nameTest(`${variable}Name`, mentions)} || ${having})`;
}

function dated(variable: string, { relation: how, year }: NonNullable<Reading["years"]>): string {
  const start = (of: number) => `"${of}-01-01"^^xsd:date`;
  if (how === "from") return `FILTER(${variable} >= ${start(year)})`;
  if (how === "before") return `FILTER(${variable} < ${start(year)})`;
  return `FILTER(${variable} >= ${start(year)} && ${variable} < ${start(year + 1)})`;
}
