import { readFile } from "node:fs/promises";
import { basename, extname } from "node:path";
import type { GraphFile } from "./embedded-protocol.ts";
import { type Graph, GraphError } from "./graph.ts";
import { readResultsJson, triplesTable } from "./results.ts";
import { createWorkerPool } from "./worker-pool.ts";

interface EmbeddedOptions {
  readonly database: string | undefined;
  readonly files: readonly { readonly path: string; readonly graph?: string | undefined }[];
  readonly workers: number;
}

const formats: Readonly<Record<string, string>> = {
  ".ttl": "text/turtle",
  ".nt": "application/n-triples",
  ".jsonld": "application/ld+json",
  ".trig": "application/trig",
  ".nq": "application/n-quads",
  ".rdf": "application/rdf+xml",
};

/** File name endings that an embedded database reads. */
const readableEndings: readonly string[] = Object.keys(formats);

/**
 * A database in this process, loaded from files.
 * @throws Error naming the file that cannot be read or understood, and where
 */
export async function openEmbedded({ database, files, workers }: EmbeddedOptions): Promise<Graph> {
  const pool = await createWorkerPool({ files: await Promise.all(files.map(readGraphFile)), size: workers });
  return {
    database,
    async query(query, dataset, limits, call) {
      if (dataset.database !== undefined && database !== undefined && dataset.database !== database) {
        throw new GraphError(
          "unknown_database",
          `This connection has no database ${JSON.stringify(dataset.database)}.`,
        );
      }
      const wanted = new Set(dataset.namedGraphs);
      const graphs = wanted.size === 0 ? pool.graphs : pool.graphs.filter((iri) => wanted.has(iri));
      const { reasoning } = dataset;
      const withSources = call.withSources === true;
      const seen = { graphs, withUnnamed: wanted.size === 0, reasoning };
      const job = { query: query.text, form: query.form, ...seen, withSources, maxBytes: limits.maxBytes };
      const answer = await pool.run(job, limits.timeoutMs, call.signal);
      if ("json" in answer) return { ...readResultsJson(answer.json, limits), sources: answer.sources };
      if ("triples" in answer) return triplesTable(answer.triples, limits);
      if ("failed" in answer) throw new GraphError("invalid", `The database refused the query: ${answer.failed}`);
      throw new GraphError("too_large", `The result is larger than ${limits.maxBytes} bytes; ask for less.`);
    },
    close: () => pool.close(),
  };
}

async function readGraphFile({ path, graph }: EmbeddedOptions["files"][number]): Promise<GraphFile> {
  const ending = extname(path).toLowerCase();
  const format = formats[ending];
  if (format === undefined) {
    throw new Error(`${path}: expected a file ending in ${readableEndings.join(", ")}`);
  }
  const text = await readFile(path, "utf8");
  return { path, format, text, graph: graph ?? `urn:file:${encodeURIComponent(basename(path, extname(path)))}` };
}
