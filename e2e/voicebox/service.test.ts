import { createTestIssuer } from "@onbehalf/shared-auth/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { query, toolResults } from "./gateway.ts";
import { type Bench, startBench } from "./service.ts";

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.gateway.behave(undefined));
afterAll(() => bench.close());

const jsonOf = async (response: Response) => (await response.json()) as Record<string, unknown>;

describe("who is let in", () => {
  const challenge = (response: Response) => response.headers.get("www-authenticate") ?? "";

  it("asks for a token, and says where it is described", async () => {
    const response = await bench.ask(undefined);
    expect(response.status).toBe(401);
    expect(challenge(response)).toMatch(/^Bearer /);
    expect(challenge(response)).not.toContain("error=");
    expect(challenge(response)).toMatch(/resource_metadata="http.*\/\.well-known\/oauth-protected-resource"/);
    expect(await jsonOf(response)).toMatchObject({
      error: expect.any(String),
      message: expect.any(String),
      request_id: expect.any(String),
    });
  });

  it("describes itself as a protected resource (RFC 9728)", async () => {
    const document = await jsonOf(await fetch(`${bench.service.url}/.well-known/oauth-protected-resource`));
    expect(document).toMatchObject({ authorization_servers: [bench.issuer.issuer], scopes_supported: ["voicebox"] });
  });

  it.each<[string, Record<string, unknown>, number]>([
    ["another audience", { aud: "launchpad" }, 401],
    ["an expired one", { exp: Math.floor(Date.now() / 1000) - 120 }, 401],
    ["one without an expiry", { exp: undefined }, 401],
    ["one that is not valid yet", { nbf: Math.floor(Date.now() / 1000) + 600 }, 401],
    ["one without the scope", { scp: ["openid"] }, 403],
    ["an application's own", { sub: "launchpad-backend", uid: undefined }, 403],
  ])("refuses %s", async (_, claims, status) => {
    const before = bench.gateway.calls.length;
    const response = await bench.ask(await bench.token(claims));
    expect(response.status).toBe(status);
    if (status === 401) expect(challenge(response)).toContain('error="invalid_token"');
    if ("scp" in claims) expect(challenge(response)).toMatch(/error="insufficient_scope".*scope="voicebox"/);
    expect(bench.gateway.calls.length).toBe(before);
  });

  it("says which check failed once the signature was good, and nothing before", async () => {
    const other = await jsonOf(await bench.ask(await bench.token({ aud: "launchpad" })));
    expect(other.message).toMatch(/launchpad.*voicebox|voicebox.*launchpad/);
    const stranger = await createTestIssuer();
    const forged = await jsonOf(await bench.ask(await stranger.mint({ iss: bench.issuer.issuer, aud: "launchpad" })));
    expect(forged.message).not.toContain("launchpad");
    await stranger.close();
  });

  it("lets in only tokens of trusted clients, when there are such", async () => {
    const strict = await startBench({ env: { JWT_TRUSTED_CLIENTS: "launchpad-backend,cli" } });
    const known = await strict.ask(await strict.token());
    const unknown = await strict.ask(await strict.token({ cid: "somebody-else" }));
    expect([known.status, unknown.status]).toEqual([200, 403]);
    await strict.close();
  });

  it("reads the scopes where it is told to", async () => {
    const other = await startBench({ env: { JWT_SCOPE_CLAIM_NAME: "permissions" } });
    const right = await other.ask(await other.token({ scp: undefined, permissions: ["voicebox"] }));
    const wrong = await other.ask(await other.token());
    expect([right.status, wrong.status]).toEqual([200, 403]);
    await other.close();
  });
});

describe("what goes to the gateway", () => {
  it("is the exchanged token and never the caller's, with the trace and the app", async () => {
    const token = await bench.token({ sub: "trace-user" });
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const body = { query: "Who is Bob?", app: { id: "sales", name: "Sales" } };
    const response = await bench.ask(token, body, "ask", { headers: { traceparent, "x-request-id": "req-1" } });
    expect(response.headers.get("x-request-id")).toBe("req-1");
    expect(response.headers.get("traceparent")).toContain("0af7651916cd43dd8448eb211c80319c");
    const calls = bench.gateway.calls.filter(({ subject }) => subject === "trace-user");
    expect(calls).toHaveLength(2);
    for (const { headers } of calls) {
      expect(headers.authorization).not.toContain(token);
      expect(headers.traceparent).toContain("0af7651916cd43dd8448eb211c80319c");
      expect(headers).toMatchObject({ "x-request-id": "req-1", "x-onbehalf-app": "sales" });
    }
    expect(bench.gateway.calls.some(({ headers }) => JSON.stringify(headers).includes(token))).toBe(false);
  });

  it("carries the user's name in configured headers, on one line", async () => {
    const headers = { "X-User": "user=$VOICEBOX_USER", "X-Team": "graphs" };
    const config = (url: string) => ({
      default_llm_config: {
        llm_provider: "openai",
        llm_name: "m",
        server_url: `${url}/v1/`,
        provider_args: { headers },
      },
    });
    const own = await startBench({ config: config(bench.gateway.url) });
    await own.ask(await own.token({ sub: "header-user", email: "Inês\r\nX-Evil: 1" }));
    const call = bench.gateway.calls.findLast(({ subject }) => subject === "header-user");
    expect(call?.headers["x-user"]).toBe("user=In%C3%AAs%0D%0AX-Evil: 1");
    expect(call?.headers["x-evil"]).toBeUndefined();
    expect(call?.headers["x-team"]).toBe("graphs");
    await own.close();
  });

  it.each([
    [403, "You are in no group that may use this model.", 403],
    [429, "Too many tokens this minute.", 429],
    [503, "upstream busy", 503],
    [500, "canary stack", 503],
    [404, "no such model canary", 502],
    [400, "bad request canary", 502],
  ])("a %i from there (%s) is answered %i, in words for the user", async (status, message, expected) => {
    bench.gateway.behave(() => ({ status, message, headers: { "retry-after": "7" } }));
    const response = await bench.ask(await bench.token());
    const body = await jsonOf(response);
    expect(response.status).toBe(expected);
    if (status === 403 || status === 429) expect(body.message).toContain(message);
    else expect(JSON.stringify(body)).not.toContain("canary");
    if (expected === 429 || expected === 503) expect(response.headers.get("retry-after")).toBe("7");
  });

  it("asks for nothing twice when the gateway wants a step-up", async () => {
    const challenge = 'Bearer error="insufficient_claims", claims="e30="';
    bench.gateway.behave(() => ({
      status: 401,
      message: "more is needed",
      headers: { "www-authenticate": challenge },
    }));
    const before = bench.gatewayIssuer.hits("token");
    const response = await bench.ask(await bench.token({ sub: "step-up-user" }));
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, challenge]);
    expect(bench.gatewayIssuer.hits("token")).toBe(before + 1);
  });
});

