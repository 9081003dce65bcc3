import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { startForwarding } from "../forward-testing.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Listens with room for two connections and then never looks up again: nothing is taken from the queue. */
const deafListener = `
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  require("node:fs").writeSync(1, String(server.address().port));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** The kernel drops what comes after the two, as a firewall does: connecting hangs. */
async function fullQueue(): Promise<string> {
  const child = spawn(process.execPath, ["-e", deafListener], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  closing.push(() => {
    child.kill("SIGKILL");
    return ended;
  });
  const [port] = await once(child.stdout.setEncoding("utf8"), "data");
  for (let taken = 0; taken < 2; taken += 1) {
    const filler = connect(Number(port), "127.0.0.1").on("error", () => undefined);
    closing.push(() => filler.destroy());
    await once(filler, "connect");
  }
  return `http://127.0.0.1:${port}`;
}

/** The connection is there, and its TLS handshake is never answered. */
async function silentTls(): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined).resume()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it.each([
  ["when nobody takes the connection", fullQueue],
  ["when nobody answers the handshake", silentTls],
])("connect_timeout ends the call %s", async (_, hanging) => {
  const litellm_params = { model: "openai/gpt", api_base: await hanging(), api_key: "sk-upstream" };
  // Each other clock is far away, and so is the connect_timeout of somebody who sets none.
  const router = { num_retries: 0, connect_timeout: 1, stream_timeout: 30, idle_timeout: 30, timeout: 30 };
  const gateway = await startForwarding({ models: [{ model_name: "m", litellm_params }], router });
  closing.push(() => gateway.close());
  const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hello" }] });
  const startedAt = performance.now();
  const answer = await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", body });
  const tookMs = performance.now() - startedAt;
  expect(answer.status).toBe(504);
  expect(await answer.json()).toMatchObject({
    error: { code: "upstream_timeout", message: expect.stringContaining("could not be reached in time") },
  });
  expect(gateway.failures[0]?.cause).toMatchObject({ code: "UND_ERR_CONNECT_TIMEOUT" });
  expect(tookMs).toBeGreaterThan(400);
  expect(tookMs).toBeLessThan(4000);
});
