import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signIn } from "@onbehalf/sandbox/token";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.close());

interface Answer {
  result: string;
  conversation_id: string;
  message_id: string;
  actions: { type: string; value: unknown }[];
}

interface Hop {
  service: string;
  trace_id: string;
  outcome: string;
  identity: {
    issuer: string;
    subject: string;
    audience: string[];
    scopes: string[];
    client_id: string | null;
    credential: string;
    expires_at: number;
  };
  exchange: { issuer: string; audience: string; scopes: string[]; client_id: string; source: string } | null;
  detail: Record<string, unknown>;
}

const traceOf = (response: Response): string => response.headers.get("traceparent")?.split("-")[1] ?? "";

/** Rows of request_logs as any SQLite client sees them. */
function requestLogs(traceId: string): Record<string, unknown>[] {
  const [file] = globSync("**/*gateway*.{db,sqlite,sqlite3}", { cwd: chain.dataDir });
  const database = new DatabaseSync(join(chain.dataDir, file ?? "missing"), { readOnly: true });
  try {
    return database.prepare("SELECT * FROM request_logs WHERE trace_id = ? ORDER BY request_time").all(traceId);
  } finally {
    database.close();
  }
}

/** The row is written beside the answer, not before it. */
async function rowsOf(traceId: string, least: number): Promise<Record<string, unknown>[]> {
  await expect.poll(() => requestLogs(traceId).length, { timeout: 5_000 }).toBeGreaterThanOrEqual(least);
  return requestLogs(traceId);
}

