import { LRUCache } from "lru-cache";
import type { Connection } from "./connections.ts";
import type { Dataset, QueryCall } from "./graph/graph.ts";
import { readSchema } from "./graph/schema.ts";
import { schemaText } from "./graph/schema-text.ts";
import type { Description } from "./graph/session.ts";

/** Descriptions of datasets, kept for a while. */
export interface Schemas {
  /** What a dataset is about; read once for all who ask meanwhile. */
  of(connection: Connection, dataset: Dataset, owner: readonly string[], call: QueryCall): Promise<Description>;
}

/** Data comes and goes; a schema this old is still right enough to write queries for. */
const ttlMs = 300_000;
const maxKept = 200;
/** Counting a large database takes longer than a question may. */
const limits = { maxRows: 2_000, maxBytes: 5_000_000, timeoutMs: 30_000 };

/** Bounded; a description that could not be read is not kept. */
export function createSchemas(): Schemas {
  const kept = new LRUCache<string, Promise<Description>>({ max: maxKept, ttl: ttlMs });
  return {
    of(connection, dataset, owner, call) {
      // Where the database knows its users, each may see something else.
      const key = JSON.stringify([connection.name, dataset, connection.exchange === undefined ? [] : owner]);
      const known = kept.get(key);
      if (known !== undefined) return known;
      const reading = read(connection, dataset, call).catch((error: unknown) => {
        kept.delete(key);
        throw error;
      });
      kept.set(key, reading);
      return reading;
    },
  };

  async function read({ graph }: Connection, dataset: Dataset, call: QueryCall): Promise<Description> {
    // Not the caller's signal: others wait for the same schema.
    const shared = { ...call, signal: AbortSignal.timeout(limits.timeoutMs * 2) };
    const schema = await readSchema((text) => graph.query({ form: "select", text }, dataset, limits, shared));
    return { schema: schemaText(schema), graphs: schema.graphs };
  }
}
