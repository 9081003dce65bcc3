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
  | { readonly kind: "having" }
  /** Things of a class of which the graph does not say something. */
  | {
      readonly kind: "lacking";
      readonly property: KnownProperty | undefined;
      readonly side: "subject" | "object";
    }
  | { readonly kind: "list" }
  | { readonly kind: "extreme"; readonly property: KnownProperty };

/** Undefined when the rules cannot tell what is wanted. */
export function planOf(reading: Reading, schema: KnownSchema): Plan | undefined {
  const { property, mentions, wanted, extreme } = reading;
  if (reading.negated) return lackingPlan(reading);
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
  if (mentions.length === 0) return wanted === undefined || doing.test(reading.question) ? undefined : { kind: "list" };
  const asksForKind = wanted !== undefined && (!reading.implied || reading.belonging);
  // Several names and no property: one of them is enough, or nothing is certain.
  const certain = mentions.length === 1 || reading.joined === "or";
  if (asksForKind) return certain ? { kind: "having" } : undefined;
  return reading.joined === "or" && mentions.length > 1 ? undefined : { kind: "describe" };
}

/** “What do projects do?” asks for more than a list. */
const doing = /\b(?:does|did|by|for|with|from)\b|\bdo\b(?! you\b)|\b(?:has|have)\b(?! there\b)(?<!you have|we have)/i;

/** What is denied must be of a class that the question names: nothing else can be gone through. */
function lackingPlan({ property, wanted, implied, excluded }: Reading): Plan | undefined {
  if (wanted === undefined) return undefined;
  if (property === undefined)
    return implied || excluded.length === 0 ? undefined : { kind: "lacking", property, side: "subject" };
  const { pairs } = property.property;
  const fits = {
    subject: pairs.some(({ from }) => from === wanted.name),
    object: pairs.some(({ to }) => to === wanted.name),
  };
  const open = fits.subject ? "subject" : "object";
  if (property.known === "both" || (excluded.length === 0 && fits.subject && fits.object && property.swapped))
    return undefined;
  const side = excluded.length === 0 ? open : property.known === "subject" ? "object" : "subject";
  return fits[side] ? { kind: "lacking", property: property.property, side } : undefined;
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

/** Whether the thing asked for has a fact with one of the names on the other side. */
function exists(
  not: "" | "NOT ",
  path: string,
  variable: string,
  asked: string,
  known: string,
  mentions: readonly string[],
): string {
  const step = known === "subject" ? `${variable} ${path} ${asked}` : `${asked} ${path} ${variable}`;
  const label = `OPTIONAL { ${variable} rdfs:label ${variable}Label } BIND(COALESCE(${variable}Label, STR(${variable})) AS ${variable}Name)`;
  return `  FILTER ${not}EXISTS { ${step} . ${mentions.length === 0 ? "" : `${label} ${named(`${variable}Name`, mentions)}`} }`;
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
