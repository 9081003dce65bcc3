import { Generator } from "@traqula/generator-sparql-1-1";
import { Parser } from "@traqula/parser-sparql-1-1";
import type { Query, SparqlQuery } from "@traqula/rules-sparql-1-1";
import { LRUCache } from "lru-cache";
import { GraphError } from "./graph.ts";

/** A query that was parsed and found to read only, written out again from what was understood. */
export interface ReadQuery {
  readonly form: "select" | "ask" | "construct" | "describe";
  /** With the row limit in it. What runs is this text: no second parser gets to understand the first text otherwise. */
  readonly text: string;
}

/** Takes queries that only read, and bounds their rows. */
export type ReadQueryParser = (text: string, maxRows: number) => ReadQuery;

/** Longer than any question needs, short enough for the parser not to be the attack. */
const maxLength = 8_000;
const maxDepth = 40;
/** The parser's time grows with the square of a list's length; a thousand words cost some 60 ms of everybody's time. */
const maxWords = 1_000;
const word = /"[^"]*"|<[^<>\s]*>|[\p{L}\p{N}_:?$@.]+|[^\s\p{L}\p{N}_]/gu;
/** A model asks much the same queries again and again; parsing one costs half a millisecond. */
const keptQueries = 500;

/** Functions that only compute: casts of XML Schema and the XPath ones. Databases hang file and code access on others. */
const harmlessFunctions = ["http://www.w3.org/2001/XMLSchema#", "http://www.w3.org/2005/xpath-functions#"];

/** @returns a parser that throws GraphError `invalid` or `refused`, in words that help to write a better query */
export function createReadQueryParser(): ReadQueryParser {
  const parser = new Parser();
  const generator = new Generator();
  const kept = new LRUCache<string, ReadQuery>({ max: keptQueries });
  return (text, maxRows) => {
    const key = `${maxRows}:${text}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    checkSize(text);
    const read = understood(parser, generator, text, maxRows);
    kept.set(key, read);
    return read;
  };
}

function checkSize(text: string): void {
  if (text.trim() === "") throw new GraphError("invalid", "The query is empty.");
  if (text.length > maxLength) {
    throw new GraphError("refused", `The query is longer than ${maxLength} characters; ask for less at once.`);
  }
  if ((text.match(word)?.length ?? 0) > maxWords) {
    throw new GraphError("refused", `The query has more than ${maxWords} words and signs; ask for less at once.`);
  }
  let depth = 0;
  for (const character of text) {
    if (character === "{" || character === "(" || character === "[") depth += 1;
    else if (character === "}" || character === ")" || character === "]") depth -= 1;
    if (depth > maxDepth) throw new GraphError("refused", `The query is nested more than ${maxDepth} levels deep.`);
  }
}

/** Parsed, judged and written again; whatever any of the three stumbles over is the query's own fault. */
function understood(parser: Parser, generator: Generator, text: string, maxRows: number): ReadQuery {
  try {
    const query = onlyReads(parser.parse(text));
    return { form: query.subType, text: generator.generate(limited(query, maxRows)) };
  } catch (error) {
    if (error instanceof GraphError) throw error;
    if (error instanceof RangeError) throw new GraphError("refused", "The query is nested too deep.", error);
    const reason = error instanceof Error ? error.message.slice(0, 300) : "unknown";
    throw new GraphError("invalid", `This is not a SPARQL 1.1 query: ${reason}`, error);
  }
}

function onlyReads(parsed: SparqlQuery): Query {
  if (parsed.type !== "query") {
    throw new GraphError("refused", "Updates are not possible here: only SELECT, ASK, CONSTRUCT and DESCRIBE.");
  }
  if (parsed.datasets.clauses.length > 0) {
    throw new GraphError("refused", "FROM is not possible here: the application decides which graphs are read.");
  }
  visit(parsed, refuseWhatReachesOut);
  return parsed;
}

interface Node {
  readonly type?: unknown;
  readonly subType?: unknown;
  readonly function?: unknown;
}

function refuseWhatReachesOut(node: Node, prefixes: ReadonlyMap<string, string>): void {
  if (node.type === "pattern" && node.subType === "service") {
    throw new GraphError("refused", "SERVICE is not possible here: only this database is read.");
  }
  if (node.type === "expression" && node.subType === "functionCall") {
    const name = iriOf(node.function, prefixes);
    if (!harmlessFunctions.some((start) => name.startsWith(start))) {
      throw new GraphError("refused", `The function <${name}> is not possible here: only SPARQL's own functions are.`);
    }
  }
}

function iriOf(term: unknown, prefixes: ReadonlyMap<string, string>): string {
  const { value, prefix } = term as { readonly value: string; readonly prefix?: string };
  return prefix === undefined ? value : `${prefixes.get(prefix) ?? ""}${value}`;
}

/** Walks the whole tree, whatever it consists of, so that a pattern hidden in a filter or subquery is seen too. */
function visit(query: Query, see: (node: Node, prefixes: ReadonlyMap<string, string>) => void): void {
  const prefixes = new Map<string, string>();
  for (const definition of query.context) {
    if (definition.subType === "prefix") prefixes.set(definition.key, definition.value.value);
  }
  const waiting: unknown[] = [query];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (node === null || typeof node !== "object") continue;
    if (!Array.isArray(node)) see(node, prefixes);
    for (const inner of Object.values(node)) if (inner !== undefined) waiting.push(inner);
  }
}

/** One row more than allowed is asked for: its presence says that rows were left out. */
function limited(query: Query, maxRows: number): Query {
  if (query.subType === "ask") return query;
  const given = query.solutionModifiers.limitOffset;
  const limit = Math.min(given?.limit ?? Number.POSITIVE_INFINITY, maxRows + 1);
  const limitOffset = {
    ...(given ?? {
      type: "solutionModifier" as const,
      subType: "limitOffset" as const,
      loc: query.loc,
      offset: undefined,
    }),
    limit,
  };
  return { ...query, solutionModifiers: { ...query.solutionModifiers, limitOffset } };
}
