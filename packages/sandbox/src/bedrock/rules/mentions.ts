import type { Match, Token } from "./words.ts";

/** A name of something, as far as rules can tell: a run of words that mean nothing to the schema. */
export interface Mention {
  readonly text: string;
  readonly at: number;
  /** One past its last token. */
  readonly end: number;
}

/** Words that carry no name; those among them that change what is asked are looked at one by one (unhandled.ts). */
export const small: ReadonlySet<string> = new Set(
  "who whom whose what which where when how many much do does did is are was were be been being the a an of in on at to for by with from and or nor but not no neither without both same together me tell about show list give all there has have had name names please can could you us any every some called named it its this that these those he she they him her them his their now currently today more than after before since between during year 's whats our my i mine myself exist exists here ask who's employed different least first oldest earliest smallest lowest most last newest latest largest biggest highest maximum minimum recently as".split(
    " ",
  ),
);
const negators = new Set(["not", "no", "neither", "without"]);

/** Names, and the first word that is neither a name nor anything else that is known. */
export function mentionsIn(
  tokens: readonly Token[],
  used: ReadonlySet<number>,
): { readonly mentions: readonly Mention[]; readonly dropped: string | undefined } {
  const left = tokens
    .map((token, at) => ({ token, at }))
    .filter(({ token, at }) => !used.has(at) && !isSmall(token, at) && !/^(?:19|20)\d\d$/.test(token.lower));
  // “Go” and “Last” may be names: the first word alone is capital for another reason.
  const capital = left.filter(({ token, at }) => isCapital(token) && (at > 0 || left.length === 1));
  const kept = capital.length > 0 ? capital : left;
  const runs: { words: string[]; at: number; end: number }[] = [];
  for (const { token, at } of kept) {
    const run = runs.at(-1);
    if (run?.end === at && !token.apart) {
      run.words.push(token.written);
      run.end = at + 1;
    } else {
      runs.push({ words: [token.written], at, end: at + 1 });
    }
  }
  const mentions = runs.map(({ words, at, end }) => ({ text: words.join(" "), at, end }));
  return { mentions, dropped: left.find((each) => !kept.includes(each))?.token.written };
}

function isCapital({ written }: Token): boolean {
  return /^\p{Lu}/u.test(written);
}

/** An “A” within a question is an initial. */
function isSmall({ written, lower }: Token, at: number): boolean {
  return small.has(lower) && !(written === "A" && at > 0);
}

/** How the names of a question hang together. */
export interface Parts {
  readonly mentions: readonly string[];
  readonly excluded: readonly string[];
  readonly joined: "and" | "or";
  readonly negated: boolean;
  readonly unhandled: string | undefined;
}

/** @param apart the names stand on the two sides of the property */
export function partsOf(
  tokens: readonly Token[],
  names: readonly Mention[],
  match: Match | undefined,
  apart: boolean,
): Parts {
  const texts = names.map(({ text }) => text);
  const plain: Parts = { mentions: texts, excluded: [], joined: "and", negated: false, unhandled: undefined };
  const denials = tokens.flatMap(({ lower }, at) => (negators.has(lower) ? [at] : []));
  const [denial] = denials;
  if (denials.length > 1) return { ...plain, unhandled: "two negations" };
  if (apart) {
    const unhandled = denial !== undefined ? tokens[denial]?.written : names.length > 2 ? listed(texts) : undefined;
    return { ...plain, unhandled };
  }
  if (denial === undefined) return { ...plain, ...joinedBy(tokens, names) };
  const before = names.filter(({ at }) => at < denial);
  const after = names.filter(({ at }) => at > denial);
  const word = tokens[denial]?.written ?? "";
  const denied =
    tokens[denial]?.lower !== "without" && (match === undefined ? before.length === 0 : denial < match.start);
  if (denied) {
    const { joined, unhandled } = joinedBy(tokens, names);
    const unclear = names.length > 1 && joined === "and" ? `${word} … and` : undefined;
    return { mentions: [], excluded: texts, joined: "or", negated: true, unhandled: unhandled ?? unclear };
  }
  if (before.length === 0 || after.length === 0 || match === undefined) return { ...plain, unhandled: word };
  const [wanted, unwanted] = [joinedBy(tokens, before), joinedBy(tokens, after)];
  const touching = between(tokens, before.at(-1), after[0]).every(
    ({ lower }) => joiners.has(lower) || negators.has(lower),
  );
  const unclear = !touching || (after.length > 1 && unwanted.joined === "and") ? word : undefined;
  return {
    mentions: before.map(({ text }) => text),
    excluded: after.map(({ text }) => text),
    joined: wanted.joined,
    negated: false,
    unhandled: wanted.unhandled ?? unwanted.unhandled ?? unclear,
  };
}

const joiners = new Set(["and", "or", "nor", "but", "the", "both", "a", "an", "in", "on"]);

/** Names are taken together only when nothing but “and” or “or” stands between them. */
function joinedBy(tokens: readonly Token[], names: readonly Mention[]): Pick<Parts, "joined" | "unhandled"> {
  const words = names.slice(1).map((name, index) => between(tokens, names[index], name));
  const lowers = new Set(words.flat().map(({ lower }) => lower));
  const or = lowers.has("or") || lowers.has("nor");
  const and = lowers.has("and");
  const foreign = [...lowers].some((lower) => !joiners.has(lower) || lower === "but");
  const unclear = names.length > 1 && (foreign || or === and);
  return { joined: or ? "or" : "and", unhandled: unclear ? listed(names.map(({ text }) => text)) : undefined };
}

function between(tokens: readonly Token[], a: Mention | undefined, b: Mention | undefined): readonly Token[] {
  return tokens.slice(a?.end ?? 0, b?.at ?? 0);
}

function listed(names: readonly string[]): string {
  return names.join("” with “");
}
