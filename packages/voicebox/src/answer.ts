import type { Table, Term } from "./graph/graph.ts";
import type { GraphDescription } from "./graph/schema.ts";
import type { Evidence } from "./tools.ts";

type ActionType = "rewritten_query" | "sparql" | "reasoning" | "csv" | "provenance";

/** Something that goes with an answer: how it was found, and what proves it. */
export interface Action {
  readonly type: ActionType;
  readonly label?: string;
  readonly value: string | Provenance;
}

export interface Provenance {
  readonly graphs: readonly {
    readonly name: string;
    readonly iri: string;
    readonly graph_type: string;
    readonly description: string | null;
    readonly types: readonly string[];
  }[];
}

/** One step of the way to the answer. */
export interface Step {
  readonly tool: string;
  /** Without queries: the one that counts is an action of its own. */
  readonly input: unknown;
  readonly outcome: "ok" | "refused";
  readonly rows: number;
}

/** As the API has it. */
export interface Answer {
  readonly result: string;
  readonly conversation_id: string;
  readonly message_id: string;
  readonly actions: readonly Action[];
}

/**
 * The actions of the evidence that the answer rests on: the last query that found something, else the last one.
 * @param complete false while the answer grows: rows and sources are not repeated in every line of a stream
 */
export function actionsOf(
  evidence: readonly Evidence[],
  steps: readonly Step[],
  provenance: Provenance | undefined,
  complete: boolean,
): readonly Action[] {
  const last = proof(evidence);
  const actions: Action[] = [];
  if (last !== undefined) {
    actions.push({ type: "rewritten_query", label: "Understood as", value: last.question });
    actions.push({ type: "sparql", label: "Query", value: last.sparql });
  }
  if (steps.length > 0) actions.push({ type: "reasoning", label: "Steps", value: JSON.stringify(steps) });
  if (complete && last?.table !== undefined) actions.push({ type: "csv", label: "Rows", value: csvOf(last.table) });
  if (provenance !== undefined) actions.push({ type: "provenance", label: "Sources", value: provenance });
  return actions;
}

export function proof(evidence: readonly Evidence[]): Evidence | undefined {
  return evidence.findLast(({ table }) => table !== undefined && table.rows.length > 0) ?? evidence.at(-1);
}

/** What is known of the graphs that the evidence comes from. */
export function provenanceOf(sources: readonly string[], described: ReadonlyMap<string, GraphDescription>): Provenance {
  return {
    graphs: sources.map((iri) => {
      const { label, comment, types = [] } = described.get(iri) ?? {};
      return {
        name: label ?? localName(iri),
        iri,
        graph_type: localName(types[0] ?? "NamedGraph"),
        description: comment ?? null,
        types,
      };
    }),
  };
}

function localName(iri: string): string {
  const name = iri.slice(Math.max(...["#", "/", ":"].map((sign) => iri.lastIndexOf(sign))) + 1);
  return name === "" ? iri : name;
}

/** SPARQL 1.1 Query Results CSV (section 3): CRLF, quotes where RFC 4180 wants them. */
export function csvOf({ columns, rows }: Table): string {
  const lines = [columns.map(field), ...rows.map((row) => row.map((term) => field(csvText(term))))];
  return lines.map((cells) => `${cells.join(",")}\r\n`).join("");
}

function csvText(term: Term | undefined): string {
  if (term === undefined) return "";
  return term.type === "bnode" ? `_:${term.value.replace(/^_:/, "")}` : term.value;
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
