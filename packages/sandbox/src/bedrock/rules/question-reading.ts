import { type Mention, mentionsIn, partsOf, small } from "./mentions.ts";
import type { KnownClass, KnownProperty, KnownSchema } from "./schema-reading.ts";
import { unhandledIn } from "./unhandled.ts";
import { findPhrase, type Match, phraseOf, type Token, tokensOf } from "./words.ts";

/** What a question asks, as far as rules can tell. */
export interface Reading {
  readonly question: string;
  /** Names of things, as they were written. */
  readonly mentions: readonly string[];
  /** Several names: all of them, or any of them. */
  readonly joined: "and" | "or";
  /** Names that stand after a “not”. */
  readonly excluded: readonly string[];
  /** The whole fact is denied: “who does not know …”, “who has no …”. */
  readonly negated: boolean;
  /** Words that change what is asked and that no rule takes into account. */
  readonly unhandled: string | undefined;
  readonly property: FoundProperty | undefined;
  /** The class of what is asked for. */
  readonly wanted: KnownClass | undefined;
  /** That class as the question calls it. */
  readonly wantedWord: string | undefined;
  /** The class follows from “who” or “where” only. */
  readonly implied: boolean;
  /** The class of what is mentioned. */
  readonly given: KnownClass | undefined;
  readonly count: boolean;
  readonly extreme: "least" | "most" | undefined;
  readonly years: { readonly relation: "from" | "before" | "in"; readonly year: number } | undefined;
  readonly yesNo: boolean;
  /** Where something is: any property that leads to a place will do. */
  readonly where: boolean;
  /** A place or thing comes after a preposition: the question is what belongs there. */
  readonly belonging: boolean;
  /** Something asked of a thing that the schema has no word for. */
  readonly unknown: string | undefined;
}

export interface FoundProperty {
  readonly property: KnownProperty;
  /** Which side of the property what is mentioned stands on. */
  readonly known: "subject" | "object" | "both";
  /** With both sides known, what comes first in the question stands on the object's side. */
  readonly swapped: boolean;
}

/** Reads a question by the words of the schema; what is left over are names. */
export function readQuestion(question: string, schema: KnownSchema): Reading {
  const tokens = tokensOf(question);
  const asked = wantedClass(tokens, schema);
  const yesNo = /^(?:do|does|did|is|are|was|were|has|have)\b/i.test(question.trim());
  const all = classMentions(tokens, schema);
  const fitting = bestProperty(tokens, schema, asked?.class, asked !== undefined);
  const other = fitting ?? bestProperty(tokens, schema, undefined, false);
  // “Who” is most often a person, but a team may look after something too.
  const wanted = fitting === undefined && other !== undefined && asked?.implied === true ? undefined : asked;
  const matched = wanted === undefined ? other : fitting;
  const used = new Set<number>(matched === undefined ? [] : range(matched.match));
  const classes = all.filter(({ at }) => !used.has(at));
  for (const { at, length } of classes) for (let each = at; each < at + length; each += 1) used.add(each);
  const given = classes.find(({ at, class: found }) => at !== wanted?.at && found.name !== wanted?.class.name)?.class;
  const best = matched && linking(matched, tokens, schema, wanted?.class, given);
  const { mentions: names, dropped } = mentionsIn(tokens, used);
  const possessed = best !== undefined && tokens[best.match.end]?.lower === "of";
  const found = best && { ...best, possessed: possessed && names.some(({ at }) => at > best.match.end) };
  const known = found && knownSide(found, wanted?.class, given, names);
  const extreme = extremeIn(tokens, used);
  const years = yearsIn(tokens);
  const parts = partsOf(tokens, names, found?.match, known === "both");
  const where = /^where\b/i.test(question.trim()) && found === undefined;
  return {
    question,
    mentions: parts.mentions,
    joined: parts.joined,
    excluded: parts.excluded,
    negated: parts.negated,
    unhandled:
      dropped ??
      // The phrase was there, but between other things than the question names.
      (matched !== undefined && best === undefined ? tokens[matched.match.start]?.written : undefined) ??
      (/\bhow many\b/i.test(question) && found !== undefined && names.length === 0 && wanted === undefined
        ? "how many"
        : undefined) ??
      parts.unhandled ??
      unhandledIn({
        tokens,
        used,
        found,
        known,
        names,
        wanted,
        asked,
        given,
        extreme,
        years,
        yesNo,
        parts,
        where,
        possessed,
      }),
    property: found && known && { property: found.property, known, swapped: found.backwards !== found.possessed },
    wanted: wanted?.class,
    wantedWord: wanted?.word,
    implied: wanted?.implied === true,
    given,
    count: /\bhow many\b/i.test(question),
    extreme,
    years,
    where,
    belonging: tokens.some(({ lower }) => ["in", "at", "on", "from", "for"].includes(lower)),
    unknown: found === undefined ? unknownFact(tokens, used) : undefined,
    yesNo,
  };
}

