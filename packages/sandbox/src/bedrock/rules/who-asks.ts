import type { Reply, Rule, Turn } from "../rule.ts";
import { lastQuestion } from "./dialogue.ts";

/** The user as the system prompt introduces them. */
interface WhoAsks {
  readonly name: string | undefined;
  readonly email: string | undefined;
  readonly subject: string;
  readonly issuer: string;
}

const introduction = /^You speak with this user: (.*?)\. "I"/m;

/** Undefined when the prompt names nobody. */
export function whoAsks(system: string): WhoAsks | undefined {
  const facts = introduction.exec(system)?.[1];
  if (facts === undefined) return undefined;
  const fact = (name: string): string | undefined => {
    const literal = new RegExp(`\\b${name} ("(?:[^"\\\\]|\\\\.)*")`).exec(facts)?.[1];
    return literal === undefined ? undefined : String(JSON.parse(literal));
  };
  const [subject, issuer] = [fact("subject"), fact("issuer")];
  if (subject === undefined || issuer === undefined) return undefined;
  return { name: fact("name"), email: fact("email"), subject, issuer };
}

/** “Who am I?”: no graph is needed to tell somebody who they are signed in as. */
export const sayWhoAsks: Rule = (turn: Turn): Reply | undefined => {
  if (!/\bwho am i\b/i.test(lastQuestion(turn)?.text ?? "")) return undefined;
  const user = whoAsks(turn.system);
  if (user === undefined) return undefined;
  const { name, email, subject, issuer } = user;
  const mail = email === undefined ? "" : `, ${email}`;
  return { text: `You are ${name ?? subject}${mail}: subject “${subject}” of ${issuer}.` };
};
