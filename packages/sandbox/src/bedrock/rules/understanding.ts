import type { Turn } from "../rule.ts";
import { figuresIn } from "./figures.ts";
import { planOf } from "./plan.ts";
import { type Reading, readQuestion } from "./question-reading.ts";
import type { KnownSchema } from "./schema-reading.ts";
import { whoAsks } from "./who-asks.ts";

const polite = /\b(?:tell|show|give) me\b|\b(?:can|could|should) I\b/gi;
const pronouns = /(?<!\p{L})(he|she|they|him|her|them|his|their|it|its)(?!\p{L})/iu;
const persons = /(?<!\p{L})(he|she|him|her|his)(?!\p{L})/iu;
const oneself = /(?<!\p{L})(i|me|my|mine|myself)(?!\p{L})/iu;

/** As it stands; as one about numbers only when that leaves a word over. */
function read(question: string, schema: KnownSchema): Reading {
  const plain = readQuestion(question, schema);
  if (isUnderstood(plain, schema)) return plain;
  const readings = figuresIn(question).map(({ figure, rest }) => ({ ...readQuestion(rest, schema), question, figure }));
  return readings.find((reading) => isUnderstood(reading, schema)) ?? plain;
}

/** Nothing in the question is left over, and there is a plan for it. */
export function isUnderstood(reading: Reading, schema: KnownSchema): boolean {
  return reading.unknown === undefined && reading.unhandled === undefined && planOf(reading, schema) !== undefined;
}

/** “He” or “she”, who is somebody. */
export function isPersonal(question: string): boolean {
  return persons.test(question);
}

/** A pronoun that nothing in the question explains. */
export function meaningSomeone(text: string, { mentions, excluded }: Reading): string | undefined {
  // “It” and “their” may mean what stands in the same question; “he” does not mean a project.
  return (mentions.length + excluded.length === 0 ? pronouns : persons).exec(text)?.[0];
}

/**
 * “I” is the user, and “he” is whom the conversation was about.
 * @param earlier what was asked before, the newest first
 */
export function understand(question: string, turn: Turn, earlier: readonly string[], schema: KnownSchema): Reading {
  const reading = read(question, schema);
  const text = question.replace(polite, "");
  const me = oneself.test(text) ? whoAsks(turn.system)?.name : undefined;
  const other = meaningSomeone(text, reading);
  const meant = me ?? (other === undefined ? undefined : earlierMention(earlier, schema));
  if (meant === undefined) return reading;
  const replaced = text.replace(me === undefined ? pronouns : oneself, meant);
  const again = read(replaced, schema);
  return again.mentions.length + again.excluded.length > 0
    ? again
    : { ...reading, question: replaced, mentions: [meant] };
}

function earlierMention(earlier: readonly string[], schema: KnownSchema): string | undefined {
  for (const question of earlier) {
    const [mention] = readQuestion(question, schema).mentions;
    if (mention !== undefined) return mention;
  }
  return undefined;
}