/**
 * “Works in the Data team”: the phrase found leads to places, but the question says that a team is meant. The one
 * property between the two classes is taken instead, when there is exactly one.
 */
function linking(
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

export interface ClassAt {
  readonly class: KnownClass;
  readonly at: number;
  readonly length: number;
  readonly word: string;
  /** By a question word, not by the class's own name. */
  readonly implied?: boolean;
}

function classMentions(tokens: readonly Token[], schema: KnownSchema): readonly ClassAt[] {
  return schema.classes.flatMap((known) =>
    known.words.flatMap((word) => {
      const [stem, ...rest] = tokensOf(word).map((token) => token.stem);
      return tokens.flatMap((token, at): ClassAt[] =>
        token.stem === stem && rest.every((next, offset) => tokens[at + 1 + offset]?.stem === next)
          ? [{ class: known, at, length: 1 + rest.length, word: token.written }]
          : [],
      );
    }),
  );
}

/** “Which systems …”, “how many people …”, “who …”, “where …”: what kind of thing the answer is. */
function wantedClass(tokens: readonly Token[], schema: KnownSchema): ClassAt | undefined {
  const classes = classMentions(tokens, schema);
  const asking = tokens.findIndex(({ lower }) => ["which", "what", "many", "list", "all", "show"].includes(lower));
  const near = classes.find(
    ({ at }) => asking >= 0 && at > asking && at <= asking + 3 && onlySmall(tokens.slice(asking + 1, at)),
  );
  if (near !== undefined) return near;
  const implied = tokens.findIndex(({ lower }) => ["who", "whom", "where"].includes(lower));
  if (implied < 0) return undefined;
  const word = tokens[implied]?.lower === "where" ? "place" : "person";
  const meant = schema.classes.find(({ words }) => words.includes(word));
  return (
    meant && { class: meant, at: implied, length: 1, word: word === "person" ? "people" : "places", implied: true }
  );
}

function onlySmall(tokens: readonly Token[]): boolean {
  return tokens.every(({ lower }) => small.has(lower) || lower === "different");
}

/** Less than a word of the phrase itself. */
const weakest = 1;
/** A single word whose preposition is missing. */
const loose = 1;

export interface Candidate {
  readonly property: KnownProperty;
  readonly match: Match;
  readonly backwards: boolean;
}

function bestProperty(
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

/** “Bob's salary”: a word after a possessive that nothing in the schema answers to. */
function unknownFact(tokens: readonly Token[], used: ReadonlySet<number>): string | undefined {
  const at = tokens.findIndex(({ lower }, index) => lower === "'s" && index > 1);
  const word = tokens[at + 1];
  return at < 0 || word === undefined || used.has(at + 1) || small.has(word.lower) ? undefined : word.written;
}

function matches(words: readonly string[], tokens: readonly Token[]): readonly Match[] {
  return words.flatMap((word) => findPhrase(phraseOf(word), tokens) ?? []);
}

function fits({ pairs }: KnownProperty, wanted: KnownClass | undefined): boolean {
  return wanted === undefined || pairs.some(({ from, to }) => from === wanted.name || to === wanted.name);
}

export function leadsToDate({ pairs }: KnownProperty): boolean {
  return pairs.some(({ to }) => /:date(Time)?$/.test(to));
}

export function leadsToNumber({ pairs }: KnownProperty): boolean {
  return pairs.some(({ to }) => /:(integer|decimal|double|float)$/.test(to));
}

/** The classes decide; where they leave it open, what stands before the verb is its subject. */
function knownSide(
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

const least = new Set(["least", "first", "oldest", "earliest", "smallest", "lowest"]);
const most = new Set(["most", "last", "newest", "latest", "largest", "biggest", "highest", "recently"]);

function extremeIn(tokens: readonly Token[], used: ReadonlySet<number>): "least" | "most" | undefined {
  const free = tokens.filter((_, at) => !used.has(at));
  if (free.some(({ lower }) => least.has(lower))) return "least";
  return free.some(({ lower }) => most.has(lower)) ? "most" : undefined;
}

function yearsIn(tokens: readonly Token[]): Reading["years"] {
  const at = tokens.findIndex(({ lower }) => /^(19|20)\d\d$/.test(lower));
  if (at < 0) return undefined;
  const year = Number(tokens[at]?.lower);
  const word = tokens[at - 1]?.lower;
  if (word === "after") return { relation: "from", year: year + 1 };
  if (word === "since") return { relation: "from", year };
  return { relation: word === "before" ? "before" : "in", year };
}

function range({ start, end }: Match): readonly number[] {
  return Array.from({ length: end - start }, (_, offset) => start + offset);
}
