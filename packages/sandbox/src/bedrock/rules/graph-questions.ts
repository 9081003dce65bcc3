import type { Reply, Rule, Turn } from "../rule.ts";
import { type Done, doneSince, earlierQuestions, lastQuestion } from "./dialogue.ts";
import { stepTowards } from "./one-question.ts";
import { planOf } from "./plan.ts";
import type { Reading } from "./question-reading.ts";
import { type KnownSchema, readSchema } from "./schema-reading.ts";
import { canAsk } from "./small-talk.ts";
import { twoQuestions } from "./two-questions.ts";
import { isPersonal, isUnderstood, meaningSomeone, understand } from "./understanding.ts";

const standIn = "\n\n_(The sandbox's stand-in answered this by rule; it is not a language model.)_";
/** What Voicebox adds to the prompt when no more tools may be called. */
const lastTurn = /\bThis is your last turn\b/;

/**
 * Questions over a graph whose schema stands in the system prompt: the question is read by the schema's own words, a
 * query is written and run by the tool, and the answer is worded from the rows.
 */
export const answerFromGraph: Rule = (turn) => {
  if (!turn.tools.some(({ name }) => name === "run_sparql")) return undefined;
  const schema = readSchema(turn.system);
  const asked = lastQuestion(turn);
  if (schema === undefined || asked === undefined) return undefined;
  const done = doneSince(turn, asked.at);
  const earlier = earlierQuestions(turn, asked.at);
  const whole = understand(asked.text, turn, earlier, schema);
  const two = isUnderstood(whole, schema) ? undefined : twoQuestions(asked.text);
  const asks = two === undefined ? [{ text: asked.text, reading: whole }] : readBoth(two, turn, earlier, schema);
  // Half an answer may be the wrong half: a word left over in one may belong to the other.
  const declined = asks.find(({ reading }) => reading.unhandled !== undefined);
  const reply = inTurn(declined === undefined ? asks : [declined], schema, done);
  if (reply.text === undefined && lastTurn.test(turn.system))
    return { text: `I cannot look up all of this in the turns I have; ask one thing at a time.${standIn}` };
  return reply.text === undefined ? reply : { ...reply, text: reply.text + standIn };
};

interface Understood {
  readonly text: string;
  readonly reading: Reading;
}

/**
 * “It” in the second may be what the first names; “she” in “who leads it and where is she” is its answer, which is not
 * known yet.
 */
function readBoth(
  [first, second]: readonly [string, string],
  turn: Turn,
  earlier: readonly string[],
  schema: KnownSchema,
): readonly Understood[] {
  const one = understand(first, turn, earlier, schema);
  const meansAnswer = isPersonal(second) && one.property !== undefined && one.implied;
  const other = understand(second, turn, meansAnswer ? [] : [first, ...earlier], schema);
  // “And which in Go?” leaves out what the first half said.
  const torn = planOf(other, schema)?.kind === "describe" && !/\b(?:is|are|was|were)\b/i.test(second);
  const whole = torn ? { ...other, unhandled: other.unhandled ?? second.replace(/\W+$/, "") } : other;
  return [
    { text: first, reading: one },
    { text: second, reading: whole },
  ];
}

/** One question after the other; each takes of what was done what it needs for its answer. */
function inTurn(asks: readonly Understood[], schema: KnownSchema, done: readonly Done[]): Reply {
  const answers: string[] = [];
  let from = 0;
  for (const { text, reading } of asks) {
    let to = from;
    let reply = toward(reading, text, schema, []);
    while (reply.text === undefined && to < done.length) {
      to += 1;
      reply = toward(reading, text, schema, done.slice(from, to));
    }
    if (reply.text === undefined) return reply;
    answers.push(reply.text);
    from = to;
  }
  return { text: answers.join("\n\n") };
}

function toward(reading: Reading, asked: string, schema: KnownSchema, done: readonly Done[]): Reply {
  const unclear = reading.question === asked ? meaningSomeone(asked, reading) : undefined;
  if (unclear !== undefined) return { text: `I cannot tell whom or what “${unclear}” means; use the name.` };
  if (reading.unknown !== undefined)
    return { text: `The graph has no word for “${reading.unknown}”. ${canAsk(schema)}` };
  if (reading.unhandled !== undefined)
    return { text: `I have no rule for “${reading.unhandled}” in this question; try a simpler one. ${canAsk(schema)}` };
  const plan = planOf(reading, schema);
  return plan === undefined
    ? { text: `I cannot tell what is asked. ${canAsk(schema)}` }
    : stepTowards(plan, reading, schema, done);
}
