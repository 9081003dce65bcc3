import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { type Rule, startBedrock } from "../../sandbox/src/bedrock/index.ts";
import { eventually, type ForwardSetup, startForwarding, testAws } from "./forward-testing.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const long: Rule = (turn) =>
  JSON.stringify(turn.messages).includes("at length") ? { text: "word ".repeat(20_000) } : undefined;

async function setUp(setup: Partial<ForwardSetup> = {}, eventDelayMs = 1) {
  const bedrock = await startBedrock({ port: 0, eventDelayMs, rules: [long], ...testAws });
  closing.push(() => bedrock.close());
  const models = [{ model_name: "m", litellm_params: { model: "bedrock/amazon.nova-lite-v1:0" } }];
  const gateway = await startForwarding({ bedrockUrl: bedrock.url, models, router: { num_retries: 0 }, ...setup });
  closing.push(() => gateway.close());
  const fault = async (body: object) => {
    await fetch(`${bedrock.url}/sandbox/faults`, { method: "POST", body: JSON.stringify(body) });
  };
  const ask = (options: { stream?: boolean; content?: string; model?: string; signal?: AbortSignal } = {}) =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      body: JSON.stringify({
        model: options.model ?? "m",
        stream: options.stream ?? false,
        messages: [{ role: "user", content: options.content ?? "Hello there" }],
      }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  return { bedrock, gateway, fault, ask };
}

/** A provider that answers as the test says. */
async function provider(answer: (incoming: IncomingMessage, outgoing: ServerResponse) => void): Promise<string> {
  const server: Server = createServer((incoming, outgoing) => {
    incoming.resume();
    incoming.on("end", () => answer(incoming, outgoing));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("retries", () => {
  it("are made before the first byte, and not after", async () => {
    const { fault, ask, gateway } = await setUp({ router: { num_retries: 2 } });
    await fault({ fault: "unavailable", count: 2 });
    expect((await ask()).status).toBe(200);
    await fault({ fault: "exception", after: 4 });
    const text = await (await ask({ stream: true })).text();
    expect(text).toContain('"error"');
    expect(text).not.toContain("[DONE]");
    expect(gateway.settlements.at(-1)).toMatchObject({
      outcome: "error",
      status: 200,
      errorCode: "upstream_failed",
      usageEstimated: true,
    });
  });

  it("are not multiplied: after its own the gateway tells the client's SDK to make none", async () => {
    const { fault, ask } = await setUp({ router: { num_retries: 1 } });
    await fault({ fault: "error", count: 2 });
    const answer = await ask();
    expect(answer.status).toBe(503);
    expect(answer.headers.get("x-should-retry")).toBe("false");
    // Both attempts were made: nothing is left waiting for the next call.
    expect((await ask()).status).toBe(200);
  });

  it("are not made where they cannot help", async () => {
    const { fault, ask } = await setUp({ router: { num_retries: 2 } });
    await fault({ fault: "denied", count: 1 });
    const refused = await ask();
    expect(refused.status).toBe(502);
    expect(await refused.text()).not.toContain("AccessDenied");
    expect((await ask()).status).toBe(200);
  });

  it("wait as long as the provider says, or leave the waiting to the client", async () => {
    const { fault, ask } = await setUp({ router: { num_retries: 1 } });
    await fault({ fault: "throttle", retryAfter: 60 });
    const answer = await ask();
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([429, "60"]);
    const again = await ask();
    expect(again.status).toBe(429);
    expect(Number(again.headers.get("retry-after"))).toBeGreaterThan(50);
  });
});

describe("several deployments", () => {
  const dead = { model_name: "m", litellm_params: { model: "bedrock/dead", api_base: "http://127.0.0.1:1", order: 0 } };
  const alive = { model_name: "m", litellm_params: { model: "bedrock/amazon.nova-lite-v1:0", order: 1 } };

  it("stand in for each other, and the one that failed rests", async () => {
    const { ask, gateway } = await setUp({ models: [dead, alive], router: { num_retries: 0, allowed_fails: 1 } });
    expect((await ask()).status).toBe(200);
    expect((await ask({ stream: true })).status).toBe(200);
    await eventually(() => gateway.settlements.length === 2);
    expect(gateway.settlements.map(({ providerModel }) => providerModel)).toEqual(
      Array(2).fill("bedrock/amazon.nova-lite-v1:0"),
    );
  });

  it("of another model are used when all of one failed", async () => {
    const other = { ...alive, model_name: "other" };
    const { ask } = await setUp({ models: [dead, other], router: { fallbacks: [{ m: ["other"] }] } });
    expect((await ask()).status).toBe(200);
  });

  it("say at call time what is wrong with their configuration, and not to the client", async () => {
    const { ask, gateway } = await setUp({ models: [{ model_name: "m", litellm_params: { model: "mystery/x" } }] });
    const answer = await ask();
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toContain("mystery");
    expect(gateway.failures[0]?.cause).toContain("mystery");
  });
});

describe("time", () => {
  it("for one attempt is known before it is made, as that of the slowest deployment", async () => {
    const params = { model: "bedrock/amazon.nova-lite-v1:0" };
    const models = [
      { model_name: "a", litellm_params: params },
      { model_name: "b", litellm_params: { ...params, timeout: 3600 } },
    ];
    expect((await setUp({ models })).gateway.forwarding.longestMs).toBe(3_600_000);
    expect((await setUp({ router: { timeout: 20 } })).gateway.forwarding.longestMs).toBe(20_000);
  });

  it("for the first byte of a stream is limited", async () => {
    const { fault, ask } = await setUp({ router: { num_retries: 0, stream_timeout: 0.2 } });
    await fault({ fault: "stall", milliseconds: 2000 });
    const answer = await ask({ stream: true });
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ error: { type: "server_error", code: "upstream_timeout" } });
  });

  it("between two bytes is limited", async () => {
    const { fault, ask, gateway } = await setUp({ router: { num_retries: 0, idle_timeout: 0.2 } });
    await fault({ fault: "pause", after: 4, milliseconds: 2000 });
    const text = await (await ask({ stream: true })).text();
    expect(text.slice(-200)).toContain('"code":"upstream_timeout"');
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "error", errorCode: "upstream_timeout" });
  });

  it("for a whole call is limited, streamed or not", async () => {
    const { fault, ask } = await setUp({ router: { num_retries: 0, timeout: 0.3 } }, 50);
    await fault({ fault: "stall", milliseconds: 2000, operation: "converse" });
    expect((await ask()).status).toBe(504);
    expect(await (await ask({ stream: true })).text()).toContain('"code":"upstream_timeout"');
  });

  it("of silence is filled with keep-alives", async () => {
    const { fault, ask } = await setUp({ router: { keep_alive: 0.05 } });
    await fault({ fault: "pause", after: 4, milliseconds: 400 });
    const text = await (await ask({ stream: true })).text();
    expect(text.match(/^: keep-alive$/gm)?.length).toBeGreaterThan(3);
    expect(text).toContain("[DONE]");
  });
});

