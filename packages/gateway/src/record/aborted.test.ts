import { createServer, type Server } from "node:http";
import { connect, constants } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { issuers, startTestGateway, type TestGateway } from "../testing/gateway.ts";

interface State {
  open: number;
  left: number;
  /** Nothing is answered at all. */
  silent: boolean;
}

/** An OpenAI that streams one word every 20 ms until it is left. */
function endlessOpenai(state: State): Server {
  return createServer((_request, response) => {
    state.open += 1;
    if (state.silent) {
      response.on("close", () => {
        state.left += 1;
      });
      return;
    }
    response.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = {
      id: "c",
      object: "chat.completion.chunk",
      created: 1,
      model: "m",
      choices: [{ index: 0, delta: { content: "word " }, finish_reason: null }],
    };
    const timer = setInterval(() => response.write(`data: ${JSON.stringify(chunk)}\n\n`), 20);
    response.on("close", () => {
      clearInterval(timer);
      state.left += 1;
    });
  });
}

describe("a client that leaves a stream", () => {
  let gateway: TestGateway;
  let openai: Server;
  let state: State;
  beforeEach(async () => {
    state = { open: 0, left: 0, silent: false };
    openai = endlessOpenai(state);
    await new Promise<void>((resolve) => openai.listen(0, "127.0.0.1", resolve));
    const { port } = openai.address() as AddressInfo;
    const yaml = `${issuers}
model_list: [{ model_name: endless, litellm_params: { model: openai/endless, api_base: "http://127.0.0.1:${port}/v1", api_key: sk-upstream } }]
access: { users: { "*": { max_parallel: 1, tpm: 100000 } } }
`;
    gateway = await startTestGateway({ yaml });
  });
  afterEach(async () => {
    openai.closeAllConnections();
    openai.close();
    await gateway.close();
  });

  test("closes the upstream, leaves one row marked aborted, and frees its place", async () => {
    const token = await gateway.token();
    const leaving = new AbortController();
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      signal: leaving.signal,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "endless", stream: true, messages: [{ role: "user", content: "x" }] }),
    });
    await response.body?.getReader().read();
    expect((await gateway.chat(token, { model: "endless" })).status).toBe(429);
    leaving.abort();
    await vi.waitFor(() => expect(state.left).toBe(1), 10_000);
    const events = await vi.waitFor(
      async () => {
        const { json } = await gateway.call("/audit/events?outcome=aborted", { token });
        expect(json.events).toHaveLength(1);
        return json.events;
      },
      { timeout: 10_000 },
    );
    expect(events[0]).toMatchObject({
      route: "POST /v1/chat/completions",
      model: "endless",
      stream: true,
      first_token_ms: expect.any(Number),
    });
    const again = new AbortController();
    const next = fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      signal: again.signal,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "endless", stream: true, messages: [{ role: "user", content: "x" }] }),
    });
    expect((await next).status).toBe(200);
    again.abort();
    await vi.waitFor(() => expect(state.left).toBe(2), 10_000);
  });

  test("does so over HTTP/2, too, where it need not say why, and before there is an answer", async () => {
    state.silent = true;
    const token = await gateway.token();
    const session = connect(gateway.url);
    const stream = session.request({
      ":method": "POST",
      ":path": "/v1/chat/completions",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    });
    stream.end(JSON.stringify({ model: "endless", stream: true, messages: [{ role: "user", content: "x" }] }));
    await vi.waitFor(() => expect(state.open).toBe(1), 10_000);
    stream.close(constants.NGHTTP2_NO_ERROR);
    await vi.waitFor(() => expect(state.left).toBe(1), 10_000);
    await vi.waitFor(
      async () => {
        const { json } = await gateway.call("/audit/events?outcome=aborted", { token });
        expect(json.events).toMatchObject([{ route: "POST /v1/chat/completions", status: 499, stream: true }]);
      },
      { timeout: 10_000 },
    );
    session.destroy();
  });
});

describe("an upstream's failure", () => {
  test("that may pass soon is told with a time to wait in each dialect, whatever its status", async () => {
    const gateway = await startTestGateway();
    try {
      gateway.upstream.failure = { status: 503, body: { message: "busy" } };
      const token = await gateway.token();
      const messages = [{ role: "user", content: "Hi" }];
      const asked: readonly [path: string, body: object, status: number][] = [
        ["/v1/chat/completions", { model: "claude", messages }, 503],
        ["/v1/messages", { model: "claude", max_tokens: 9, messages }, 529],
        ["/model/claude/converse", { messages: [{ role: "user", content: [{ text: "Hi" }] }] }, 503],
      ];
      for (const [path, body, status] of asked) {
        const answer = await gateway.call(path, { token, body });
        expect([path, answer.status, answer.headers.get("retry-after")]).toEqual([path, status, "1"]);
      }
    } finally {
      await gateway.close();
    }
  });

  test.each([
    [429, { message: "slow down" }, "upstream_throttled", 429],
    [400, { message: "no such parameter" }, "upstream_invalid_request", 400],
    [403, { message: "no access" }, "upstream_denied", 502],
    [500, { message: "oops" }, "upstream_failed", undefined],
  ])("%i leaves its row, and costs nothing", async (status, body, code, answered) => {
    const gateway = await startTestGateway();
    try {
      gateway.upstream.failure = { status, body };
      const token = await gateway.token();
      const answer = await gateway.chat(token);
      if (answered !== undefined) expect(answer.status).toBe(answered);
      if (status === 429) expect(answer.headers.get("retry-after")).not.toBeNull();
      const { json } = await gateway.call("/audit/events", { token });
      const row = json.events.find(({ route }: { route: string }) => route === "POST /v1/chat/completions");
      expect(row).toMatchObject({
        outcome: status === 429 ? "limited" : "error",
        status: answer.status,
        tokens: 0,
        cost_usd: null,
      });
      expect(row.error_code).toMatch(code === "upstream_failed" ? /^upstream_/ : code);
    } finally {
      await gateway.close();
    }
  });
});
