import { z } from "zod";
import { GraphError, type Table } from "./graph/graph.ts";
import type { ReadQuery } from "./graph/read-query.ts";
import type { Session } from "./graph/session.ts";
import type { ToolCall, ToolSpec } from "./llm/turn.ts";

const text = (description: string) => z.string().trim().min(1).max(8_000).describe(description);

const inputs = {
  run_sparql: z.object({
    query: text("A SPARQL 1.1 query: SELECT, ASK, CONSTRUCT or DESCRIBE, with its PREFIX lines."),
    question: text("The user's question, rewritten so that it can be understood alone."),
  }),
  search_labels: z.object({ text: text("A name or part of a name.").max(200) }),
  describe: z.object({ iri: text("The IRI of one thing, as a query or search returned it.").max(2_000) }),
};

type ToolName = keyof typeof inputs;

const descriptions: Readonly<Record<ToolName, string>> = {
  run_sparql: "Runs a reading query on the graph and returns its rows.",
  search_labels: "Finds things in the graph by their names; use it when a query by name finds nothing.",
  describe: "Returns everything that the graph says of one thing.",
};

/** What the model may call. */
export const toolSpecs: readonly ToolSpec[] = (Object.keys(inputs) as ToolName[]).map((name) => {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(inputs[name]);
  return { name, description: descriptions[name], inputSchema };
});

/** A query that ran, with what it found: the evidence of an answer. */
export interface Evidence {
  readonly question: string;
  /** As the model wrote it. */
  readonly sparql: string;
  readonly query: ReadQuery;
  /** Undefined when the query was only checked. */
  readonly table: Table | undefined;
}

interface ToolOutcome {
  /** What the model reads. */
  readonly content: string;
  readonly failed: boolean;
  readonly rows: number;
  readonly evidence?: Evidence;
}

/** With `check`, a query is parsed and refused as always, but not run: somebody wants the query, not the answer. */
export type ToolMode = "run" | "check";

/**
 * Runs one call. What the model did wrong comes back to the model, so that it can do better.
 * @throws GraphError for what the model cannot mend: `unavailable`, `denied`, `unknown_database`, `cancelled`
 */
export async function runTool(call: ToolCall, session: Session, mode: ToolMode): Promise<ToolOutcome> {
  try {
    return await dispatch(call, session, mode);
  } catch (error) {
    if (!(error instanceof GraphError) || isBeyondTheModel(error)) throw error;
    return failure(error.message);
  }
}

async function dispatch({ name, input }: ToolCall, session: Session, mode: ToolMode): Promise<ToolOutcome> {
  switch (name) {
    case "run_sparql": {
      const parsed = inputs.run_sparql.safeParse(input);
      return parsed.success ? runSparql(parsed.data, session, mode) : failure(z.prettifyError(parsed.error));
    }
    case "search_labels": {
      const parsed = inputs.search_labels.safeParse(input);
      return parsed.success
        ? found(await session.search(parsed.data.text), session)
        : failure(z.prettifyError(parsed.error));
    }
    case "describe": {
      const parsed = inputs.describe.safeParse(input);
      return parsed.success
        ? found(await session.describe(parsed.data.iri), session)
        : failure(z.prettifyError(parsed.error));
    }
    default:
      return failure(
        `There is no tool ${JSON.stringify(name.slice(0, 60))}; there are ${Object.keys(inputs).join(", ")}.`,
      );
  }
}

async function runSparql(
  { query: sparql, question }: z.output<typeof inputs.run_sparql>,
  session: Session,
  mode: ToolMode,
): Promise<ToolOutcome> {
  const query = session.parse(sparql);
  if (mode === "check") {
    return {
      content: '{"accepted":true}',
      failed: false,
      rows: 0,
      evidence: { question, sparql, query, table: undefined },
    };
  }
  const table = await session.run(query);
  return { ...found(table, session), evidence: { question, sparql, query, table } };
}

function found(table: Table, session: Session): ToolOutcome {
  return { content: session.forModel(table), failed: false, rows: table.rows.length };
}

function failure(message: string): ToolOutcome {
  return { content: JSON.stringify({ error: message }), failed: true, rows: 0 };
}

function isBeyondTheModel({ code }: GraphError): boolean {
  return code === "unavailable" || code === "denied" || code === "unknown_database" || code === "cancelled";
}
