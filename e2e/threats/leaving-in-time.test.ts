import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";

let chain: Chain | undefined;
const held: Socket[] = [];
afterEach(async () => {
  for (const socket of held.splice(0)) socket.destroy();
  await chain?.close();
});

/** A client that says so much and then neither reads nor leaves. */
async function hold(url: string, bytes: string): Promise<void> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => undefined).pause();
  held.push(socket);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  if (bytes !== "") await new Promise<void>((resolve) => socket.write(bytes, "latin1", () => resolve()));
  await new Promise((resolve) => setTimeout(resolve, 50));
}

const habits = {
  "says nothing": "",
  "begins a head": "GET / HTTP/1.1\r\nHost: x\r\n",
  "promises a body": "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",
  "speaks HTTP/2 and then nothing": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0",
  "begins to speak HTTP/2": "PRI * HTTP/2.0\r\n",
};

it("clients who hold on to their connections do not hold the services' end", async () => {
  chain = await startChain({ SHUTDOWN_GRACE_SECONDS: "1" });
  const { launchpad, voicebox, gateway } = chain.urls;
  for (const url of [launchpad, voicebox, gateway]) {
    for (const bytes of Object.values(habits)) await hold(url, bytes);
  }
  const ended = chain.sandbox.close().then(() => "ended");
  // Several times the grace of all services in turn, yet below any limit of theirs that lets go of a silent connection.
  const patience = new Promise((resolve) => setTimeout(resolve, 12_000, "still running"));
  expect(await Promise.race([ended, patience])).toBe("ended");
});
