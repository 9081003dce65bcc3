import type { Reply } from "../rule.ts";
import { wordAnswer } from "./answer-wording.ts";
import type { Done } from "./dialogue.ts";
import type { Plan } from "./plan.ts";
import type { Reading } from "./question-reading.ts";
import type { KnownSchema } from "./schema-reading.ts";
import { writePossible, writeSparql } from "./sparql-writing.ts";
import { listOf } from "./words.ts";

/** The next step towards the answer to one question: a query, or the answer when enough was found. */
export function stepTowards(plan: Plan, reading: Reading, schema: KnownSchema, done: readonly Done[]): Reply {
  const queried = done.findLast(({ tool }) => tool === "run_sparql");
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
}

/** A count of nothing is as empty as no rows: the name may not be one of what is counted. */
function isEmpty({ rows, error }: Done, { count }: Reading): boolean {
  if (error !== undefined) return false;
  return rows.length === 0 || (count && rows[0]?.count === "0") || rows[0]?.things === "0";
}

/** “No” only of things that the graph has, and of which it could say so. */
function saidNo({ mentions }: Reading, { rows, error }: Done): Reply {
  const names = listOf([
    ...new Set(rows.flatMap(({ subjectName, objectName }) => [subjectName ?? "", objectName ?? ""])),
  ]);
  if (error === undefined && rows.length > 0) return { text: `No: the graph does not say so of ${names}.` };
  return { text: `The graph cannot tell this of “${listOf(mentions)}”.` };
}

function queryFor(plan: Plan, reading: Reading, schema: KnownSchema, loosely = false): Reply {
  const query = writeSparql(plan, reading, schema, loosely);
  return { toolUses: [{ name: "run_sparql", input: { query, question: reading.question } }] };
}

function answerTo(plan: Plan, reading: Reading, queried: Done, done: readonly Done[]): Reply {
  if (queried.error !== undefined) return { text: `The graph could not be asked: ${queried.error}` };
  const asked = [...reading.mentions, ...reading.excluded];
  // Where nothing is named, everything was looked through: that there is none is the answer.
  const told = plan.kind === "figure" && plan.figure.kind !== "summed" && asked.length === 0;
  if (told || !isEmpty(queried, reading)) return { text: wordAnswer(plan, reading, queried.rows) };
  const name = listOf(asked);
  const searched = done.findLast(({ tool }) => tool === "search_labels");
  if (searched === undefined && name !== "") {
    return { toolUses: [{ name: "search_labels", input: { text: asked[0] } }] };
  }
  const found = [...new Set((searched?.rows ?? []).flatMap(({ label }) => label ?? []))];
  const what = name === "" ? "this question" : `“${name}”`;
  if (found.length === 0) return { text: `I find nothing in the graph for ${what}.` };
  if (reading.yesNo) return { text: `The graph has ${listOf(found)}, but cannot tell this.` };
  return { text: `The graph has ${listOf(found)}, but nothing that answers this.` };
}
