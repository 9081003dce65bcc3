import type { KnownClass, KnownProperty, KnownSchema } from "./schema-reading.ts";
import { findPhrase, type Match, phraseOf, type Token, tokensOf } from "./words.ts";

/** What a question asks, as far as rules can tell. */
export interface Reading {
  readonly question: string;
  /** Names of things, as they were written. */
  readonly mentions: readonly string[];
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
}

const small = new Set(
  "who whom whose what which where when how many much do does did is are was were be been being the a an of in on at to for by with from and or both same together me tell about show list give all there has have had name names please can could you us any every some called named it its this that these those he she they him her them his their now currently today right more recently than after before since between during year not 's whats our my exist exists here should ask about who's employed".split(
    " ",
  ),
);
const least = new Set(["least", "first", "oldest", "earliest", "smallest", "cheapest", "lowest", "longest"]);
const most = new Set(["most", "last", "newest", "latest", "largest", "biggest", "highest", "youngest", "recently"]);

/** Reads a question by the words of the schema; what is left over are names. */
export function readQuestion(question: string, schema: KnownSchema): Reading {
  const tokens = tokensOf(question);
  const asked = wantedClass(tokens, schema);
  const years = yearsIn(tokens);
  const fitting = bestProperty(tokens, schema, asked?.class);
  const other = fitting ?? bestProperty(tokens, schema, undefined);
  // “Who” is most often a person, but a team may look after something too.
  const wanted = fitting === undefined && other !== undefined && asked?.implied === true ? undefined : asked;
  const best = wanted === undefined ? other : fitting;
  const found = best && { ...best, possessed: tokens[best.match.end]?.lower === "of" };
  const used = new Set<number>(found === undefined ? [] : range(found.match));
  const classes = classMentions(tokens, schema).filter(({ at }) => !used.has(at));
  for (const { at } of classes) used.add(at);
  const extreme = extremeIn(tokens, used);
  const names = mentionsIn(tokens, used);
  const given = classes.find(({ at, class: found }) => at !== wanted?.at && found.name !== wanted?.class.name)?.class;
  return {
    question,
    mentions: names.map(({ text }) => text),
    property: found && { property: found.property, known: knownSide(found, wanted?.class, given, names) },
    wanted: wanted?.class,
    wantedWord: wanted?.word,
    implied: wanted?.implied === true,
    given,
    count: /\bhow many\b/i.test(question),
    extreme,
    years,
    where: /^where\b/i.test(question.trim()) && found === undefined,
    belonging: /\b(?:in|at|on|from|for)\b/i.test(question),
    unknown: found === undefined ? unknownFact(tokens, used) : undefined,
    yesNo: /^(?:do|does|did|is|are|was|were|has|have)\b/i.test(question.trim()),
  };
}

interface ClassAt {
  readonly class: KnownClass;
  readonly at: number;
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
          ? [{ class: known, at, word: token.written }]
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
  return meant && { class: meant, at: implied, word: word === "person" ? "people" : "places", implied: true };
}

function onlySmall(tokens: readonly Token[]): boolean {
  return tokens.every(({ lower }) => small.has(lower) || lower === "different");
}

/** Less than a word of the phrase itself. */
const weakest = 1;

interface Candidate {
  readonly property: KnownProperty;
  readonly match: Match;
  readonly backwards: boolean;
}

function bestProperty(
  tokens: readonly Token[],
  schema: KnownSchema,
  wanted: KnownClass | undefined,
): Candidate | undefined {
  const dated = tokens.some(({ lower }) => lower === "when");
  const candidates = schema.properties.flatMap((property): Candidate[] => {
    const forwards = matches(property.words, tokens).map((match) => ({ property, match, backwards: false }));
    const back = matches(property.backwards, tokens).map((match) => ({ property, match, backwards: true }));
    return [...forwards, ...back];
  });
  return candidates
    .filter(({ property }) => fits(property, wanted) && (!dated || leadsToDate(property)))
    .filter((candidate) => isSure(candidate, tokens, schema))
    .toSorted((a, b) => b.match.score - a.match.score)[0];
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

interface Mention {
  readonly text: string;
  readonly at: number;
}

/** Runs of words that mean nothing to the schema; when some are capitalised, only those. */
function mentionsIn(tokens: readonly Token[], used: ReadonlySet<number>): readonly Mention[] {
  const left = tokens
    .map((token, at) => ({ token, at }))
    .filter(
      ({ token, at }) => !used.has(at) && !small.has(token.lower) && !least.has(token.lower) && !most.has(token.lower),
    )
    .filter(({ token }) => !/^\d{4}$/.test(token.lower) && !["i", "my", "mine", "different"].includes(token.lower));
  const capital = left.filter(({ token, at }) => /^\p{Lu}/u.test(token.written) && (at > 0 || left.length === 1));
  const kept = capital.length > 0 ? capital : left;
  const runs: { words: string[]; at: number; end: number }[] = [];
  for (const { token, at } of kept) {
    const run = runs.at(-1);
    if (run?.end === at) {
      run.words.push(token.written);
      run.end = at + 1;
    } else {
      runs.push({ words: [token.written], at, end: at + 1 });
    }
  }
  return runs.map(({ words, at }) => ({ text: words.join(" "), at }));
}

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
