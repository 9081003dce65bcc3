import { connect, createServer, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { writeAtTurnsEnd } from "./turn.ts";

const open: { destroy(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

/** Both ends of a connection; what arrives at the far one is gathered. */
async function connection(): Promise<{ near: Socket; received: () => Promise<string> }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  const near = connect(address.port, "127.0.0.1");
  const far = await accepted;
  open.push(near, far, { destroy: () => server.close() });
  writeAtTurnsEnd(near);
  let text = "";
  far.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const ended = new Promise<void>((resolve) => far.once("close", () => resolve()));
  return { near, received: () => ended.then(() => text) };
}

function write(socket: Socket, ...parts: string[]): void {
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
}

test("what is written to several connections leaves at the end of the turn, in its order", async () => {
  const [first, second] = [await connection(), await connection()];
  write(first.near, "a", "b");
  write(second.near, "x");
  write(first.near, "c");
  await Promise.resolve();
  expect([first.near.writableLength, second.near.writableLength]).toEqual([3, 1]);
  await nextTurn();
  expect([first.near.writableLength, second.near.writableLength]).toEqual([0, 0]);
  first.near.end();
  second.near.end("y");
  expect([await first.received(), await second.received()]).toEqual(["abc", "xy"]);
});

test("a connection that is ended in the same turn takes everything along", async () => {
  const { near, received } = await connection();
  write(near, "whole");
  near.end(" answer");
  expect(await received()).toBe("whole answer");
});

test("one that is cut before the turn's end hurts nobody", async () => {
  const [cut, kept] = [await connection(), await connection()];
  write(cut.near, "never");
  write(kept.near, "still");
  cut.near.destroy();
  await nextTurn();
  kept.near.end();
  expect([await cut.received(), await kept.received()]).toEqual(["", "still"]);
});

test("what is written while the others leave goes with the next turn", async () => {
  const { near, received } = await connection();
  near.cork();
  near.write("one", () => write(near, " two"));
  near.uncork();
  await nextTurn();
  await nextTurn();
  await nextTurn();
  near.end();
  expect(await received()).toBe("one two");
});
