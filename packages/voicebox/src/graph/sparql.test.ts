import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Agent } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Dataset, QueryCall, QueryLimits, Table } from "./graph.ts";
import { createReadQueryParser } from "./read-query.ts";
import { openSparqlEndpoint } from "./sparql.ts";

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly form: URLSearchParams;
}
type Answer = { readonly status?: number; readonly body: string } | "hang";

let server: Server;
let url: string;
let answer: Answer = { body: "{}" };
const seen: Seen[] = [];
const dispatcher = new Agent();

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({
      url: request.url ?? "",
      headers: request.headers,
      form: new URLSearchParams(Buffer.concat(chunks).toString()),
    });
    if (answer !== "hang") response.writeHead(answer.status ?? 200).end(answer.body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  seen.length = 0;
});
afterAll(async () => {
  await dispatcher.destroy();
  server.closeAllConnections();
  server.close();
});

const parse = createReadQueryParser();
const everything: Dataset = { database: undefined, namedGraphs: [], reasoning: false };
const usual: QueryLimits = { maxRows: 2, maxBytes: 2_000, timeoutMs: 2_000 };
const results = (values: readonly string[]) =>
  JSON.stringify({
    head: { vars: ["s"] },
    results: { bindings: values.map((value) => ({ s: { type: "uri", value } })) },
  });

function ask(
  sparql: string,
  {
    dataset = everything,
    limits = usual,
    path = "/query",
    signal = new AbortController().signal,
    auth = undefined as string | undefined,
  } = {},
): Promise<Table> {
  const authorization = async (_call: QueryCall) => auth;
  const graph = openSparqlEndpoint({ url: `${url}${path}`, database: undefined, authorization, dispatcher });
  return graph.query(parse(sparql, limits.maxRows), dataset, limits, { signal, traceparent: "00-1-2-01" });
}

describe("a SPARQL endpoint", () => {
  it("is asked by the protocol: the query, the dataset and reasoning as a form", async () => {
    answer = { body: results(["urn:a"]) };
    const dataset = { database: "sales data", namedGraphs: ["urn:g1", "urn:g2"], reasoning: true };
    const table = await ask("SELECT ?s WHERE { ?s ?p ?o }", { dataset, path: "/{database}/query", auth: "Basic YTpi" });
    expect(table.rows).toEqual([[{ type: "uri", value: "urn:a" }]]);
    const [request] = seen;
    expect(request?.url).toBe("/sales%20data/query");
    expect(request?.headers).toMatchObject({
      authorization: "Basic YTpi",
      accept: "application/sparql-results+json",
      traceparent: "00-1-2-01",
    });
    expect(request?.form.getAll("default-graph-uri")).toEqual(["urn:g1", "urn:g2"]);
    expect(request?.form.getAll("named-graph-uri")).toEqual(["urn:g1", "urn:g2"]);
    expect(request?.form.get("reasoning")).toBe("true");
    expect(request?.form.get("query")).toContain("LIMIT 3");
  });

  it("answers CONSTRUCT in N-Triples", async () => {
    answer = { body: '<urn:a> <urn:p> "x"@en .\n_:b <urn:p> <urn:c> .\n' };
    const { columns, rows } = await ask("CONSTRUCT WHERE { ?s ?p ?o }");
    expect(columns).toEqual(["subject", "predicate", "object"]);
    expect(rows[0]).toEqual([
      { type: "uri", value: "urn:a" },
      { type: "uri", value: "urn:p" },
      expect.objectContaining({ value: "x", language: "en" }),
    ]);
  });

  it("gives no more rows than allowed, and says that there were more", async () => {
    answer = { body: results(["urn:a", "urn:b", "urn:c"]) };
    const table = await ask("SELECT ?s WHERE { ?s ?p ?o }");
    expect([table.rows.length, table.truncated]).toEqual([2, true]);
  });

  it.each<[string, Answer, string]>([
    ["400", { status: 400, body: "near line 1" }, "invalid"],
    ["401", { status: 401, body: "canary" }, "denied"],
    ["403", { status: 403, body: "canary" }, "denied"],
    ["404", { status: 404, body: "canary" }, "unknown_database"],
    ["500", { status: 500, body: "canary" }, "unavailable"],
    ["503", { status: 503, body: "canary" }, "unavailable"],
    ["a redirect", { status: 302, body: "canary" }, "unavailable"],
    ["no JSON", { body: "<html>canary" }, "unavailable"],
    ["JSON of another kind", { body: '{"head":{"vars":"s"},"results":[]}' }, "unavailable"],
    ["too much", { body: results(Array.from({ length: 500 }, (_, n) => `urn:${n}`)) }, "too_large"],
  ])("answering %s is told apart", async (_, given, code) => {
    answer = given;
    await expect(ask("SELECT ?s WHERE { ?s ?p ?o }")).rejects.toMatchObject({
      code,
      message: expect.not.stringContaining("canary"),
    });
  });

  it("is given up after its time, and when nobody waits", async () => {
    answer = "hang";
    await expect(ask("ASK {}", { limits: { ...usual, timeoutMs: 100 } })).rejects.toMatchObject({ code: "too_slow" });
    const leaving = new AbortController();
    const left = ask("ASK {}", { signal: leaving.signal });
    leaving.abort();
    await expect(left).rejects.toMatchObject({ code: "cancelled" });
  });

  it("needs the database's name where its address has a place for it", async () => {
    for (const database of [".", ".."]) {
      const asked = ask("ASK {}", { path: "/{database}/query", dataset: { ...everything, database } });
      await expect(asked).rejects.toMatchObject({ code: "unknown_database" });
    }
    expect(seen).toEqual([]);
    await expect(ask("ASK {}", { path: "/{database}/query" })).rejects.toMatchObject({ code: "unknown_database" });
  });
});
