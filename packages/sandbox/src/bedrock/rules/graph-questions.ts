import type { Reply, Rule, Turn } from "../rule.ts";
import { wordAnswer } from "./answer-wording.ts";
import { type Asked, type Done, doneSince, earlierQuestions, lastQuestion } from "./dialogue.ts";
import { type Plan, planOf } from "./plan.ts";
import { type Reading, readQuestion } from "./question-reading.ts";
import { type KnownSchema, readSchema } from "./schema-reading.ts";
import { canAsk } from "./small-talk.ts";
import { writePossible, writeSparql } from "./sparql-writing.ts";
import { whoAsks } from "./who-asks.ts";
import { listOf } from "./words.ts";

const standIn = "\n\n_(The sandbox's stand-in answered this by rule; it is not a language model.)_";
const polite = /\b(?:tell|show|give) me\b|\b(?:can|could|should) I\b/gi;
const pronouns = /(?<!\p{L})(he|she|they|him|her|them|his|their|it|its)(?!\p{L})/iu;
const persons = /(?<!\p{L})(he|she|him|her|his)(?!\p{L})/iu;
const oneself = /(?<!\p{L})(i|me|my|mine|myself)(?!\p{L})/iu;

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
  const unclear = reading.question === asked.text ? meaningSomeone(asked.text, reading) : undefined;
  if (unclear !== undefined) return { text: `I cannot tell whom or what “${unclear}” means; use the name.${standIn}` };
  if (reading.unknown !== undefined)
    return { text: `The graph has no word for “${reading.unknown}”. ${canAsk(schema)}${standIn}` };
  if (reading.unhandled !== undefined)
    return {
      text: `I have no rule for “${reading.unhandled}” in this question; try a simpler one. ${canAsk(schema)}${standIn}`,
    };
  const plan = planOf(reading, schema);
  const done = doneSince(turn, asked.at);
  const queried = done.findLast(({ tool }) => tool === "run_sparql");
  if (plan === undefined) return { text: `I cannot tell what is asked. ${canAsk(schema)}${standIn}` };
  if (queried === undefined) return queryFor(plan, reading, schema);
  const tries = done.filter(({ tool }) => tool === "run_sparql").length;
  const another = plan.kind === "relation" && plan.known === "object";
  if (another && tries === 1 && isEmpty(queried, reading)) return queryFor(plan, reading, schema, true);
  const sides = plan.kind === "relation" && plan.known === "both" && reading.yesNo;
  if (!sides) return answerTo(plan, reading, queried, done);
  if (tries > 1) return saidNo(reading, queried);
  if (!isEmpty(queried, reading)) return answerTo(plan, reading, queried, done);
  const query = writePossible(plan.property, reading, schema);
  return { toolUses: [{ name: "run_sparql", input: { query, question: reading.question } }] };
};

/** A count of nothing is as empty as no rows: the name may not be one of what is counted. */
function isEmpty({ rows, error }: Done, { count }: Reading): boolean {
  return error === undefined && (rows.length === 0 || (count && rows[0]?.count === "0"));
}

/** “No” only of things that the graph has, and of which it could say so. */
function saidNo({ mentions }: Reading, { rows, error }: Done): Reply {
  const names = listOf([
    ...new Set(rows.flatMap(({ subjectName, objectName }) => [subjectName ?? "", objectName ?? ""])),
  ]);
  if (error === undefined && rows.length > 0) return { text: `No: the graph does not say so of ${names}.${standIn}` };
  return { text: `The graph cannot tell this of “${listOf(mentions)}”.${standIn}` };
}

function meaningSomeone(text: string, { mentions, excluded }: Reading): string | undefined {
  // “It” and “their” may mean what stands in the same question; “he” does not mean a project.
  return (mentions.length + excluded.length === 0 ? pronouns : persons).exec(text)?.[0];
}

/** “I” is the user, and “he” is whom the conversation was about. */
function resolved(reading: Reading, turn: Turn, asked: Asked, schema: KnownSchema): Reading {
  const text = asked.text.replace(polite, "");
  const me = oneself.test(text) ? whoAsks(turn.system)?.name : undefined;
  const other = meaningSomeone(text, reading);
  const meant = me ?? (other === undefined ? undefined : earlierMention(turn, asked, schema));
  if (meant === undefined) return reading;
  const question = text.replace(me === undefined ? pronouns : oneself, meant);
  const again = readQuestion(question, schema);
  return again.mentions.length + again.excluded.length > 0 ? again : { ...reading, question, mentions: [meant] };
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
  if (!isEmpty(queried, reading)) return { text: wordAnswer(plan, reading, queried.rows) + standIn };
  const asked = [...reading.mentions, ...reading.excluded];
  const name = listOf(asked);
  const searched = done.findLast(({ tool }) => tool === "search_labels");
  if (searched === undefined && name !== "") {
    return { toolUses: [{ name: "search_labels", input: { text: asked[0] } }] };
  }
  const found = [...new Set((searched?.rows ?? []).flatMap(({ label }) => label ?? []))];
  const what = name === "" ? "this question" : `“${name}”`;
  if (found.length === 0) return { text: `I find nothing in the graph for ${what}.${standIn}` };
  if (reading.yesNo) return { text: `The graph has ${listOf(found)}, but cannot tell this.${standIn}` };
  return { text: `The graph has ${listOf(found)}, but nothing that answers this.${standIn}` };
}
