import { type FigurePlan, figurePlanOf } from "./figure-plan.ts";
import { isDateOf, leadsToDate, leadsToNumber } from "./properties.ts";
import type { Reading } from "./question-reading.ts";
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
  | { readonly kind: "extreme"; readonly property: KnownProperty }
  | FigurePlan;

/** Undefined when the rules cannot tell what is wanted. */
export function planOf(reading: Reading, schema: KnownSchema): Plan | undefined {
  const { property, mentions, wanted, extreme } = reading;
  if (reading.figure !== undefined) return figurePlanOf(reading, schema);
  if (reading.negated) return lackingPlan(reading);
  if (extreme !== undefined && mentions.length === 0) {
    const named = [property?.property].flatMap((each) => (each !== undefined && isMeasure(each) ? each : []))[0];
    const measured = named ?? schema.properties.find((each) => isDateOf(each, wanted?.name));
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
