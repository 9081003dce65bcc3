import type { Row } from "./answer-wording.ts";
import type { FigurePlan } from "./figure-plan.ts";
import type { Reading } from "./question-reading.ts";
import { listOf, plural } from "./words.ts";

/** The answer to a question about numbers, put together from the rows and from nothing else. */
export function wordFigures(plan: FigurePlan, { wantedWord }: Reading, rows: readonly Row[]): string {
  const label = plan.property.words[0] ?? "has";
  const things = wantedWord ?? "things";
  const counted = rows[0]?.count;
  if (rows.length === 0 || counted === "0") return `The graph has no ${things} of which it says so.`;
  if (counted !== undefined && counted !== null) return `${counted} ${things}: of these the graph says so.`;
  if (plan.figure.kind === "summed") return wordSum(plan.figure.how, label, rows[0] ?? {});
  if (plan.measure === "value") return rows.map((row) => `${row.subjectName} ${label} ${row.object}.`).join(" ");
  return rows.map((row) => wordCounted(plan, label, row)).join(" ");
}

/** More names than these are a number. */
const maxNames = 12;

function wordSum(how: "SUM" | "AVG", label: string, { result, names, things: count }: Row): string {
  const things = namesIn(names);
  const said = things.length === 1 ? label : plural(label);
  const which = things.length > maxNames ? `${count} things` : listOf(things);
  return `${which} ${said} ${result} ${how === "SUM" ? "in total" : "on average"}.`;
}

/** “Bob Baker works on 2: Atlas and Beacon.”, “3 belong to Data: …”. */
function wordCounted({ side }: FigurePlan, label: string, { subjectName, object, names }: Row): string {
  const which = object === "0" ? "" : `: ${listOf(namesIn(names))}`;
  if (side === "subject") return `${subjectName} ${label} ${object}${which}.`;
  return `${object} ${object === "1" ? label : plural(label)} ${subjectName}${which}.`;
}

function namesIn(text: string | null | undefined): readonly string[] {
  return (text ?? "").split(", ").sort((a, b) => a.localeCompare(b, "en"));
}
