import type { Reading } from "./question-reading.ts";

/** Only what is called so. */
export function named(variable: string, mentions: readonly string[]): string {
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
export function orHaving(variable: string, mentions: readonly string[]): string {
  const values = mentions.map((mention) => JSON.stringify(mention.toLowerCase())).join(", ");
  const having = `EXISTS { ${variable} ?fact ?value . FILTER(isLiteral(?value) && LCASE(STR(?value)) IN (${values})) }`;
  return `FILTER(${nameTest(`${variable}Name`, mentions)} || ${having})`;
}

/** Only dates of the year, or from or before it. */
export function dated(variable: string, { relation: how, year }: NonNullable<Reading["years"]>): string {
  const start = (of: number) => `"${of}-01-01"^^xsd:date`;
  if (how === "from") return `FILTER(${variable} >= ${start(year)})`;
  if (how === "before") return `FILTER(${variable} < ${start(year)})`;
  return `FILTER(${variable} >= ${start(year)} && ${variable} < ${start(year + 1)})`;
}

/** Whether the thing asked for has a fact with one of the names on the other side. */
export function exists(
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
