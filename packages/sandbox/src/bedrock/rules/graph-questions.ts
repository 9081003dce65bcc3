import type { Reply, Rule, Turn } from "../rule.ts";
import { wordAnswer } from "./answer-wording.ts";
import { type Asked, type Done, doneSince, earlierQuestions, lastQuestion } from "./dialogue.ts";
import { type Reading, readQuestion } from "./question-reading.ts";
import { type KnownSchema, readSchema } from "./schema-reading.ts";
import { canAsk } from "./small-talk.ts";
import { type Plan, planOf, writeSparql } from "./sparql-writing.ts";
import { whoAsks } from "./who-asks.ts";
import { listOf } from "./words.ts";

const standIn = "\n\n_(The sandbox's stand-in answered this by rule; it is not a language model.)_";
const pronouns = /\b(he|she|they|him|her|them|his|their|it|its)\b/i;
const oneself = /\b(i|me|my|mine|myself)\b/i;

/**
 * Questions over a graph whose schema stands in the system prompt: the question is read by the schema's own words, a
 * query is written and run by the tool, and the answer is worded from the rows.
 */
export const answerFromGraph: Rule = (turn) => {
  if (!turn.tools.some(({ name }) => name === "run_sparql")) return undefined;
  const schema = readSchema(turn.system);
  const asked = lastQuestion(turn);
  if (schema === undefined || asked === undefined) return undefined;
  const reading = resolved(readQuestion(asked.text, schema), turn, asked, schema);
  const unclear = reading.mentions.length === 0 ? pronouns.exec(asked.text)?.[0] : undefined;
  if (unclear !== undefined) return { text: `I cannot tell whom or what “${unclear}” means; use the name.${standIn}` };
  if (reading.unknown !== undefined)
    return { text: `The graph has no word for “${reading.unknown}”. ${canAsk(schema)}${standIn}` };
  const plan = planOf(reading, schema);
  const done = doneSince(turn, asked.at);
  const queried = done.findLast(({ tool }) => tool === "run_sparql");
  if (plan === undefined) return { text: `I cannot tell what is asked. ${canAsk(schema)}${standIn}` };
  if (queried === undefined) return queryFor(plan, reading, schema);
  const tries = done.filter(({ tool }) => tool === "run_sparql").length;
  const another = plan.kind === "relation" && plan.known === "object" && !reading.count;
  if (another && tries === 1 && queried.rows.length === 0 && queried.error === undefined) {
    return queryFor(plan, reading, schema, true);
  }
  return answerTo(plan, reading, queried, done);
};

/** “I” is the user, and “he” is whom the conversation was about. */
function resolved(reading: Reading, turn: Turn, asked: Asked, schema: KnownSchema): Reading {
  if (reading.mentions.length > 0) return reading;
  const me = oneself.test(asked.text) ? whoAsks(turn.system)?.name : undefined;
  const meant = me ?? (pronouns.test(asked.text) ? earlierMention(turn, asked, schema) : undefined);
  if (meant === undefined) return reading;
  const question = asked.text.replace(me === undefined ? pronouns : oneself, meant);
  const again = readQuestion(question, schema);
  return again.mentions.length > 0 ? again : { ...reading, question, mentions: [meant] };
}

function earlierMention(turn: Turn, asked: Asked, schema: KnownSchema): string | undefined {
  for (const question of earlierQuestions(turn, asked.at)) {
    const [mention] = readQuestion(question, schema).mentions;
    if (mention !== undefined) return mention;
  }
  return undefined;
}

function queryFor(plan: Plan, reading: Reading, schema: KnownSchema, loosely = false): Reply {
  const query = writeSparql(plan, reading, schema, loosely);
  return { toolUses: [{ name: "run_sparql", input: { query, question: reading.question } }] };
}

function answerTo(plan: Plan, reading: Reading, queried: Done, done: readonly Done[]): Reply {
  if (queried.error !== undefined) return { text: `The graph could not be asked: ${queried.error}${standIn}` };
  if (queried.rows.length > 0) return { text: wordAnswer(plan, reading, queried.rows) + standIn };
  const name = listOf(reading.mentions);
  const searched = done.findLast(({ tool }) => tool === "search_labels");
  if (searched === undefined && name !== "") {
    return { toolUses: [{ name: "search_labels", input: { text: reading.mentions[0] } }] };
  }
  const found = [...new Set((searched?.rows ?? []).flatMap(({ label }) => label ?? []))];
  const what = name === "" ? "this question" : `“${name}”`;
  if (found.length === 0) return { text: `I find nothing in the graph for ${what}.${standIn}` };
  if (reading.yesNo) return { text: `No: the graph does not say so of ${listOf(found)}.${standIn}` };
  return { text: `The graph has ${listOf(found)}, but nothing that answers this.${standIn}` };
}
