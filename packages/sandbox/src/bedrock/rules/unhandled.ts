import type { ClassAt } from "./classes.ts";
import type { Mention, Parts } from "./mentions.ts";
import { type Candidate, type FoundProperty, leadsToDate, leadsToNumber } from "./properties.ts";
import type { Reading } from "./question-reading.ts";
import type { KnownClass } from "./schema-reading.ts";
import type { Token } from "./words.ts";

/** What the reading made of a question, to be held against the words that it left out. */
interface Account {
  readonly tokens: readonly Token[];
  readonly used: ReadonlySet<number>;
  readonly found: (Candidate & { readonly possessed: boolean }) | undefined;
  readonly known: FoundProperty["known"] | undefined;
  readonly names: readonly Mention[];
  readonly wanted: ClassAt | undefined;
  /** As the question word says, whether or not a property goes with it. */
  readonly asked: ClassAt | undefined;
  readonly given: KnownClass | undefined;
  readonly extreme: Reading["extreme"];
  readonly years: Reading["years"];
  readonly yesNo: boolean;
  readonly where: boolean;
  readonly parts: Parts;
  /** An “of” follows the property. */
  readonly possessed: boolean;
}

type Check = (account: Account) => string | undefined;

/** The first word that changes the meaning and that no rule has taken into account; undefined when there is none. */
export const unhandledIn: Check = (account) => {
  for (const check of checks) {
    const word = check(account);
    if (word !== undefined) return word;
  }
  return undefined;
};

/** Words that compare or gather; no rule computes with them. */
const comparing = new Set(
  "more than between together every any year least mine myself total sum average mean median percentage minus only alone except excluding besides other else nobody nothing anyone anybody anything everyone everybody everything someone somebody second third top above below over under less fewer cheapest longest youngest common per each number exactly fewest".split(
    " ",
  ),
);
const ofTime = new Set(["first", "oldest", "earliest", "last", "newest", "latest", "recently"]);
const ofSize = new Set(["smallest", "lowest", "largest", "biggest", "highest", "maximum", "minimum"]);

const free = ({ tokens, used }: Account): readonly Token[] => tokens.filter((_, at) => !used.has(at));
const has = (account: Account, ...words: readonly string[]): string | undefined =>
  free(account).find(({ lower }) => words.includes(lower))?.written;

const checks: readonly Check[] = [
  (account) =>
    account.extreme === undefined
      ? has(account, ...comparing)
      : has(account, ...[...comparing].filter((each) => each !== "least")),
  howElse,
  timeWords,
  extremes,
  sameness,
  sides,
  // “A but B” says something else than “A and B”.
  (account) => (account.parts.excluded.length === 0 ? has(account, "but") : undefined),
  (account) => (account.parts.joined === "or" || account.parts.negated ? undefined : has(account, "or", "nor")),
  (account) => (account.names.length > 1 ? undefined : has(account, "both", "and", "or", "nor")),
  ({ tokens }) =>
    tokens.filter(({ lower }) => lower === "'s").length > 1 && tokens[1]?.lower !== "'s" ? "'s … 's" : undefined,
  ({ possessed, found }) => (possessed && found?.possessed === false ? "of" : undefined),
  ({ yesNo, known, parts }) =>
    yesNo &&
    (known === undefined ||
      parts.negated ||
      parts.excluded.length > 0 ||
      (parts.joined === "or" && parts.mentions.length > 1))
      ? "yes or no"
      : undefined,
];

/** “How many”, and “how much” of a number; not “how long” or “why”. */
function howElse({ tokens, found }: Account): string | undefined {
  const at = tokens.findIndex(({ lower }) => lower === "how");
  const next = tokens[at + 1]?.lower;
  if (at < 0 || next === "many") return undefined;
  return next === "much" && found !== undefined && leadsToNumber(found.property)
    ? undefined
    : `how ${next ?? ""}`.trim();
}

/** A year counts only for a date, alone, and after a word that says how. */
function timeWords(account: Account): string | undefined {
  const { tokens, found, used, years } = account;
  const dated = found !== undefined && leadsToDate(found.property);
  if (has(account, "when") !== undefined && !dated) return "when";
  const at = tokens.findIndex(({ lower }) => /^(19|20)\d\d$/.test(lower));
  const word = tokens[at - 1]?.lower ?? "";
  const more = tokens.filter(({ lower }) => /^\d/.test(lower)).length > 1;
  const said = ["in", "during", "after", "before", "since"].includes(word);
  if (years !== undefined && (account.parts.negated || !dated || more || !said)) return `${word} ${years.year}`.trim();
  return tokens.find(
    ({ lower }, index) =>
      ["after", "before", "since", "during"].includes(lower) && !used.has(index) && index !== at - 1,
  )?.written;
}

/** The most of what? Only of a number or date that the question names, or of the only date there is. */
function extremes(account: Account): string | undefined {
  const { extreme, found, names, wanted, years, yesNo, tokens, parts } = account;
  if (extreme === undefined) return undefined;
  const word = has(account, ...ofTime, ...ofSize, "most", "least") ?? extreme;
  const odd =
    names.length > 0 ||
    years !== undefined ||
    yesNo ||
    parts.negated ||
    tokens.some(({ lower }) => lower === "many" || lower === "both");
  if (odd) return word;
  if (found === undefined) {
    const aged = word === "oldest" && wanted?.class.words.includes("person") === true;
    return wanted !== undefined && ofTime.has(word) && !aged ? undefined : word;
  }
  const dated = leadsToDate(found.property);
  if (ofTime.has(word) || has(account, "recently") !== undefined) return dated ? undefined : word;
  return leadsToNumber(found.property) ? undefined : word;
}

function sameness(account: Account): string | undefined {
  const { tokens, found, parts } = account;
  const same = tokens.findIndex(({ lower }) => lower === "same");
  const as = tokens.findIndex(({ lower }, at) => lower === "as" && !account.used.has(at));
  if (same < 0) return as < 0 ? undefined : "as";
  const fine = as > same && found !== undefined && parts.mentions.length === 1 && parts.excluded.length === 0;
  return fine && !parts.negated && !account.yesNo ? undefined : "same";
}

/** The question word and the property must go together, and so must the order of the words. */
function sides({ found, known, asked, wanted, names, tokens, parts }: Account): string | undefined {
  if (found === undefined) return undefined;
  const verb = tokens
    .slice(found.match.start, found.match.end)
    .map(({ written }) => written)
    .join(" ");
  const asks = tokens[asked?.at ?? -1]?.lower;
  const ends = found.property.pairs.map((pair) => (known === "subject" ? pair.to : pair.from));
  const literal = ends.every((end) => end.startsWith("xsd:"));
  if (asked?.implied === true && wanted === undefined && (literal || asks === "where")) return `${asks} … ${verb}`;
  if (wanted === undefined || wanted.implied === true || found.possessed || wanted.at > found.match.start)
    return undefined;
  const first = names[0];
  if (first === undefined || first.at < found.match.start || literal || tokens[first.at - 1]?.lower === "by")
    return undefined;
  if (parts.mentions.length === 0) return undefined;
  return known === (found.backwards ? "object" : "subject") ? verb : undefined;
}