describe("a client that leaves", () => {
  async function leave(ask: Awaited<ReturnType<typeof setUp>>["ask"], content = "Hello there"): Promise<void> {
    const abort = new AbortController();
    const answer = await ask({ stream: true, content, signal: abort.signal });
    await answer.body?.getReader().read();
    abort.abort();
  }

  it("ends the upstream call, and is billed by an estimate", async () => {
    let upstreamClosed = false;
    const url = await provider((incoming, outgoing) => {
      incoming.socket.once("close", () => {
        upstreamClosed = true;
      });
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write('data: {"choices":[{"index":0,"delta":{"content":"twelve chars"},"finish_reason":null}]}\n\n');
    });
    const models = [{ model_name: "m", litellm_params: { model: "openai/x", api_base: url } }];
    const { ask, gateway } = await setUp({ models });
    await leave(ask);
    await eventually(() => upstreamClosed && gateway.settlements.length > 0);
    expect(upstreamClosed).toBe(true);
    expect(gateway.settlements[0]).toMatchObject({
      outcome: "aborted",
      errorCode: "client_gone",
      usageEstimated: true,
      usage: { inputTokens: expect.any(Number) },
    });
  });

  it("with the last event in its hands has had the whole answer, as OpenAI's SDK has", async () => {
    // As Ollama 0.17.4 streams; what it takes to end its answer is long here.
    const chunk = (more: string): string =>
      `data: {"id":"chatcmpl-889","object":"chat.completion.chunk","created":1795372767,"model":"say","system_fingerprint":"fp_ollama",${more}}\n\n`;
    const url = await provider((_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write(
        chunk('"choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]') +
          chunk('"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]') +
          chunk('"choices":[],"usage":{"prompt_tokens":13,"completion_tokens":5,"total_tokens":18}') +
          "data: [DONE]\n\n",
      );
    });
    const models = [{ model_name: "m", litellm_params: { model: "openai/say", api_base: url } }];
    const { gateway } = await setUp({ models });
    const client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: "none", maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "Hi" }];
    for await (const _ of await client.chat.completions.create({ model: "m", stream: true, messages }));
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({
      outcome: "ok",
      errorCode: undefined,
      usageEstimated: false,
      usage: { inputTokens: 13, outputTokens: 5 },
    });
  });

  it("lets the answer be read to its end when the bill must be right", async () => {
    const { ask, gateway } = await setUp({ billing: { drain_on_abort: true } }, 5);
    await leave(ask);
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", usageEstimated: false });
    expect(gateway.settlements[0]?.usage?.outputTokens).toBeGreaterThan(20);
  });

  it("is drained no longer than the bound", async () => {
    const { ask, gateway } = await setUp({ billing: { drain_on_abort: true, drain_seconds: 0.1 } }, 20);
    const began = performance.now();
    await leave(ask, "Talk at length");
    await eventually(() => gateway.settlements.length > 0);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", usageEstimated: true });
  });
});

