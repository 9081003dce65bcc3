import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { query } from "./gateway.ts";
import { type Bench, startBench } from "./service.ts";

interface Hop {
  readonly service: string;
  readonly status: number;
  readonly outcome: string;
  readonly error_code: string | null;
  readonly identity: {
    readonly subject: string;
    readonly audience: readonly string[];
    readonly client_id: string;
  } | null;
  readonly exchange: { readonly source: string; readonly issuer: string; readonly audience: string } | null;
  readonly app: string;
  readonly detail: {
    readonly sparql?: string;
    readonly model?: string;
    readonly events: readonly { readonly event: string }[];
  };
}

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.close());

const traceId = (n: number) => n.toString(16).padStart(32, "a");
const inTrace = (n: number): RequestInit => ({ headers: { traceparent: `00-${traceId(n)}-b7ad6b7169203331-01` } });
async function trail(n: number, token: string): Promise<{ hops: Hop[]; missing?: string[] }> {
  const response = await fetch(`${bench.service.url}/api/trail/${traceId(n)}`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect(response.status).toBe(200);
  return (await response.json()) as { hops: Hop[]; missing?: string[] };
}

/** The gateway's answer to the trail's question is told apart from its answers to the model's. */
function gatewayRows(rows: readonly unknown[]): void {
  bench.gateway.behave(({ path }) =>
    path.startsWith("/audit/events")
      ? { status: 200, message: "", body: { events: rows } }
      : { calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1")] },
  );
}

describe("the trail of a question", () => {
  it("tells who asked, with which token it went on, and what was asked of the database; no token", async () => {
    bench.gateway.behave(undefined);
    const token = await bench.token({ sub: "alice", groups: ["users"] });
    await bench.ask(token, { query: "Who?", app: { id: "sales", name: "Sales" } }, "ask", inTrace(1));
    const { hops } = await trail(1, token);
    const [hop] = hops;
    expect(hop).toMatchObject({
      service: "voicebox",
      status: 200,
      outcome: "ok",
      error_code: null,
      app: "sales",
      identity: { subject: "alice", audience: ["voicebox"], client_id: "launchpad-backend" },
      exchange: { source: "fresh", issuer: bench.gatewayIssuer.issuer, audience: "llm-gateway" },
      detail: { model: "test-model", sparql: "SELECT ?s WHERE { ?s ?p ?o } LIMIT 1" },
    });
    expect(hop?.detail.events.map(({ event }) => event)).toEqual([
      "verify",
      "exchange",
      "model",
      "query",
      "model",
      "answer",
    ]);
    expect(JSON.stringify(hops)).not.toMatch(/eyJ/);
    await bench.ask(token, { query: "Who?" }, "ask", inTrace(2));
    expect((await trail(2, token)).hops[0]?.exchange?.source).toBe("cached");
  });

  it("has the gateway's rows, asked with the caller's own exchanged token", async () => {
    const row = {
      request_time: "2026-11-22T07:00:00.000Z",
      trace_id: traceId(3),
      request_id: "r",
      route: "POST /v1/chat/completions",
      status: 200,
      outcome: "ok",
      error_code: null,
      duration_ms: 12,
      issuer: "http://llm",
      subject: "alice",
      client_id: "voicebox",
      user_email: "a@example.com",
      app: "sales",
      expires_at: 1,
      credential: "jwt",
      audience: '["llm-gateway"]',
      scopes: ["llm-gateway"],
      groups: "[]",
      actors: [],
      model: "claude",
      provider_model: "bedrock/x",
      prompt_tokens: 1,
      completion_tokens: 2,
      tokens: 3,
      cost_usd: 0.1,
      first_token_ms: null,
      rule: null,
    };
    gatewayRows([row, { strange: true }]);
    const token = await bench.token({ sub: "alice" });
    const { hops, missing } = await trail(3, token);
    expect(missing).toBeUndefined();
    expect(hops).toMatchObject([
      {
        service: "gateway",
        identity: { subject: "alice", audience: ["llm-gateway"], client_id: "voicebox" },
        detail: { tokens: 3 },
      },
    ]);
    const call = bench.gateway.calls.findLast(({ path }) => path.startsWith("/audit/events"));
    expect(call).toMatchObject({ path: `/audit/events?trace=${traceId(3)}`, subject: "alice" });
  });

  it("says that the gateway's part is missing when it cannot be asked", async () => {
    bench.gateway.behave(() => ({ status: 500, message: "down" }));
    expect((await trail(4, await bench.token())).missing).toEqual(["gateway"]);
  });

  it("is shown to the same person and to admins, to nobody else", async () => {
    bench.gateway.behave(undefined);
    const alice = await bench.token({ sub: "alice", email: "same@example.com" });
    await bench.ask(alice, { query: "Who?" }, "ask", inTrace(5));
    const other = await bench.token({ sub: "bob", email: "same@example.com" });
    const admin = await bench.token({ sub: "root", groups: ["admins"] });
    const own = (hops: readonly Hop[]) => hops.filter(({ service }) => service === "voicebox").length;
    expect(own((await trail(5, alice)).hops)).toBe(1);
    expect(own((await trail(5, other)).hops)).toBe(0);
    expect(own((await trail(5, admin)).hops)).toBe(1);
  });

  it("keeps refusals too: at the door for admins, behind it for their user", async () => {
    const admin = await bench.token({ sub: "root", groups: ["admins"] });
    await bench.ask(await bench.token({ aud: "launchpad" }), { query: "Who?" }, "ask", inTrace(6));
    expect((await trail(6, admin)).hops[0]).toMatchObject({
      status: 401,
      outcome: "denied",
      error_code: "audience_mismatch",
      identity: null,
    });
    bench.gateway.behave(({ path }) =>
      path.startsWith("/audit") ? { status: 404, message: "" } : { status: 403, message: "no group" },
    );
    const mallory = await bench.token({ sub: "mallory" });
    await bench.ask(mallory, { query: "Who?" }, "stream/ask", inTrace(7));
    expect((await trail(7, mallory)).hops[0]).toMatchObject({
      status: 403,
      outcome: "denied",
      error_code: "llm_access_denied",
    });
  });

  it("is asked for by an id that is one", async () => {
    const response = await fetch(`${bench.service.url}/api/trail/x`, {
      headers: { authorization: `Bearer ${await bench.token()}` },
    });
    expect(response.status).toBe(400);
  });
});

describe("what passes to the gateway and back in the user's name", () => {
  it.each([
    ["/api/v1/usage?from=2026-01-01", "/spend/report?from=2026-01-01"],
    ["/api/v1/events?limit=5", "/audit/events?limit=5"],
  ])("%s", async (path, there) => {
    bench.gateway.behave(() => ({ status: 403, message: "not yours" }));
    const response = await fetch(`${bench.service.url}${path}`, {
      headers: { authorization: `Bearer ${await bench.token({ sub: "alice" })}` },
    });
    expect(response.status).toBe(403);
    expect(JSON.stringify(await response.json())).toContain("not yours");
    expect(bench.gateway.calls.at(-1)).toMatchObject({ path: there, subject: "alice" });
  });

  it("tells which links of the chain hold", async () => {
    bench.gateway.behave(() => ({ status: 503, message: "not ready" }));
    const response = await fetch(`${bench.service.url}/api/v1/chain-health`, {
      headers: { authorization: `Bearer ${await bench.token()}` },
    });
    const { checks } = (await response.json()) as { checks: { name: string; status: string }[] };
    expect(Object.fromEntries(checks.map(({ name, status }) => [name, status]))).toEqual({
      voicebox: "ok",
      exchange: "ok",
      gateway: "down",
    });
  });
});
