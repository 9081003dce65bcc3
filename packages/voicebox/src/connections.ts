import { ConfigError, HttpError } from "@onbehalf/service-kit";
import type { Dispatcher } from "undici";
import { openEmbedded } from "./graph/embedded.ts";
import { type Graph, GraphError, type QueryLimits } from "./graph/graph.ts";
import { openSparqlEndpoint } from "./graph/sparql.ts";
import type { ConnectionConfig, VbxConfig } from "./vbx-config.ts";

/** A configured database, open. */
export interface Connection {
  readonly name: string;
  readonly graph: Graph;
  readonly limits: QueryLimits;
  /** The further exchange that the database wants for each user. */
  readonly exchange: { readonly audience: string | undefined; readonly scope: string | undefined } | undefined;
}

/** A connection as those see it who set up applications: nothing of where it leads or with which credential. */
interface ListedConnection {
  readonly name: string;
  readonly description: string | null;
  /** Used by an application that names none. */
  readonly default: boolean;
}

/** The databases that questions may be asked of. */
export interface Connections {
  list(): readonly ListedConnection[];
  /** @throws HttpError 404 for a name that is not configured */
  find(name: string | undefined): Connection;
  close(): Promise<void>;
}

/** @throws ConfigError naming each connection that cannot be opened */
export async function openConnections(config: VbxConfig, dispatcher: Dispatcher): Promise<Connections> {
  const names = Object.keys(config.connections);
  const opened = await Promise.allSettled(names.map((name) => open(name, config.connections[name], dispatcher)));
  const connections = new Map<string, Connection>();
  const problems: { name: string; problem: string }[] = [];
  for (const [index, result] of opened.entries()) {
    const name = names[index] ?? "";
    if (result.status === "fulfilled") connections.set(name, result.value);
    else problems.push({ name: `connections.${name}`, problem: messageOf(result.reason) });
  }
  const close = async (): Promise<void> => {
    await Promise.all([...connections.values()].map(({ graph }) => graph.close()));
  };
  if (problems.length > 0) {
    await close();
    throw new ConfigError(problems);
  }
  const fallback = config.default_connection ?? names[0];
  const listed = names.map((name) => ({
    name,
    description: config.connections[name]?.description ?? null,
    default: name === fallback,
  }));
  return { list: () => listed, find: (name) => found(connections.get(name ?? fallback ?? ""), name), close };
}

function found(connection: Connection | undefined, name: string | undefined): Connection {
  if (connection !== undefined) return connection;
  const message =
    name === undefined
      ? "No database is connected to this service."
      : `The application's connection ${JSON.stringify(name)} is not configured at this service.`;
  throw new HttpError(404, "connection_unknown", message);
}

async function open(name: string, config: ConnectionConfig | undefined, dispatcher: Dispatcher): Promise<Connection> {
  if (config === undefined) throw new TypeError(`no connection ${name}`);
  const limits = { maxRows: config.max_rows, maxBytes: config.max_bytes, timeoutMs: config.timeout_seconds * 1_000 };
  if (config.type === "embedded") {
    const graph = await openEmbedded({ database: config.database, files: config.files, workers: config.workers });
    return { name, limits, graph, exchange: undefined };
  }
  const { auth } = config;
  const graph = openSparqlEndpoint({
    url: config.url,
    database: config.database,
    dispatcher,
    authorization: async (call) => {
      if (auth.type === "basic") return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString("base64")}`;
      if (auth.type === "bearer") return `Bearer ${auth.token}`;
      if (auth.type === "none") return undefined;
      // Never without the user's token where one is wanted: the database would see an anonymous reader.
      if (call.authorization === undefined) throw new GraphError("denied", "The database wants a signed-in user.");
      return `Bearer ${await call.authorization(call.signal)}`;
    },
  });
  return {
    name,
    graph,
    limits,
    exchange: auth.type === "token_exchange" ? { audience: auth.audience, scope: auth.scope } : undefined,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