describe("the bounds of an answer", () => {
  it("stops a model that never stops asking", async () => {
    bench.gateway.behave(() => ({ calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1")] }));
    const before = bench.gateway.calls.length;
    const response = await bench.ask(await bench.token(), { query: "Who?", think_mode: "fast" });
    expect([response.status, (await jsonOf(response)).error]).toEqual([422, "answer_bounds"]);
    expect(bench.gateway.calls.length - before).toBe(3);
    const told = bench.gateway.calls
      .slice(-3)
      .map(({ body }) => body.messages[0]?.content?.includes("This is your last turn"));
    expect(told).toEqual([false, false, true]);
  });

  it("refuses what only looks like reading, and lets the model mend it", async () => {
    const attempts = [
      "DELETE WHERE { ?s ?p ?o }",
      "SELECT * WHERE { SERVICE <http://127.0.0.1:9/steal> { ?s ?p ?o } }",
      "SELECT * FROM <urn:secret> WHERE { ?s ?p ?o }",
      "this is no query",
    ];
    const told: string[] = [];
    bench.gateway.behave(({ body }) => {
      const results = toolResults(body);
      told.push(...results.slice(told.length));
      const next = attempts[results.length];
      return next === undefined ? { text: "gave up" } : { calls: [query(next)] };
    });
    const answer = await jsonOf(await bench.ask(await bench.token()));
    expect(answer.result).toBe("gave up");
    expect(told.map((text) => JSON.parse(text))).toEqual(attempts.map(() => ({ error: expect.any(String) })));
    expect(told.join()).toMatch(/Updates.*SERVICE.*FROM.*not a SPARQL/s);
  });

  it.each([
    ["nothing", {}],
    ["an empty question", { query: " " }],
    ["a conversation id that is none", { query: "Who?", conversation_id: "1" }],
    ["a think mode that is none", { query: "Who?", think_mode: "hard" }],
    ["a question as long as a book", { query: "x".repeat(8_001) }],
  ])("answers %s with 400, naming the field", async (_, body) => {
    const response = await bench.ask(await bench.token(), body);
    expect(response.status).toBe(400);
    expect((await jsonOf(response)).message).toMatch(/query|conversation_id|think_mode/);
  });

  it("knows an id that no random generator would give for what it is: one of no conversation", async () => {
    const body = { query: "Who is Bob?", conversation_id: "11111111-1111-1111-1111-111111111111" };
    const known = await bench.ask(await bench.token(), { query: "Who is Bob?", conversation_id: crypto.randomUUID() });
    expect((await bench.ask(await bench.token(), body)).status).toBe(known.status);
  });

  it("takes the question as `message` too, and a connection only by its name", async () => {
    expect((await bench.ask(await bench.token(), { message: "Who is Bob?" })).status).toBe(200);
    const app = { id: "a", name: "a", connection: "elsewhere" };
    expect((await bench.ask(await bench.token(), { query: "Who?", app })).status).toBe(404);
    const other = { id: "a", name: "a", connection: "demo", database: "elsewhere" };
    expect((await bench.ask(await bench.token(), { query: "Who?", app: other })).status).toBe(404);
  });

  it("shows only the graphs that the application is bound to", async () => {
    const seen: string[] = [];
    bench.gateway.behave(({ body }) => {
      const results = toolResults(body);
      if (results.length === 0)
        return {
          calls: [
            query(
              "SELECT DISTINCT ?g WHERE { { GRAPH ?g { ?s ?p ?o } } UNION { <https://onbehalf.example/id/bob> ?p ?o BIND(?p AS ?g) } }",
            ),
          ],
        };
      seen.push(...results);
      return { text: "seen" };
    });
    const app = { id: "a", name: "a", connection: "demo", named_graphs: ["https://onbehalf.example/graph/projects"] };
    await bench.ask(await bench.token(), { query: "What is there?", app });
    expect(JSON.parse(seen[0] ?? "")).toEqual({
      graph_data: { columns: ["g"], rows: [["https://onbehalf.example/graph/projects"]] },
    });
  });
});
