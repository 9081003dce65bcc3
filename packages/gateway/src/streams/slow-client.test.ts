import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { connect as connectHttp2, constants } from "node:http2";
import { type AddressInfo, connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, startForwarding } from "../forward-testing.ts";

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const word = `data: {"choices":[{"index":0,"delta":{"content":"${"x".repeat(8000)}"},"finish_reason":null}]}\n\n`;

function flood(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { "content-type": "text/event-stream" });
  const write = (): void => {
    while (!outgoing.destroyed && outgoing.write(word));
    if (!outgoing.destroyed) outgoing.once("drain", write);
  };
  write();
}

/** More than the system's buffers hold between the gateway and its client. */
function large(outgoing: ServerResponse): void {
  const content = "y".repeat(30 * 1024 * 1024);
  outgoing.writeHead(200, { "content-type": "application/json" });
  outgoing.end(JSON.stringify({ choices: [{ index: 0, message: { content }, finish_reason: "stop" }] }));
}

async function setUp(answer: (outgoing: ServerResponse) => void, timeout: number, http2 = false) {
  const upstream = createServer((incoming, outgoing) => {
    incoming.resume();
    answer(outgoing);
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  closing.push(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const api_base = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const gateway = await startForwarding({
    models: [
      { model_name: "m", litellm_params: { model: "openai/first", api_base, order: 0 } },
      { model_name: "m", litellm_params: { model: "openai/second", api_base, order: 1 } },
    ],
    router: { num_retries: 0, allowed_fails: 1, timeout, idle_timeout: 0.3 },
    http2,
  });
  closing.push(() => gateway.close());
  /** A client that sends its request and never reads an answer. */
  const ask = async (stream: boolean): Promise<Socket> => {
    const socket = connect(Number(new URL(gateway.url).port), "127.0.0.1").pause();
    socket.on("error", () => {});
    closing.push(() => void socket.destroy());
    const body = JSON.stringify({ model: "m", stream, messages: [{ role: "user", content: "Hi" }] });
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    return socket;
  };
  /** Whether the gateway has let go of it: then what was on its way comes to an end. */
  const isCut = async (socket: Socket): Promise<boolean> => {
    let isOver = false;
    socket.once("close", () => {
      isOver = true;
    });
    socket.resume();
    await eventually(() => isOver);
    return isOver;
  };
  return { gateway, ask, isCut };
}

describe("a client that does not read", () => {
  it("is told so, cut after a while, and no reason to leave the model alone", async () => {
    const { gateway, ask, isCut } = await setUp(flood, 0.5);
    const socket = await ask(true);
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", errorCode: "request_timeout" });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await isCut(socket)).toBe(true);
    await ask(true);
    await eventually(() => gateway.settlements.length > 1);
    expect(gateway.settlements.map(({ providerModel }) => providerModel)).toEqual(["openai/first", "openai/first"]);
  });

  it("is cut alone, where others share its connection", async () => {
    const { gateway } = await setUp(flood, 0.5, true);
    const session = connectHttp2(gateway.url);
    closing.push(() => session.destroy());
    const body = JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "Hi" }] });
    const unread = session.request({ ":method": "POST", ":path": "/v1/chat/completions" }).on("error", () => {});
    unread.end(body);
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]).toMatchObject({ outcome: "aborted", errorCode: "request_timeout" });
    await eventually(() => unread.rstCode !== 0);
    expect(unread.rstCode).toBe(constants.NGHTTP2_CANCEL);
    expect(session.destroyed).toBe(false);
  });

  it("does not keep a whole answer for ever", async () => {
    const { gateway, ask, isCut } = await setUp(large, 30);
    const socket = await ask(false);
    await eventually(() => gateway.settlements.length > 0);
    expect(gateway.settlements[0]?.outcome).toBe("ok");
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(await isCut(socket)).toBe(true);
  });
});
