import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { query, toolResults } from "./gateway.ts";
import { type Bench, startBench } from "./service.ts";

interface Line {
  readonly result: string;
  readonly pending: boolean;
  readonly conversation_id: string;
  readonly message_id: string;
  readonly actions: readonly { readonly type: string }[];
  readonly error?: { readonly error: string; readonly status: number };
}

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterEach(() => bench.gateway.behave(undefined));
afterAll(() => bench.close());

async function linesOf(response: Response): Promise<Line[]> {
  return (await response.text())
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

const stream = async (init: RequestInit = {}, on: Bench = bench) =>
  on.ask(await on.token(), { query: "Who is Bob?" }, "stream/ask", init);

describe("a streamed answer", () => {
  it("is snapshots, each the whole so far, the last one not pending", async () => {
    const words = Array.from({ length: 400 }, (_, index) => `word${index} `).join("");
    bench.gateway.behave(({ body }) =>
      toolResults(body).length === 0 ? { calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 2")] } : { text: words },
    );
    const response = await stream();
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const lines = await linesOf(response);
    const last = lines.at(-1);
    expect(last).toMatchObject({ pending: false, result: words });
    expect(last?.actions.map(({ type }) => type)).toEqual([
      "rewritten_query",
      "sparql",
      "reasoning",
      "csv",
      "provenance",
    ]);
    expect(lines.slice(0, -1).every(({ pending }) => pending)).toBe(true);
    for (const { result } of lines) expect(words.startsWith(result)).toBe(true);
    expect(new Set(lines.map(({ message_id, conversation_id }) => message_id + conversation_id)).size).toBe(1);
  });

  it("shows life as soon as the gateway has accepted the question", async () => {
    bench.gateway.behave(() => ({ endless: "" }));
    const leaving = new AbortController();
    const response = await stream({ signal: leaving.signal });
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(JSON.parse(new TextDecoder().decode(first?.value))).toMatchObject({
      pending: true,
      result: "",
      actions: [],
    });
    leaving.abort();
    await reader?.closed.catch(() => undefined);
  });

  it("has the refusal's own status when nothing was said yet", async () => {
    bench.gateway.behave(() => ({ status: 403, message: "You are in no group." }));
    const response = await stream();
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ message: "You are in no group.", request_id: expect.any(String) });
  });

  it("ends with a line that says so when the model fails on the way", async () => {
    bench.gateway.behave(({ body }) =>
      toolResults(body).length === 0
        ? { calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1")] }
        : { status: 429, message: "Too many tokens this minute." },
    );
    const lines = await linesOf(await stream());
    expect(lines.at(-1)).toMatchObject({
      pending: false,
      error: { error: "llm_limited", status: 429, request_id: expect.any(String) },
    });
  });

  it("is given up at the gateway when the reader leaves", async () => {
    bench.gateway.behave(() => ({ endless: "once upon a time" }));
    const leaving = new AbortController();
    const response = await stream({ signal: leaving.signal });
    await response.body?.getReader().read();
    leaving.abort();
    expect(await bench.gateway.calls.at(-1)?.ended).toBe("aborted");
    const ended = () => bench.logs.requests().findLast(({ route }) => String(route).endsWith("stream/ask"));
    await expect.poll(() => ended()?.outcome, { timeout: 20_000 }).toBe("aborted");
  });

  it("is given up at the gateway when the one who asked without a stream leaves", async () => {
    let reached: (() => void) | undefined;
    const atGateway = new Promise<void>((resolve) => {
      reached = resolve;
    });
    bench.gateway.behave(() => {
      reached?.();
      return new Promise(() => undefined);
    });
    const leaving = new AbortController();
    const asked = bench
      .ask(await bench.token(), { query: "Who?" }, "ask", { signal: leaving.signal })
      .catch(() => undefined);
    await atGateway;
    leaving.abort();
    await asked;
    expect(await bench.gateway.calls.at(-1)?.ended).toBe("aborted");
  });
});

describe("a shutdown", () => {
  it("lets a streamed answer end with a last line that says it was cut short", async () => {
    const own = await startBench();
    own.gateway.behave(() => ({ endless: "once upon a time" }));
    const response = await stream({}, own);
    const text = response.text();
    await expect.poll(() => own.gateway.calls.length, { timeout: 20_000 }).toBe(1);
    const closed = own.close();
    const lines = (await text).trim().split("\n");
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
      pending: false,
      result: "once upon a time",
      error: { error: "shutting_down", status: 503 },
    });
    await closed;
  });

  it("answers 503 to one who waits for the whole", async () => {
    const own = await startBench();
    own.gateway.behave(() => new Promise(() => undefined));
    const asked = own.ask(await own.token());
    await expect.poll(() => own.gateway.calls.length, { timeout: 20_000 }).toBe(1);
    const closed = own.close();
    const response = await asked;
    expect([response.status, response.headers.has("retry-after")]).toEqual([503, true]);
    await closed;
  });
});
