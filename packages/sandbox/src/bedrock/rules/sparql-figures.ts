import type { FigurePlan } from "./figure-plan.ts";
import type { Test } from "./figures.ts";
import { leadsToDate } from "./properties.ts";
import type { Reading } from "./question-reading.ts";
import { orHaving } from "./sparql-filters.ts";

/** The query for a plan about numbers: `?object` is the figure of each `?subject`. */
export function figureQuery(plan: FigurePlan, { mentions, count }: Reading): string {
  const { figure } = plan;
  const each = `${measured(plan, "subject", "object")}${restricted(plan, mentions)}`;
  switch (figure.kind) {
    case "compared": {
      const value = leadsToDate(plan.property) ? "YEAR(?object)" : "?object";
      const inner = `WHERE {\n  ${each}\n  FILTER(${figure.tests.map((test) => tested(value, test)).join(" && ")})\n}`;
      if (count) return `SELECT (COUNT(DISTINCT ?subject) AS ?count)\n${inner}`;
      return `SELECT DISTINCT ${shown(plan)}\n${inner}\nORDER BY DESC(?object) ?subjectName`;
    }
    case "summed": {
      const result = figure.how === "SUM" ? "SUM(?object)" : "ROUND(AVG(?object) * 100) / 100";
      return `SELECT (${result} AS ?result) (COUNT(?subject) AS ?things) (GROUP_CONCAT(?subjectName; separator=", ") AS ?names)
WHERE { { SELECT DISTINCT ?subject ?subjectName ?object
WHERE {\n  ${each}\n} ORDER BY ?subjectName } }`;
    }
    case "ranked": {
      const [better, order] = figure.direction === "least" ? ["<", "ASC"] : [">", "DESC"];
      // Not LIMIT: two may share the last place.
      return `SELECT ${shown(plan)}
WHERE {
  ${each}
  OPTIONAL { ${measured(plan, "other", "further")} FILTER(?further ${better} ?object) }
}
GROUP BY ${shown(plan)}
HAVING(COUNT(DISTINCT ?other) < ${figure.places})
ORDER BY ${order}(?object) ?subjectName`;
    }
  }
}

/** Only what is named; of several names each must have a figure, else the sum would be of fewer than it seems. */
function restricted({ property }: FigurePlan, mentions: readonly string[]): string {
  if (mentions.length === 0) return "";
  const guards = mentions.map(
    (mention) =>
      `FILTER EXISTS { ?holder rdfs:label ?holderName ; ${property.path} ?its . ${orHaving("?holder", [mention])} }`,
  );
  return `\n  ${[orHaving("?subject", mentions), ...(mentions.length > 1 ? guards : [])].join("\n  ")}`;
}

function shown({ measure }: FigurePlan): string {
  return `?subject ?subjectName ?object${measure === "count" ? " ?names" : ""}`;
}

function tested(value: string, { sign, value: bound }: Test): string {
  return `${value} ${sign} ${bound}`;
}

/** Things with their figure. Those that have to do with nothing count, too, with none. */
function measured({ measure, property, side, of, counted }: FigurePlan, thing: string, figure: string): string {
  const kind = of === undefined ? "" : `?${thing} a ${of} . `;
  if (measure === "value") return `${kind}?${thing} rdfs:label ?${thing}Name ; ${property.path} ?${figure} .`;
  const step = side === "subject" ? `?${thing} ${property.path} ?one` : `?one ${property.path} ?${thing}`;
  const ones = counted === undefined ? "" : ` ?one a ${counted} .`;
  const names = thing === "subject" ? ` (GROUP_CONCAT(DISTINCT ?oneName; separator=", ") AS ?names)` : "";
  return `{ SELECT ?${thing} ?${thing}Name (COUNT(DISTINCT ?one) AS ?${figure})${names}
  WHERE { ${kind}?${thing} rdfs:label ?${thing}Name . OPTIONAL { ${step} .${ones} ?one rdfs:label ?oneName . FILTER(?one != ?${thing}) } }
  GROUP BY ?${thing} ?${thing}Name }`;
}
