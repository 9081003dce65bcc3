/** What a question wants of numbers. */
export type Figure =
  /** Those that are more, less or as many. */
  | { readonly kind: "compared"; readonly tests: readonly Test[]; readonly between: boolean }
  /** What all come to. */
  | { readonly kind: "summed"; readonly how: "SUM" | "AVG" }
  /** The first so many; the direction undefined where the rest of the question has the word for it. */
  | { readonly kind: "ranked"; readonly places: number; readonly direction: "least" | "most" | undefined };

export interface Test {
  readonly sign: ">" | ">=" | "<" | "<=" | "=";
  readonly value: number;
}

/** A figure, and the question without the words for it; none where they add nothing: “how many … in total”. */
interface Figured {
  readonly figure: Figure | undefined;
  readonly rest: string;
}

const numerals = "one two three four five six seven eight nine ten eleven twelve".split(" ");
const scales: Readonly<Record<string, number>> = { k: 1000, thousand: 1000, m: 1_000_000, million: 1_000_000 };
const number = String.raw`(?:€\s*)?(?:\d{1,3}(?:[ ,]\d{3})+|\d+(?:\.\d+)?)(?:[km]\b|\s+(?:thousand|million)\b)?(?:\s*€|\s+(?:euros?|eur)\b)?`;
const amount = `(${number}|\\b(?:${numerals.join("|")})\\b)`;

const signs: readonly (readonly [words: string, sign: Test["sign"]])[] = [
  ["(?:no|not) more than|at most|up to", "<="],
  ["(?:no|not) (?:less|fewer) than|at least", ">="],
  ["more than|greater than|higher than|larger than|over|above", ">"],
  ["less than|fewer than|lower than|smaller than|under|below", "<"],
  ["exactly", "="],
];
const compared = signs.map(
  ([words, sign]) => [new RegExp(`\\b(?:of )?(?:${words}) ${amount}(?![\\w.,]*\\d)`, "i"), sign] as const,
);
const orMore = new RegExp(`\\b${amount} or (more|fewer|less)\\b`, "i");
const between = new RegExp(`\\b(?:of )?(?:between ${amount} and|from ${amount} to) ${amount}`, "i");
const sums: readonly (readonly [RegExp, "SUM" | "AVG"])[] = [
  [/\b(?:in total|altogether|all together|together)\b|\b(?:total|sum|combined)\b(?: of\b)?/i, "SUM"],
  [/\bon average\b|\b(?:average|mean)\b(?: of\b)?/i, "AVG"],
];
const numberOf = /^what(?:['’]s| is) the (?:total )?number of (.+?)\W*$/i;
const few = `(\\d{1,2}|${numerals.join("|")})`;
const topBy = new RegExp(`\\btop ${few} (.+?) by (?:their )?(.+?)\\W*$`, "i");
const top = new RegExp(`\\btop ${few}\\b`, "i");
const firstFew = new RegExp(`\\b((?:which|what|who|the|list|show) )${few} (?=\\p{L})`, "iu");
const mostOf = /\bthe (most|fewest|least) (?=\p{L})/iu;

/** Every way in which a question may be about numbers, the likeliest first; each is to be tried on what is left. */
export function figuresIn(question: string): readonly Figured[] {
  return [...numbersOf(question), ...comparisons(question), ...totals(question), ...ranks(question)];
}

/** “What is the number of projects?” */
function numbersOf(question: string): readonly Figured[] {
  const things = numberOf.exec(question)?.[1];
  return things === undefined ? [] : [{ figure: undefined, rest: `How many ${things}?` }];
}

function comparisons(question: string): readonly Figured[] {
  const range = between.exec(question);
  if (range !== null) {
    const [phrase, low, from, high] = range;
    const tests = [
      { sign: ">=" as const, value: quantityOf(low ?? from) },
      { sign: "<=" as const, value: quantityOf(high) },
    ];
    return [{ figure: { kind: "compared", tests, between: true }, rest: without(question, phrase) }];
  }
  const more = orMore.exec(question);
  const found = compared.flatMap(([form, sign]) => {
    const match = form.exec(question);
    return match === null ? [] : [{ phrase: match[0], test: { sign, value: quantityOf(match[1]) } }];
  });
  if (more !== null) {
    const sign = more[2]?.toLowerCase() === "more" ? (">=" as const) : ("<=" as const);
    found.push({ phrase: more[0], test: { sign, value: quantityOf(more[1]) } });
  }
  return found.slice(0, 1).map(({ phrase, test }) => ({
    figure: { kind: "compared", tests: [test], between: false },
    rest: without(question, phrase),
  }));
}

function totals(question: string): readonly Figured[] {
  return sums.flatMap(([form, how]) => {
    const phrase = form.exec(question)?.[0];
    if (phrase === undefined) return [];
    const counted = how === "SUM" && /\bhow many\b/i.test(question);
    // “The budget of all projects” is the budget of no one thing.
    const rest = without(question, phrase).replace(/\bof (?=(?:all|the|an?)\b)/i, "for ");
    return [{ figure: counted ? undefined : { kind: "summed", how }, rest }];
  });
}

/** “The three newest systems”, “top 5 projects by budget”, “who knows the most languages”. */
function ranks(question: string): readonly Figured[] {
  const plain = question.replace(/\bcheapest\b/i, "least expensive");
  const by = topBy.exec(plain);
  if (by !== null) {
    const [, places, things, measure] = by;
    return [ranked(places, undefined, `Which ${things} have the largest ${measure}?`)];
  }
  const many = top.exec(plain) ?? firstFew.exec(plain);
  const places = many?.at(-1);
  const rest = many === null ? plain : plain.replace(many[0], many.length > 2 ? (many[1] ?? "") : "");
  const asked = /\b(?:which|what|who|list|show)\b/i.test(rest) ? rest : `Which ${rest.trim()}`;
  const named = asked.replace(/^(?:what|which|who) (?:is|are) the /i, "Which ");
  const counted = mostOf.exec(asked);
  const direction = counted?.[1]?.toLowerCase() === "most" ? "most" : "least";
  return [
    ...[asked, named].flatMap((each) => (each === question ? [] : [ranked(places, undefined, each)])),
    ...(counted === null ? [] : [ranked(places, direction, without(asked, counted[0]))]),
  ];
}

function ranked(places: string | undefined, direction: "least" | "most" | undefined, rest: string): Figured {
  return { figure: { kind: "ranked", places: places === undefined ? 1 : quantityOf(places), direction }, rest };
}

function without(question: string, phrase: string): string {
  return question.replace(phrase, " ").replace(/\s+/g, " ").trim();
}

function quantityOf(text = ""): number {
  const word = numerals.indexOf(text.toLowerCase());
  if (word >= 0) return word + 1;
  const digits = /\d[\d ,]*(?:\.\d+)?/.exec(text)?.[0].replace(/[ ,]/g, "") ?? "0";
  const scale = /(?<=\d)[km]\b|thousand|million/i.exec(text)?.[0].toLowerCase() ?? "";
  return Number(digits) * (scales[scale] ?? 1);
}
