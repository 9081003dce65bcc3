import type { Reply, Rule } from "../rule.ts";
import { lastQuestion } from "./dialogue.ts";
import { leadsToNumber } from "./properties.ts";
import { type KnownSchema, readSchema } from "./schema-reading.ts";
import { listOf } from "./words.ts";

const greeting =
  /^\W*(?:hi|hello|hey|thanks|thank you|good (?:morning|day|evening)|help|how are you|what can (?:i|you)|what do you know)\b/i;
const order = /^\W*(?:please )?(?:delete|remove|drop|add|create|insert|update|change|rename|set|send|write)\b/i;
const shownClasses = 6;
const shownProperties = 3;

/** What is said before, after or instead of a question. */
export const answerSmallTalk: Rule = (turn): Reply | undefined => {
  const asked = lastQuestion(turn)?.text ?? "";
  const schema = readSchema(turn.system);
  if (schema === undefined || !turn.tools.some(({ name }) => name === "run_sparql")) return undefined;
  if (order.test(asked))
    return { text: `I can only look things up; nothing can be changed from here. ${canAsk(schema)}` };
  return greeting.test(asked)
    ? { text: `Hello. I am the sandbox's stand-in, not a language model. ${canAsk(schema)}` }
    : undefined;
};

/** In the schema's own words, whatever it is about. */
export function canAsk({ classes, properties }: KnownSchema): string {
  const things = classes.flatMap(({ words }) => words[0] ?? []).slice(0, shownClasses);
  const known = properties.filter(({ words }) => words.length > 0).slice(0, shownProperties);
  const facts = known.map(({ words }) => `“${words[0]}”`);
  const number = properties.find(leadsToNumber)?.words;
  const figures =
    number === undefined
      ? ""
      : ` Things can be counted, and a “${number[1] ?? number[0]}” added up, compared and ranked: the total, more than 100, the top 3 by it.`;
  return `Ask about a ${things.slice(0, -1).join(", ")} or ${things.at(-1) ?? "thing"}: who or what it is, or what it ${listOf(facts).replace(" and ", " or ")}.${figures}`;
}
