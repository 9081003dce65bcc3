/** One word of a question: as it was written, in lower case, and cut to its stem. */
export interface Token {
  readonly written: string;
  readonly lower: string;
  readonly stem: string;
  /** A comma stands before it. */
  readonly apart: boolean;
}

export function tokensOf(text: string): readonly Token[] {
  const spelled = text.replace(/n['’]t\b/g, " not");
  return [...spelled.matchAll(/[\p{L}\p{N}][\p{L}\p{N}\-@.]*[\p{L}\p{N}]|[\p{L}\p{N}]|['’]s\b/gu)].map(
    ({ 0: written, index }) => {
      const lower = written.toLowerCase().replace("’", "'");
      return { written, lower, stem: stemOf(lower), apart: /[,;]\s*$/.test(spelled.slice(0, index)) };
    },
  );
}

/** Crude, and alike for both sides of a comparison: “uses”, “used” and “use” meet at the same place. */
export function stemOf(word: string): string {
  if (word.length <= 2) return word;
  const bare = word
    .replace(/ies$/, "i")
    .replace(/(?<=..)y$/, "i")
    .replace(/(?<=..)(?:ing|(?<!e)ed)$/, "")
    .replace(/(?<=ch|sh|x|ss)es$/, "")
    .replace(/(?<![su])s$/, "");
  const undoubled = /([bdgmnprt])\1$/.test(bare) ? bare.slice(0, -1) : bare;
  return undoubled.replace(/(?<=..)e$/, "");
}

const prepositions = new Set(["on", "in", "with", "by", "to", "of", "at", "for", "from"]);
const fillers = new Set(["is", "are", "was", "were", "be", "has", "have", "a", "an", "the", "of", "euro"]);

/** A phrase of the schema, ready to be found: what must be there, and the small words that make it certain. */
interface Phrase {
  readonly content: readonly string[];
  readonly preposition: string | undefined;
}

export function phraseOf(text: string): Phrase {
  const words = tokensOf(text).filter(({ lower }, index) => !(index === 0 && fillers.has(lower)));
  const last = words.at(-1)?.lower;
  const preposition = words.length > 1 && last !== undefined && prepositions.has(last) ? last : undefined;
  const content = words
    .slice(0, preposition === undefined ? undefined : -1)
    .filter(({ lower }) => !fillers.has(lower))
    .map(({ stem }) => stem);
  return { content, preposition };
}

/** Where a phrase stands among the tokens. */
export interface Match {
  readonly start: number;
  /** One past the last token. */
  readonly end: number;
  readonly score: number;
}

/** Of a phrase that is a preposition and nothing else. */
const leastScore = 0.5;

/** The first place where the phrase stands, words of nothing between them allowed; undefined when it is not there. */
export function findPhrase({ content, preposition }: Phrase, tokens: readonly Token[]): Match | undefined {
  if (content.length === 0) return undefined;
  for (let start = 0; start < tokens.length; start += 1) {
    const end = endOf(content, tokens, start);
    if (end === undefined) continue;
    const exact = preposition !== undefined && tokens[end]?.lower === preposition;
    // Somebody who asks “where does she work” leaves the preposition out: possible, but less certain.
    const onlySmall = content.every((stem) => prepositions.has(stem));
    const score = onlySmall ? leastScore : content.length * 2 + (exact ? 1 : preposition === undefined ? 0.5 : -1);
    return { start, end: exact ? end + 1 : end, score };
  }
  return undefined;
}

function endOf(content: readonly string[], tokens: readonly Token[], start: number): number | undefined {
  let at = start;
  for (const stem of content) {
    while (at > start && fillers.has(tokens[at]?.lower ?? "")) at += 1;
    if (tokens[at]?.stem !== stem) return undefined;
    at += 1;
  }
  return at;
}

/** “Atlas”, “Atlas and Beacon”, “Atlas, Beacon and Quarry”. */
export function listOf(names: readonly string[], joiner: "and" | "or" = "and"): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} ${joiner} ${last}`;
}

/** “works on” said of several: “work on”. */
export function plural(label: string): string {
  const [verb = "", ...rest] = label.split(" ");
  const irregular: Readonly<Record<string, string>> = { is: "are", was: "were", has: "have", does: "do" };
  const many = irregular[verb] ?? (/[^su]s$/.test(verb) ? verb.slice(0, -1) : verb);
  return [many, ...rest].join(" ");
}
