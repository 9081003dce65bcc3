import { parentPort, workerData } from "node:worker_threads";
import { defaultGraph, type NamedNode, namedNode, type Quad, Store, type Term } from "oxigraph";
import type { GraphFile, WorkerAnswer, WorkerJob } from "./embedded-protocol.ts";
import { forget, infer } from "./inference.ts";
import { isWritable } from "./iri.ts";
import { termOf } from "./triples.ts";

/**
 * The store and its queries, on a thread of their own: Oxigraph computes synchronously, so that only ending the
 * thread can cut a query that takes too long.
 */
const port = parentPort;
if (port === null) throw new TypeError("embedded-worker.ts is started as a worker thread, not by itself");

const store = new Store();
try {
  for (const file of (workerData as { files: readonly GraphFile[] }).files) load(file);
  port.postMessage({ ready: true, graphs: graphsOf(store) } satisfies WorkerAnswer);
} catch (error) {
  port.postMessage({ ready: false, message: messageOf(error) } satisfies WorkerAnswer);
}

port.on("message", (job: WorkerJob) => {
  port.postMessage(run(job));
});

function load({ path, format, graph, text }: GraphFile): void {
  const target = graph === undefined ? {} : { to_graph_name: namedNode(graph) };
  try {
    // Formats with graphs of their own refuse a target.
    store.load(text, { format, ...(format === "application/trig" || format === "application/n-quads" ? {} : target) });
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`);
  }
}

function graphsOf(loaded: Store): string[] {
  const found = loaded.query("SELECT DISTINCT ?g WHERE { GRAPH ?g { ?s ?p ?o } } ORDER BY ?g");
  return (found as Map<string, Term>[]).map((row) => row.get("g")?.value ?? "");
}

function run({ query, graphs, withUnnamed, reasoning, form, maxBytes, withSources }: WorkerJob): WorkerAnswer {
  try {
    const visible: NamedNode[] = (reasoning ? withInferred(graphs) : graphs).map((iri) => namedNode(iri));
    const options = { default_graph: [...(withUnnamed ? [defaultGraph()] : []), ...visible], named_graphs: visible };
    if (form === "select" || form === "ask") {
      const json = store.query(query, { ...options, results_format: "json" }) as string;
      if (json.length > maxBytes) return { tooLarge: true };
      return { json, sources: withSources && form === "select" ? sourcesOf(json, graphs) : undefined };
    }
    const triples = (store.query(query, options) as Quad[]).map(
      ({ subject, predicate, object }) => [termOf(subject), termOf(predicate), termOf(object)] as const,
    );
    const size = triples.reduce((sum, [s, p, o]) => sum + s.value.length + p.value.length + o.value.length, 0);
    return size > maxBytes ? { tooLarge: true } : { triples };
  } catch (error) {
    if (hasBrokenTheStore(error)) throw error;
    return { failed: messageOf(error) };
  }
}

/** After a trap or an exhausted stack nothing in the store can be relied on: the thread ends, and a new one loads it. */
function hasBrokenTheStore(error: unknown): boolean {
  return error instanceof RangeError || (error instanceof Error && error.name === "RuntimeError");
}

/** More things than these are looked up for nobody. */
const maxThings = 40;

function sourcesOf(json: string, graphs: readonly string[]): string[] {
  const { results } = JSON.parse(json) as { results: { bindings: Record<string, { type: string; value: string }>[] } };
  const things = new Set<string>();
  for (const row of results.bindings) {
    for (const { type, value } of Object.values(row)) if (type === "uri" && things.size < maxThings) things.add(value);
  }
  const values = [...things].filter(isWritable).map((iri) => `<${iri}>`);
  if (values.length === 0) return [];
  const query = `SELECT DISTINCT ?g WHERE { VALUES ?s { ${values.join(" ")} } GRAPH ?g { ?s ?p ?o } }`;
  return (store.query(query, { named_graphs: graphs.map((iri) => namedNode(iri)) }) as Map<string, Term>[]).map(
    (row) => row.get("g")?.value ?? "",
  );
}

/** Conclusions are drawn once per dataset, from what that dataset shows and nothing else; the oldest make room. */
const inferred = new Map<string, string>();
const maxInferred = 20;
let inferences = 0;

function withInferred(graphs: readonly string[]): readonly string[] {
  const key = graphs.toSorted().join(" ");
  const known = inferred.get(key);
  if (known !== undefined) return [...graphs, known];
  const [oldest] = inferred;
  if (oldest !== undefined && inferred.size >= maxInferred) {
    forget(store, oldest[1]);
    inferred.delete(oldest[0]);
  }
  inferences += 1;
  const name = `urn:onbehalf:inferred:${inferences}`;
  infer(store, graphs, name);
  inferred.set(key, name);
  return [...graphs, name];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
