import type { Figure } from "./figures.ts";
import { isDateOf, leadsToDate, leadsToNumber } from "./properties.ts";
import type { Reading } from "./question-reading.ts";
import type { KnownProperty, KnownSchema } from "./schema-reading.ts";

/** Something that is measured of each thing: a number or date that it has, or how many others it has to do with. */
export interface FigurePlan {
  readonly kind: "figure";
  readonly figure: Figure;
  readonly measure: "value" | "count";
  readonly property: KnownProperty;
  /** The side of the property on which the things stand that are measured. */
  readonly side: "subject" | "object";
  /** Their class, as SPARQL writes it. */
  readonly of: string | undefined;
  /** The class of what is counted. */
  readonly counted: string | undefined;
}

/** Undefined when the question cannot be answered by a figure: then it is not one about figures. */
export function figurePlanOf(reading: Reading, schema: KnownSchema): FigurePlan | undefined {
  const { figure, negated, excluded, years, yesNo, mentions, joined } = reading;
  if (figure === undefined || negated || excluded.length > 0 || years !== undefined || yesNo) return undefined;
  if (mentions.length > 1 && joined === "or") return undefined;
  const dated =
    reading.extreme === undefined ? undefined : schema.properties.find((each) => isDateOf(each, reading.wanted?.name));
  const property = reading.property?.property ?? dated ?? onlyBetween(reading, schema);
  if (property === undefined) return undefined;
  const isValue = leadsToNumber(property) || leadsToDate(property);
  return isValue ? valuePlan(figure, property, reading) : countPlan(figure, property, reading);
}

function valuePlan(figure: Figure, property: KnownProperty, reading: Reading): FigurePlan | undefined {
  const { mentions, count, extreme, wanted, given } = reading;
  const years = leadsToDate(property);
  const of = [wanted, given].find((known) => property.pairs.some(({ from }) => from === known?.name));
  const plan: FigurePlan = {
    kind: "figure",
    figure,
    measure: "value",
    property,
    side: "subject",
    of: of?.name,
    counted: undefined,
  };
  switch (figure.kind) {
    case "compared":
      return extreme !== undefined || mentions.length > 1 || (years && !betweenYears(figure)) ? undefined : plan;
    case "summed":
      return extreme !== undefined || count || years ? undefined : plan;
    case "ranked":
      if (extreme === undefined || figure.direction !== undefined || count || mentions.length > 0) return undefined;
      return { ...plan, figure: { ...figure, direction: extreme } };
  }
}

function countPlan(figure: Figure, property: KnownProperty, reading: Reading): FigurePlan | undefined {
  const { mentions, count, extreme, wanted, given } = reading;
  if (mentions.length > 0 || extreme !== undefined || figure.kind === "summed") return undefined;
  if (figure.kind === "compared" && !figure.tests.every(({ value }) => Number.isInteger(value))) return undefined;
  if (figure.kind === "ranked" && (figure.direction === undefined || count)) return undefined;
  const side = countedFrom(property, reading);
  const ends = [...new Set(property.pairs.map(({ from, to }) => (side === "subject" ? from : to)))];
  const others = property.pairs.map(({ from, to }) => (side === "subject" ? to : from));
  if (others.some((name) => name.startsWith("xsd:"))) return undefined;
  const of =
    ends.find((name) => name === wanted?.name) ?? (wanted === undefined && ends.length === 1 ? ends[0] : undefined);
  // What is counted must be what the question names, if it names anything.
  if (of === undefined || (given !== undefined && !others.includes(given.name))) return undefined;
  return { kind: "figure", figure, measure: "count", property, side, of, counted: given?.name };
}

function countedFrom(property: KnownProperty, { property: found, wanted }: Reading): "subject" | "object" {
  if (found !== undefined) return found.known === "subject" ? "object" : "subject";
  return property.pairs.some(({ from }) => from === wanted?.name) ? "subject" : "object";
}

/** “Teams with three people”: the one property between the two classes. */
function onlyBetween({ wanted, given }: Reading, { properties }: KnownSchema): KnownProperty | undefined {
  const linking = properties.filter(
    ({ pairs, path, name }) =>
      path === name &&
      pairs.some(
        ({ from, to }) =>
          (from === wanted?.name && to === given?.name) || (from === given?.name && to === wanted?.name),
      ),
  );
  return linking.length === 1 ? linking[0] : undefined;
}

function betweenYears({ tests, between }: Extract<Figure, { kind: "compared" }>): boolean {
  return between && tests.every(({ value }) => Number.isInteger(value) && value >= 1900 && value < 2100);
}
