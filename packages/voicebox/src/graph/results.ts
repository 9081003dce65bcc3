import { GraphError, type QueryLimits, type Table, type Term } from "./graph.ts";

interface JsonTerm {
  readonly type?: unknown;
  readonly value?: unknown;
  readonly datatype?: unknown;
  readonly "xml:lang"?: unknown;
}

/**
 * Reads SPARQL 1.1 Query Results JSON.
 * @throws GraphError `unavailable` when the text is something else
 */
export function readResultsJson(text: string, limits: QueryLimits): Table {
  const parsed = parseJson(text);
  const boolean = property(parsed, "boolean");
  if (typeof boolean === "boolean") return answerTable(boolean);
  const columns = property(property(parsed, "head"), "vars");
  const bindings = property(property(parsed, "results"), "bindings");
  if (!isTexts(columns) || !Array.isArray(bindings)) throw notResults();
  const rows = bindings
    .slice(0, limits.maxRows)
    .map((binding: unknown) => columns.map((name) => termOf(binding, name)));
  return { columns, rows, truncated: bindings.length > limits.maxRows };
}

/** The answer of ASK. */
function answerTable(answer: boolean): Table {
  const value: Term = { type: "literal", value: String(answer), datatype: "http://www.w3.org/2001/XMLSchema#boolean" };
  return { columns: ["answer"], rows: [[value]], truncated: false };
}

/** The answer of CONSTRUCT and DESCRIBE. */
export function triplesTable(triples: readonly (readonly [Term, Term, Term])[], limits: QueryLimits): Table {
  const rows = triples.slice(0, limits.maxRows);
  return { columns: ["subject", "predicate", "object"], rows, truncated: triples.length > limits.maxRows };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw notResults(error);
  }
}

function termOf(binding: unknown, name: string): Term | undefined {
  const term = property(binding, name) as JsonTerm | undefined;
  if (term === undefined) return undefined;
  if (typeof term.value !== "string") throw notResults();
  const type = term.type === "uri" || term.type === "bnode" ? term.type : "literal";
  return {
    type,
    value: term.value,
    ...(typeof term.datatype === "string" ? { datatype: term.datatype } : {}),
    ...(typeof term["xml:lang"] === "string" ? { language: term["xml:lang"] } : {}),
  };
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function notResults(cause?: unknown): GraphError {
  return new GraphError("unavailable", "The database gave an answer that is not a SPARQL result.", cause);
}