describe("a question by session", () => {
  it("is answered from the graph, with the query that proves it", async () => {
    const alice = chain.person();
    expect((await alice.signIn("alice")).status).toBe(200);
    const session = await (await alice.fetch(`${chain.urls.launchpad}/api/session`)).json();
    expect(session).toMatchObject({ user: { name: expect.any(String), groups: ["litellm-users"] } });

    const response = await alice.post("/api/v1/voicebox/ask", { query: "Who is Bob?" });
    expect(response.status).toBe(200);
    const answer = (await response.json()) as Answer;
    expect(answer.result).toContain("Bob");
    expect(answer.actions.map(({ type }) => type)).toEqual(expect.arrayContaining(["sparql"]));
    expect(answer.conversation_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("is answered as a stream of growing snapshots that ends", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    const response = await alice.post("/api/v1/voicebox/stream/ask", { query: "Who is Bob?" });
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const snapshots = (await response.text())
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Answer & { pending: boolean });
    expect(snapshots.length).toBeGreaterThan(2);
    const texts = snapshots.map(({ result }) => result ?? "");
    for (const [at, text] of texts.entries()) expect(text.startsWith(texts[at - 1] ?? "")).toBe(true);
    expect(snapshots.slice(0, -1).every(({ pending }) => pending)).toBe(true);
    expect(snapshots.at(-1)).toMatchObject({ pending: false, result: expect.stringContaining("Bob") });
  });

  it("may be as long as the API's own document says, at every hop", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    const document = await fetch(`${chain.urls.launchpad}/api/v1/openapi.json`);
    const { components } = (await document.json()) as {
      components: { schemas: { AskRequest: { properties: { query: { maxLength: number } } } } };
    };
    const { maxLength } = components.schemas.AskRequest.properties.query;
    const asking = (length: number) =>
      alice.post("/api/v1/voicebox/generate-query", { query: "Who is Bob? ".padEnd(length, "Who is Bob? ") });
    expect((await asking(maxLength - 1)).status).toBe(200);
    const tooLong = await asking(maxLength + 1);
    expect(tooLong.status).toBe(400);
    expect(await tooLong.json()).toMatchObject({ message: expect.stringContaining(`1 to ${maxLength} characters`) });
  });

  it("that cannot be read says what to send instead", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    const said = async (body: unknown) => {
      const response = await alice.post("/api/v1/voicebox/ask", body);
      const { message } = (await response.json()) as { message: string };
      return [response.status, message.replace("The request is not valid: ", "")];
    };
    expect(await said({ query: " " })).toEqual([400, "query: expected a question, 1 to 8000 characters"]);
    expect(await said({ query: "Who is Bob?", conversation_id: "1" })).toEqual([
      400,
      "conversation_id: expected the conversation_id of an earlier answer, or null",
    ]);
    expect(await said({ query: "Who is Bob?", think_mode: "deep" })).toEqual([
      400,
      "think_mode: expected standard, lite or fast",
    ]);
    expect(await said(["Who is Bob?"])).toEqual([400, 'body: expected an object such as {"query": "Who is Bob?"}']);
  });

  it("leaves one trace: hops, rows and log lines that name alice at each of them", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    const response = await alice.post("/api/v1/voicebox/ask", { query: "Who works with Bob?" });
    expect(response.status).toBe(200);
    const trace = traceOf(response);
    expect(trace).toMatch(/^[0-9a-f]{32}$/);

    const rows = await rowsOf(trace, 1);
    for (const row of rows) {
      expect(row).toMatchObject({
        subject: "alice",
        issuer: `${chain.urls.identityProvider}/oauth2/llm`,
        client_id: "voicebox",
        outcome: "ok",
        model: "claude-sonnet-4-6",
        trace_id: trace,
      });
      expect(String(row.groups)).toContain("litellm-users");
      expect(Number(row.prompt_tokens)).toBeGreaterThan(0);
      expect(Number(row.tokens)).toBe(Number(row.prompt_tokens) + Number(row.completion_tokens));
    }

    const trail = await (await alice.fetch(`${chain.urls.launchpad}/api/trail/${trace}`)).json();
    const { hops } = trail as { hops: Hop[] };
    expect(new Set(hops.map(({ service }) => service))).toEqual(new Set(["launchpad", "voicebox", "gateway"]));
    const at = (service: string): Hop | undefined => hops.find((hop) => hop.service === service);
    expect(at("launchpad")).toMatchObject({
      identity: { credential: "session" },
      exchange: { client_id: "launchpad-backend", audience: "voicebox", scopes: ["voicebox"] },
    });
    expect(at("voicebox")).toMatchObject({
      identity: { subject: "alice", audience: ["voicebox"], client_id: "launchpad-backend", scopes: ["voicebox"] },
      exchange: { client_id: "voicebox", audience: "llm-gateway", scopes: ["llm-gateway"] },
    });
    expect(at("gateway")).toMatchObject({
      identity: { subject: "alice", issuer: `${chain.urls.identityProvider}/oauth2/llm`, client_id: "voicebox" },
      exchange: null,
    });
    expect(JSON.stringify(trail)).not.toMatch(/eyJ[\w-]+\.[\w-]+/);

    const lines = chain.logs().filter((line) => line.trace_id === trace);
    const loggedBy = new Set(lines.map((line) => line.service ?? line.name));
    expect(loggedBy).toEqual(new Set(["launchpad", "voicebox", "gateway"]));
  });

  it("shows its trail to nobody else but an administrator", async () => {
    const [alice, bob, carol] = [chain.person(), chain.person(), chain.person()];
    await Promise.all([alice.signIn("alice"), bob.signIn("bob"), carol.signIn("carol")]);
    const trace = traceOf(await alice.post("/api/v1/voicebox/ask", { query: "Who is Bob?" }));
    const url = `${chain.urls.launchpad}/api/trail/${trace}`;
    expect((await fetch(url)).status).toBe(401);
    const bobs = await bob.fetch(url);
    expect(bobs.status === 404 || ((await bobs.json()) as { hops: Hop[] }).hops.length === 0).toBe(true);
    const carols = (await (await carol.fetch(url)).json()) as { hops: Hop[] };
    expect(carols.hops.map(({ service }) => service)).toEqual(
      expect.arrayContaining(["launchpad", "voicebox", "gateway"]),
    );
  });

  it("uses each exchanged token again while it lives", async () => {
    const alice = chain.person();
    await alice.signIn("alice");
    await alice.post("/api/v1/voicebox/ask", { query: "Who is Bob?" });
    const second = await alice.post("/api/v1/voicebox/ask", { query: "Who is Carol?" });
    const trail = await (await alice.fetch(`${chain.urls.launchpad}/api/trail/${traceOf(second)}`)).json();
    const { hops } = trail as { hops: Hop[] };
    const sources = hops.filter(({ exchange }) => exchange !== null).map(({ exchange }) => exchange?.source);
    expect(sources.length).toBeGreaterThanOrEqual(2);
    expect(new Set(sources)).toEqual(new Set(["cached"]));
  });

  it("finds a stand-in for Bedrock that takes the API key of Bedrock which the sandbox documents", async () => {
    const key = /Bearer (bedrock-api-key-\S+?)`/.exec(await readFile("packages/sandbox/README.md", "utf8"))?.[1];
    const converse = (token: string) =>
      fetch(`${chain.urls.bedrock}/model/amazon.nova-lite-v1:0/converse`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hello" }] }] }),
      });
    expect((await converse(String(key))).status).toBe(200);
    expect((await converse(`${key}-or-nearly`)).status).toBe(403);
  });

  it("of someone without a group is refused by the gateway, in words", async () => {
    const mallory = chain.person();
    await mallory.signIn("mallory");
    const response = await mallory.post("/api/v1/voicebox/ask", { query: "Who is Bob?" });
    expect(response.status).toBe(403);
    const { message } = (await response.json()) as { message: string };
    expect(message).toMatch(/group/i);
    const [row] = await rowsOf(traceOf(response), 1);
    expect(row).toMatchObject({ subject: "mallory", outcome: "denied", status: 403 });
  });
});

describe("a question by the public API", () => {
  async function ask(issuer: string, headers: Record<string, string> = {}): Promise<Response> {
    const { accessToken } = await signIn({
      issuer: `${chain.urls.identityProvider}/oauth2/${issuer}`,
      user: "alice",
      audience: "launchpad",
    });
    return fetch(`${chain.urls.launchpad}/api/v1/voicebox/ask`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${accessToken}`,
        "x-voicebox-app-key": await chain.appKey(),
        "x-client-id": "e2e",
        "content-type": "application/json",
        ...headers,
      },
      body: JSON.stringify({ message: "Who is Bob?" }),
    });
  }

  it("is answered on behalf of the token's user", async () => {
    const response = await ask("default");
    expect(response.status).toBe(200);
    expect(((await response.json()) as Answer).result).toContain("Bob");
    const rows = await rowsOf(traceOf(response), 1);
    expect(rows[0]).toMatchObject({ subject: "alice", client_id: "voicebox" });
  });

  it("crosses two more authorization servers: partner, then default, then the gateway's own", async () => {
    const response = await ask("partner");
    expect(response.status).toBe(200);
    const rows = await rowsOf(traceOf(response), 1);
    expect(rows[0]).toMatchObject({ subject: "alice", issuer: `${chain.urls.identityProvider}/oauth2/llm` });
  });

  it("keeps the caller's trace", async () => {
    const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    const response = await ask("default", { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
    expect(traceOf(response)).toBe(trace);
    expect((await rowsOf(trace, 1))[0]).toMatchObject({ trace_id: trace });
  });
});
