import { small } from "./mentions.ts";
import type { KnownClass, KnownSchema } from "./schema-reading.ts";
import { type Token, tokensOf } from "./words.ts";

/** A class that a question names, and where. */
export interface ClassAt {
  readonly class: KnownClass;
  readonly at: number;
  readonly length: number;
  readonly word: string;
  /** By a question word, not by the class's own name. */
  readonly implied?: boolean;
}

/** Every place where a class stands by one of its names. */
export function classMentions(tokens: readonly Token[], schema: KnownSchema): readonly ClassAt[] {
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
export function wantedClass(tokens: readonly Token[], schema: KnownSchema): ClassAt | undefined {
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
