import { wordFigures } from "./figure-wording.ts";
import type { Plan } from "./plan.ts";
import type { Reading } from "./question-reading.ts";
import { listOf, plural } from "./words.ts";

/** A tool's rows, by column name; null where nothing was bound. */
export type Row = Readonly<Record<string, string | null>>;

/** The answer, put together from the rows and from nothing else. */
export function wordAnswer(plan: Plan, reading: Reading, rows: readonly Row[]): string {
  if (plan.kind === "figure") return wordFigures(plan, reading, rows);
  const counted = rows[0]?.count;
  if (reading.count && counted !== undefined && counted !== null) return wordCount(plan, reading, counted);
  switch (plan.kind) {
    case "describe":
      return [...grouped(rows, "thing").values()].map(wordThing).join("\n\n");
    case "relation":
      return wordRelation(plan, reading, rows);
    case "having":
      return wordHaving(rows);
    case "list":
      return `The graph has ${rows.length} ${reading.wantedWord ?? "things"}: ${listOf(distinct(rows, "name"))}.`;
    case "extreme":
      return rows
        .map((row) => `${cell(row, "subjectName")} ${plan.property.words[0] ?? "has"} ${cell(row, "object")}.`)
        .join(" ");
    case "lacking":
      return `${sentence(listOf(distinct(rows, "name")))}: of ${rows.length === 1 ? "this" : "these"} the graph does not say “${lackingWords(plan, reading)}”.`;
  }
}

function lackingWords({ property, side }: Extract<Plan, { kind: "lacking" }>, { excluded }: Reading): string {
  const label = property?.words[0] ?? "";
  const names = excluded.length === 0 ? "anything" : listOf(excluded, "or");
  return (side === "subject" ? `${label} ${names}` : `${names} ${label}`).trim();
}

function wordCount(plan: Plan, reading: Reading, counted: string): string {
  const { mentions, excluded, joined, wantedWord } = reading;
  const things = wantedWord ?? "things";
  const label = plan.kind === "relation" ? (plan.property.words[0] ?? "has") : "";
  const but = excluded.length === 0 ? "" : ` but not ${listOf(excluded, "or")}`;
  const names = `${listOf(mentions, joined)}${but}`;
  if (plan.kind === "lacking")
    return `${counted} ${things}: of these the graph does not say “${lackingWords(plan, reading)}”.`;
  if (plan.kind === "relation" && plan.known === "subject") return `${names} ${label} ${counted} ${things}.`;
  if (plan.kind === "relation" && plan.known === "none") return `${counted} ${things}: of these the graph says so.`;
  const verb = counted === "1" ? label : plural(label);
  if (plan.kind === "relation") return `${counted} ${things} ${verb} ${names}`.trim().concat(".");
  if (plan.kind === "having") return `${counted} ${things} fit “${names}”.`;
  return `There are ${counted} ${things}.`;
}

/** “Bob Baker is a person. Keeps … Bob Baker works on Atlas and Beacon, reports to Dana Duarte and is based in Tallinn.” */
function wordThing(rows: readonly Row[]): string {
  const name = cell(rows[0], "name");
  const kind = rows[0]?.kind;
  const comment = rows[0]?.comment;
  const facts = [...grouped(rows, "property")].flatMap(([property, of]) =>
    property === "" ? [] : [`${property} ${listOf(unique(of.map((row) => row.valueName ?? row.value ?? "")))}`],
  );
  const parts = [
    kind === null || kind === undefined ? name : `${name} is ${article(kind)} ${kind}`,
    ...(comment === null || comment === undefined ? [] : [comment.replace(/\.$/, "")]),
    ...(facts.length === 0 ? [] : [`${name} ${listOf(facts)}`]),
  ];
  return `${parts.join(". ")}.`;
}

function wordRelation(plan: Extract<Plan, { kind: "relation" }>, reading: Reading, rows: readonly Row[]): string {
  const label = plan.property.words[0] ?? "has";
  const yes = reading.yesNo ? "Yes: " : "";
  const { mentions, excluded, joined } = reading;
  const but = excluded.length === 0 ? "" : ` but not ${listOf(excluded, "or")}`;
  // What several have in common is said of all of them, not of the first.
  if (mentions.length > 1 && joined === "and" && plan.known === "object") {
    const subjects = distinct(rows, "subjectName");
    return `${yes}${listOf(subjects)} ${subjects.length === 1 ? label : plural(label)} ${listOf(mentions)}${but}.`;
  }
  if (mentions.length > 1 && joined === "and" && plan.known === "subject") {
    return `${yes}${listOf(mentions)} ${plural(label)} ${listOf(distinct(rows, "objectName"))}${but}.`;
  }
  if (plan.known === "object") {
    const lines = [...grouped(rows, "objectName")].map(([object, of]) => {
      const subjects = distinct(of, "subjectName");
      return `${listOf(subjects)} ${subjects.length === 1 ? label : plural(label)} ${object}${but}.`;
    });
    return yes + lines.join(" ");
  }
  const lines = [...grouped(rows, "subjectName")].map(
    ([subject, of]) => `${subject} ${label} ${listOf(distinct(of, "objectName"))}${but}.`,
  );
  return yes + lines.join(" ");
}

/** One sentence for each way in which things have to do with what was named. */
function wordHaving(rows: readonly Row[]): string {
  const sentences = [...grouped(rows, "property")].flatMap(([property, of]) =>
    [...grouped(of, "valueName")].map(([value, having]) => {
      const names = distinct(having, "name");
      const label = property === "" ? "has" : property;
      return `${sentence(listOf(names))} ${names.length > 1 ? plural(label) : label} ${value}.`;
    }),
  );
  return sentences.join(" ");
}

function grouped(rows: readonly Row[], column: string): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(rows, (row) => row[column] ?? "");
}

function distinct(rows: readonly Row[], column: string): readonly string[] {
  return unique(rows.map((row) => row[column] ?? ""));
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}

function cell(row: Row | undefined, column: string): string {
  return row?.[column] ?? "nothing";
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function article(noun: string): string {
  return /^[aeiou]/i.test(noun) ? "an" : "a";
}
