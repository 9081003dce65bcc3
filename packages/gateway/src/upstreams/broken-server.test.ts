import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, type ForwardSetup, startForwarding } from "../forward-testing.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A server that writes what a test wants, HTTP or not, once it has the whole request. */
async function serverOf(answer: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let got = "";
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      got += bytes.toString("latin1");
      const head = got.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(got)?.[1] ?? 0);
      if (head < 0 || got.length < head + 4 + length) return;
      got = "";
      answer(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function asked(
  answer: (socket: Socket) => void,
  setup: Partial<ForwardSetup> & { provider?: "openai" | "anthropic"; path?: string; stream?: boolean } = {},
) {
  const { provider = "openai", path = "/v1/chat/completions", stream = false, ...rest } = setup;
  const api_base = await serverOf(answer);
  const models = [{ model_name: "m", litellm_params: { model: `${provider}/x`, api_base } }];
  const gateway = await startForwarding({ models, router: { num_retries: 0 }, ...rest });
  closing.push(() => gateway.close());
  const response = await fetch(gateway.url + path, {
    method: "POST",
    body: JSON.stringify({ model: "m", stream, max_tokens: 9, messages: [{ role: "user", content: "Hi" }] }),
  });
  const text = await response.text();
  await eventually(() => gateway.settlements.length + gateway.failures.length > 0);
  return { status: response.status, text, settlement: gateway.settlements[0], failure: gateway.failures[0] };
}

const whole = '{"choices":[{"index":0,"message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}';
const word = 'data: {"choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":null}]}\n\n';
const last = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const count = 'data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}\n\n';
const done = "data: [DONE]\n\n";

const reply = (body: string, { status = "200 OK", headers = "" } = {}): string =>
  `HTTP/1.1 ${status}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
/** A stream without length: it ends with its connection. */
const head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
const streamed = (text: string) => (socket: Socket) => void socket.end(head + text);
/** A stream that is torn off. */
const torn = (text: string) => (socket: Socket) =>
  void socket.write(`${head.replace("connection: close", "content-length: 99999")}${text}`, () => socket.destroy());

describe("an error that calls itself 200", () => {
  const quota = '{"error":{"message":"quota of org-42 is used up","type":"insufficient_quota","code":429}}';

  it.each([
    ["of OpenAI, whole", { stream: false }],
    ["of OpenAI, instead of a stream", { stream: true }],
    ["of OpenAI, translated", { stream: false, path: "/v1/messages" }],
    ["of OpenAI, translated, instead of a stream", { stream: true, path: "/v1/messages" }],
    ["of Anthropic, whole", { provider: "anthropic", stream: false, path: "/v1/messages" }],
    ["of Anthropic, instead of a stream", { provider: "anthropic", stream: true, path: "/v1/messages" }],
    ["of Anthropic, translated", { provider: "anthropic", stream: false }],
  ] as const)("is none: %s", async (_, setup) => {
    const { status, text, failure } = await asked((socket) => void socket.write(reply(quota)), setup);
    expect([status, failure?.code]).toEqual([429, "upstream_throttled"]);
    expect(text).not.toContain("org-42");
  });

  it("is told by its number where its type says nothing", async () => {
    const error = 'data: {"error":{"message":"x","type":"None","code":"503"}}\n\n';
    expect((await asked(streamed(error), { stream: true })).failure?.code).toBe("upstream_unavailable");
  });
});

it.each([301, 302, 307])("a %i is not followed, and the operator is told where it leads", async (status) => {
  const headers = "location: http://127.0.0.1:9/elsewhere\r\n";
  const seen = await asked((socket) => void socket.write(reply("", { status: `${status} Moved`, headers })));
  expect([seen.status, seen.failure?.code]).toEqual([502, "upstream_denied"]);
  expect(seen.failure?.cause).toContain("http://127.0.0.1:9/elsewhere");
  expect(seen.text).not.toContain("elsewhere");
});

it("an announcement is not the answer", async () => {
  const early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
  // Long enough for a keep-alive, which would make a 200 of what is none yet.
  const answer = (socket: Socket): void => {
    socket.write(early);
    setTimeout(() => socket.write(reply("{}", { status: "503 Service Unavailable" })), 150);
  };
  const router = { num_retries: 0, keep_alive: 0.03 };
  expect((await asked(answer, { stream: true, router })).status).toBe(503);
  expect((await asked((socket) => void socket.write(early + reply(whole)))).status).toBe(200);
});

it("a byte order mark is passed over, in JSON and in a stream", async () => {
  expect(await asked((socket) => void socket.write(reply(`\ufeff${whole}`)))).toMatchObject({
    status: 200,
    text: whole,
  });
  expect((await asked(streamed(`\ufeff${word}${last}${done}`), { stream: true })).text).toBe(word + last + done);
});

describe("a stream's end", () => {
  it.each([
    ["without [DONE]", word + last + count, "data: [DONE]\n\n"],
    ["without its last blank line", (word + last + count + done).trimEnd(), "data: [DONE]\n\n"],
    ["right behind the count", (word + last + count).trimEnd(), "data: [DONE]\n\n"],
  ])("%s is made good, and counted", async (_, text, end) => {
    const seen = await asked(streamed(text), { stream: true });
    expect(seen.text).toBe(word + last + end);
    expect(seen.settlement).toMatchObject({ outcome: "ok", usage: { inputTokens: 7, outputTokens: 3 } });
  });

  it.each([
    ["behind the count", word + last + count],
    ["inside [DONE]", `${word}${last}${count}data: [DO`],
    ["behind [DONE]", word + last + count + done],
  ])("that is torn off %s takes nothing from a whole answer", async (_, text) => {
    for (const path of ["/v1/chat/completions", "/v1/messages"]) {
      const seen = await asked(torn(text), { stream: true, path });
      expect(seen.text).not.toContain("error");
      expect(seen.text).toContain(path === "/v1/messages" ? "message_stop" : "data: [DONE]\n\n");
      expect(seen.settlement).toMatchObject({ outcome: "ok", errorCode: undefined, usage: { outputTokens: 3 } });
    }
  });

  it("that does not come is no failure of an answer that did", async () => {
    const answer = (socket: Socket) => void socket.write(head + word + last + count + done);
    const seen = await asked(answer, { stream: true, router: { num_retries: 0, idle_timeout: 0.2 } });
    expect(seen.text).toBe(word + last + done);
    expect(seen.settlement).toMatchObject({ outcome: "ok", errorCode: undefined });
  });

  it.each([
    ["before its reason", word, "upstream_unavailable"],
    ["before its count", word + last, "upstream_unavailable"],
  ])("that is torn off %s is a failure", async (_, text, code) => {
    const seen = await asked(torn(text), { stream: true });
    expect(seen.text).toContain(`"code":"${code}"`);
    expect(seen.settlement).toMatchObject({ outcome: "error", errorCode: code });
  });
});

describe("the estimate of a stream that broke off", () => {
  const spaced = (text: string): string => text.replaceAll('":', '": ').replaceAll(',"', ', "');
  const long = `data: {"id":"${"i".repeat(200)}","choices":[{"index":0,"delta":{"content":"x\\"${"y".repeat(37)}"},"finish_reason":null}]}\n\n`;
  const tool =
    'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":1}"}}]},"finish_reason":null}]}\n\n';

  const ollamaCall =
    'data: {"id":"chatcmpl-965","object":"chat.completion.chunk","created":1795372767,"model":"tool","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":[{"id":"call_mvqzfhpb","index":0,"type":"function","function":{"name":"get_weather","arguments":"{\\"city\\":\\"Paris\\"}"}}]},"finish_reason":null}]}\n\n';
  const thought = `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1795373409,"model":"scripted","choices":[{"index":0,"delta":{"reasoning":"${"t".repeat(100)}"},"logprobs":null,"finish_reason":null,"token_ids":null}]}\n\n`;

  it.each([
    ["counts words and not what is around them", long, 10],
    ["counts each part as a token at least", word.repeat(10), 13],
    ["counts what Python's servers write", spaced(word).repeat(10), 13],
    ["counts a tool's arguments", tool.repeat(4), 9],
    ["counts a tool's arguments beside an empty text, as Ollama has them", ollamaCall.repeat(4), 20],
    ["counts vLLM's thoughts", thought, 25],
  ])("%s", async (_, text, tokens) => {
    const seen = await asked(torn(text), { stream: true });
    expect(seen.settlement).toMatchObject({ usageEstimated: true, usage: { outputTokens: tokens } });
  });

  const letter = word.replace("Hello", "é");
  it.each(["/v1/chat/completions", "/v1/messages"])("is the same in every dialect: at %s", async (path) => {
    const seen = await asked(torn(letter.repeat(10)), { stream: true, path });
    expect(seen.settlement).toMatchObject({ usageEstimated: true, usage: { outputTokens: 10 } });
  });
});

describe("an answer that Ollama ended for its repetitions", () => {
  // Version 0.17.4 gives up at the thirtieth, with no reason and counts of 0; it has read and written all the same.
  const content = " again".repeat(31);
  const ended = `{"id":"chatcmpl-362","object":"chat.completion","created":1795372766,"model":"repeat","system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"${content}"},"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}\n`;

  it.each(["/v1/chat/completions", "/v1/messages"])("is not free at %s", async (path) => {
    const { status, settlement } = await asked((socket) => void socket.write(reply(ended)), { path });
    expect(status).toBe(200);
    const usage = { inputTokens: expect.toSatisfy((count) => count > 0), outputTokens: Math.ceil(content.length / 4) };
    expect(settlement).toMatchObject({ outcome: "ok", usageEstimated: true, usage });
  });

  it("has ended early as a stream, and is not free", async () => {
    const chunk =
      'data: {"id":"chatcmpl-883","object":"chat.completion.chunk","created":1795372769,"model":"repeat","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":" again"},"finish_reason":null}]}\n\n';
    const { text, settlement } = await asked(streamed(chunk.repeat(31)), { stream: true });
    expect(text).toContain("ended early");
    expect(settlement).toMatchObject({ outcome: "error", usageEstimated: true, usage: { outputTokens: 47 } });
  });
});

it("comments of the upstream do not leave the client in silence", async () => {
  const answer = (socket: Socket): void => {
    socket.write(head);
    const talk = setInterval(() => void socket.write(": working\n\n"), 20);
    setTimeout(() => {
      clearInterval(talk);
      socket.end(word + last + done);
    }, 400);
  };
  const seen = await asked(answer, { stream: true, router: { num_retries: 0, keep_alive: 0.1 } });
  expect(seen.text.match(/^: keep-alive$/gm)?.length).toBeGreaterThan(1);
  expect(seen.settlement?.outcome).toBe("ok");
});

it("says what a server in Python finds wrong with a request", async () => {
  const body = '{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"missing"}]}';
  const seen = await asked((socket) => void socket.write(reply(body, { status: "422 Unprocessable Entity" })));
  expect([seen.status, seen.text]).toEqual([400, expect.stringContaining("body.messages.0: field required")]);
});

it("waits as finely as Azure says", async () => {
  const headers = "retry-after-ms: 61500\r\nretry-after: 1\r\n";
  const seen = await asked((socket) => void socket.write(reply("{}", { status: "429 Too Many", headers })));
  expect(seen.failure?.retryAfterSeconds).toBe(61.5);
});

it("gives a call without an id one, and tells apart those that are all numbered 0", async () => {
  const part = (call: object): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] }, finish_reason: null }] })}\n\n`;
  const text =
    part({ id: "a", function: { name: "look", arguments: '{"at":' } }) +
    part({ id: "other", function: { arguments: '"sky"}' } }) +
    part({ id: "b", function: { name: "look", arguments: "{}" } }) +
    last;
  const seen = await asked(streamed(text), { stream: true, path: "/v1/messages" });
  expect(seen.text.match(/"type":"tool_use","id":"\w+"/g)).toEqual([
    '"type":"tool_use","id":"a"',
    '"type":"tool_use","id":"b"',
  ]);
  const call = { function: { name: "look", arguments: "{}" } };
  const body = JSON.stringify({ choices: [{ message: { tool_calls: [call, call] }, finish_reason: "tool_calls" }] });
  const { content } = JSON.parse(
    (await asked((socket) => void socket.write(reply(body)), { path: "/v1/messages" })).text,
  );
  expect(new Set(content.map(({ id }: { id: string }) => id)).size).toBe(2);
  expect(content[0].id).toMatch(/^call_\w{32}$/);
});
