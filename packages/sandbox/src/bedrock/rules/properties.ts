import { classMentions } from "./classes.ts";
import type { Mention } from "./mentions.ts";
import type { KnownClass, KnownProperty, KnownSchema } from "./schema-reading.ts";
import { findPhrase, type Match, phraseOf, type Token } from "./words.ts";

/** A property, and how the question's names stand to it. */
export interface FoundProperty {
  readonly property: KnownProperty;
  /** Which side of the property what is mentioned stands on. */
  readonly known: "subject" | "object" | "both";
  /** With both sides known, what comes first in the question stands on the object's side. */
  readonly swapped: boolean;
}

/** Less than a word of the phrase itself. */
const weakest = 1;
/** A single word whose preposition is missing. */
const loose = 1;

/** A property whose words stand in the question. */
export interface Candidate {
  readonly property: KnownProperty;
  readonly match: Match;
  readonly backwards: boolean;
}

/** The property whose words fit best, among those that touch what is wanted. */
export function bestProperty(
  tokens: readonly Token[],
  schema: KnownSchema,
  wanted: KnownClass | undefined,
  loosely: boolean,
): Candidate | undefined {
  const dated = tokens.some(({ lower }) => lower === "when");
  const candidates = schema.properties.flatMap((property): Candidate[] => {
    const forwards = matches(property.words, tokens).map((match) => ({ property, match, backwards: false }));
    const back = matches(property.backwards, tokens).map((match) => ({ property, match, backwards: true }));
    return [...forwards, ...back];
  });
  return (
    candidates
      .filter(({ property }) => fits(property, wanted) && (!dated || leadsToDate(property)))
      .filter((candidate) => isSure(candidate, tokens, schema))
      // Without its preposition a phrase may mean something else: “who runs it” is not “where does it run”.
      .filter(({ match }) => loosely || match.score !== loose)
      .toSorted((a, b) => b.match.score - a.match.score)[0]
  );
}

/** A preposition alone (“who is in …”) names a property only when a class says which. */
function isSure({ match, property }: Candidate, tokens: readonly Token[], schema: KnownSchema): boolean {
  if (match.score >= weakest) return true;
  return classMentions(tokens, schema).some(({ class: known }) => property.pairs.some(({ to }) => to === known.name));
}

/**
 * “Works in the Data team”: the phrase found leads to places, but the question says that a team is meant. The one
 * property between the two classes is taken instead, when there is exactly one.
 */
export function linking(
  candidate: Candidate,
  tokens: readonly Token[],
  schema: KnownSchema,
  wanted: KnownClass | undefined,
  given: KnownClass | undefined,
): Candidate | undefined {
  const touches = ({ pairs }: KnownProperty, known: KnownClass) =>
    pairs.some(({ from, to }) => from === known.name || to === known.name);
  if (given === undefined || touches(candidate.property, given)) return candidate;
  const last = tokens[candidate.match.end - 1]?.lower ?? "";
  const between = schema.properties.filter(
    (each) => each.path === each.name && touches(each, given) && wanted !== undefined && touches(each, wanted),
  );
  const [only] = between;
  const belongs = ["in", "on", "at", "for"].includes(last) && between.length === 1 && only !== undefined;
  return belongs ? { ...candidate, property: only, backwards: false } : undefined;
}

/** The classes decide; where they leave it open, what stands before the verb is its subject. */
export function knownSide(
  { property, match, backwards, possessed }: Candidate & { readonly possessed: boolean },
  wanted: KnownClass | undefined,
  given: KnownClass | undefined,
  names: readonly Mention[],
): FoundProperty["known"] {
  // “The manager of Bob” is Bob's manager: what follows “of” comes first.
  const before = possessed ? names : names.filter(({ at }) => at < match.start);
  const after = possessed ? [] : names.filter(({ at }) => at >= match.start);
  const isFrom = (known: KnownClass | undefined) =>
    known !== undefined && property.pairs.some(({ from }) => from === known.name);
  const isTo = (known: KnownClass | undefined) =>
    known !== undefined && property.pairs.some(({ to }) => to === known.name);
  if (wanted === undefined && before.length > 0 && after.length > 0) return "both";
  if (isTo(wanted) && !isFrom(wanted)) return "subject";
  if (isFrom(wanted) && !isTo(wanted)) return "object";
  if (wanted === undefined && given !== undefined && isFrom(given) !== isTo(given))
    return isFrom(given) ? "subject" : "object";
  if (wanted === undefined)
    return property.pairs.every(({ to }) => to.startsWith("xsd:")) ? "subject" : sideByOrder(before, backwards);
  // A possessive names the subject of a noun: “Bob's manager”.
  return sideByOrder(before, backwards);
}

function sideByOrder(before: readonly Mention[], backwards: boolean): "subject" | "object" {
  return before.length > 0 !== backwards ? "subject" : "object";
}

function matches(words: readonly string[], tokens: readonly Token[]): readonly Match[] {
  return words.flatMap((word) => findPhrase(phraseOf(word), tokens) ?? []);
}

function fits({ pairs }: KnownProperty, wanted: KnownClass | undefined): boolean {
  return wanted === undefined || pairs.some(({ from, to }) => from === wanted.name || to === wanted.name);
}

/** Its values are dates. */
export function leadsToDate({ pairs }: KnownProperty): boolean {
  return pairs.some(({ to }) => /:date(Time)?$/.test(to));
}

/** Its values are numbers. */
export function leadsToNumber({ pairs }: KnownProperty): boolean {
  return pairs.some(({ to }) => /:(integer|decimal|double|float)$/.test(to));
}

/** A date of the things of a class: what makes them new or old. */
export function isDateOf(property: KnownProperty, className: string | undefined): boolean {
  return leadsToDate(property) && property.pairs.some(({ from }) => from === className);
}
