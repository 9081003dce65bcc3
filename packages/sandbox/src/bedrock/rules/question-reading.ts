import { classMentions, wantedClass } from "./classes.ts";
import type { Figure } from "./figures.ts";
import { mentionsIn, partsOf, small } from "./mentions.ts";
import { bestProperty, type FoundProperty, knownSide, linking } from "./properties.ts";
import type { KnownClass, KnownSchema } from "./schema-reading.ts";
import { unhandledIn } from "./unhandled.ts";
import { type Match, type Token, tokensOf } from "./words.ts";

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
  /** What is wanted of numbers, when the question was read without the words for it. */
  readonly figure?: Figure | undefined;
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

/** “Bob's salary”: a word after a possessive that nothing in the schema answers to. */
function unknownFact(tokens: readonly Token[], used: ReadonlySet<number>): string | undefined {
  const at = tokens.findIndex(({ lower }, index) => lower === "'s" && index > 1);
  const word = tokens[at + 1];
  return at < 0 || word === undefined || used.has(at + 1) || small.has(word.lower) ? undefined : word.written;
}

const least = new Set(["least", "first", "oldest", "earliest", "smallest", "lowest", "minimum"]);
const most = new Set(["most", "last", "newest", "latest", "largest", "biggest", "highest", "maximum", "recently"]);

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
