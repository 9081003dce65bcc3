import { type Dispatcher, request } from "undici";
import { type Dataset, type Graph, GraphError, type QueryCall, type QueryLimits, type Table } from "./graph.ts";
import type { ReadQuery } from "./read-query.ts";
import { readResultsJson, triplesTable } from "./results.ts";
import { readTriples } from "./triples.ts";

interface SparqlEndpointOptions {
  /** `{database}` in it stands for the database's name. */
  readonly url: string;
  readonly database: string | undefined;
  /** The Authorization header for one call; undefined for none. */
  readonly authorization: (call: QueryCall) => Promise<string | undefined>;
  readonly dispatcher: Dispatcher;
}

const resultTypes = { json: "application/sparql-results+json", triples: "application/n-triples" } as const;
const maxShownReason = 300;

/** A database behind a SPARQL 1.1 endpoint (SPARQL 1.1 Protocol section 2.1), for example Stardog's `/{database}/query`. */
export function openSparqlEndpoint(options: SparqlEndpointOptions): Graph {
  return {
    database: options.database,
    query: (query, dataset, limits, call) => ask(options, query, dataset, limits, call),
    close: async () => {},
  };
}

async function ask(
  { url, database, authorization, dispatcher }: SparqlEndpointOptions,
  query: ReadQuery,
  dataset: Dataset,
  limits: QueryLimits,
  call: QueryCall,
): Promise<Table> {
  const isTable = query.form === "select" || query.form === "ask";
  const header = await authorization(call);
  const deadline = AbortSignal.timeout(limits.timeoutMs);
  try {
    const { statusCode, body } = await request(addressOf(url, dataset.database ?? database), {
      method: "POST",
      dispatcher,
      signal: AbortSignal.any([call.signal, deadline]),
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: isTable ? resultTypes.json : resultTypes.triples,
        ...(header === undefined ? {} : { authorization: header }),
        ...(call.traceparent === undefined ? {} : { traceparent: call.traceparent }),
      },
      body: formOf(query, dataset).toString(),
    });
    const text = await bounded(body, statusCode === 200 ? limits.maxBytes : 64_000);
    if (statusCode !== 200) throw refusal(statusCode, text);
    return isTable ? readResultsJson(text, limits) : triplesTable(await readTriples(text), limits);
  } catch (error) {
    throw graphError(error, deadline, call.signal, limits);
  }
}

function addressOf(url: string, database: string | undefined): string {
  if (!url.includes("{database}")) return url;
  if (database === undefined)
    throw new GraphError("unknown_database", "The application names no database, and the connection needs one.");
  // A path reads these two as places, encoded or not.
  if (database === "." || database === "..")
    throw new GraphError(
      "unknown_database",
      `The application names the database "${database}", and none has that name.`,
    );
  return url.replaceAll("{database}", encodeURIComponent(database));
}

/** The dataset goes beside the query, where the protocol gives it the last word (section 2.1.4). */
function formOf(query: ReadQuery, { namedGraphs, reasoning }: Dataset): URLSearchParams {
  const form = new URLSearchParams({ query: query.text });
  for (const iri of namedGraphs) {
    form.append("default-graph-uri", iri);
    form.append("named-graph-uri", iri);
  }
  if (reasoning) form.append("reasoning", "true");
  return form;
}

async function bounded(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxBytes)
      throw new GraphError("too_large", `The result is larger than ${maxBytes} bytes; ask for less.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** A bad query is explained to the one who wrote it; everything else of the server's words stays in the log. */
function refusal(status: number, text: string): GraphError {
  const cause = new Error(`the endpoint answered ${status}: ${text.slice(0, maxShownReason)}`);
  if (status === 400)
    return new GraphError("invalid", `The database refused the query: ${text.slice(0, maxShownReason)}`, cause);
  if (status === 401 || status === 403)
    return new GraphError("denied", "The database does not let this connection read.", cause);
  if (status === 404)
    return new GraphError("unknown_database", "The database of this application does not exist.", cause);
  return new GraphError("unavailable", "The database cannot be reached just now; try again in a moment.", cause);
}

function graphError(error: unknown, deadline: AbortSignal, caller: AbortSignal, { timeoutMs }: QueryLimits): unknown {
  if (error instanceof GraphError) return error;
  if (caller.aborted) return new GraphError("cancelled", "The query was given up, since nobody waits for it.", error);
  if (deadline.aborted) {
    return new GraphError(
      "too_slow",
      `The query took longer than ${Math.round(timeoutMs / 1000)} s and was stopped; ask for less.`,
      error,
    );
  }
  return new GraphError("unavailable", "The database cannot be reached just now; try again in a moment.", error);
}