it("a service that shuts down ends its streams in the dialect's words", async () => {
  const { ask, gateway } = await setUp({}, 30);
  const answer = await ask({ stream: true });
  const reader = answer.body?.getReader();
  await reader?.read();
  gateway.shutDown();
  let text = "";
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
    text += Buffer.from(part.value).toString();
  expect(text).toContain('"code":"shutting_down"');
  expect(gateway.settlements[0]).toMatchObject({ outcome: "error", errorCode: "shutting_down" });
});

it("a slow reader holds the upstream back instead of filling memory", async () => {
  let written = 0;
  let blocked = false;
  const chunk = `data: {"choices":[{"index":0,"delta":{"content":"${"x".repeat(8000)}"},"finish_reason":null}]}\n\n`;
  const url = await provider((_, outgoing) => {
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    const write = (): void => {
      for (let index = 0; index < 20 && !outgoing.destroyed; index += 1) {
        written += chunk.length;
        if (!outgoing.write(chunk)) {
          blocked = true;
          outgoing.once("drain", write);
          return;
        }
        blocked = false;
      }
      setImmediate(write);
    };
    write();
  });
  const models = [{ model_name: "m", litellm_params: { model: "openai/x", api_base: url } }];
  const { ask } = await setUp({ models });
  const abort = new AbortController();
  const answer = await ask({ stream: true, signal: abort.signal });
  await answer.body?.getReader().read();
  let before = -1;
  let still = 0;
  // Buffers of the sockets on the way fill; then nothing moves any more.
  await eventually(() => {
    still = blocked && written === before ? still + 1 : 0;
    before = written;
    return still > 25;
  });
  const settled = written;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(written).toBe(settled);
  expect(written).toBeLessThan(40 * 1024 * 1024);
  abort.abort();
});

describe("a hostile upstream", () => {
  it("with a thousand encodings is refused without unpacking", async () => {
    const { fault, ask } = await setUp();
    await fault({ fault: "encoding" });
    expect((await ask()).status).toBe(502);
    await fault({ fault: "encoding" });
    expect((await ask({ stream: true })).status).toBe(502);
  });

  it.each([
    ["that answers no JSON", "garbage", 502],
    ["that breaks the connection", "drop", 503],
  ])("%s", async (_, kind, status) => {
    const { fault, ask } = await setUp();
    await fault({ fault: kind });
    expect((await ask()).status).toBe(status);
  });

  it("that answers without end is cut", async () => {
    const url = await provider((_, outgoing) => {
      outgoing.writeHead(200, { "content-type": "application/json" });
      const write = (): void => {
        while (!outgoing.destroyed && outgoing.write(Buffer.alloc(1024 * 1024, 32)));
        if (!outgoing.destroyed) outgoing.once("drain", write);
      };
      write();
    });
    const { ask } = await setUp({
      models: [{ model_name: "m", litellm_params: { model: "openai/x", api_base: url } }],
    });
    expect((await ask()).status).toBe(502);
  });
});

it("tells a guardrail's intervention apart from an ordinary end", async () => {
  const guardrailConfig = { guardrailIdentifier: "g", guardrailVersion: "1" };
  const models = [{ model_name: "m", litellm_params: { model: "bedrock/amazon.nova-lite-v1:0", guardrailConfig } }];
  const { ask, gateway } = await setUp({ models });
  const answer = await (await ask({ content: "About forbidden-topic, please" })).json();
  expect(answer).toMatchObject({ choices: [{ finish_reason: "content_filter", stop_reason: "guardrail_intervened" }] });
  expect(gateway.settlements[0]).toMatchObject({ outcome: "ok", errorCode: "guardrail_intervened" });
});

it("tells it apart in Anthropic's words too, whole and streamed", async () => {
  const guardrailConfig = { guardrailIdentifier: "g", guardrailVersion: "1" };
  const model = "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0";
  const { gateway } = await setUp({ models: [{ model_name: "m", litellm_params: { model, guardrailConfig } }] });
  const messages = [{ role: "user", content: "About forbidden-topic, please" }];
  const post = (stream: boolean) =>
    fetch(`${gateway.url}/v1/messages`, {
      method: "POST",
      body: JSON.stringify({ model: "m", max_tokens: 50, messages, stream }),
    });
  expect(await (await post(false)).json()).toMatchObject({
    stop_reason: "refusal",
    stop_details: { explanation: "guardrail_intervened" },
  });
  await (await post(true)).text();
  await eventually(() => gateway.settlements.length === 2);
  expect(gateway.settlements.map(({ outcome, errorCode }) => [outcome, errorCode])).toEqual(
    Array(2).fill(["ok", "guardrail_intervened"]),
  );
});
