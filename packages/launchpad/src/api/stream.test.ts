import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { fetch, Response } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { snapshot } from "./schemas.ts";
import { snapshotStream } from "./stream.ts";

/** An answer of Voicebox's, passed on. */
async function passed(answer: (outgoing: ServerResponse) => void) {
  const server = createServer((_, outgoing) => answer(outgoing));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const ended: unknown[] = [];
  const stream = snapshotStream({
    upstream: await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    requestId: "r",
    paceMs: 0,
    toLine: (one) => one,
    parse: (line) => snapshot.parse(JSON.parse(line)),
    onEnd: (outcome) => void ended.push(outcome),
  });
  return { stream, ended };
}

test("rows as many as Voicebox may be set to give are no broken answer, and lines may be cut anywhere", async () => {
  const csv = `${"é".repeat(99)}\n`.repeat(60_000);
  const whole = Buffer.from(
    `{"result":"B","actions":[],"pending":true}\n\n${JSON.stringify({ result: "Bob", actions: [{ type: "csv", value: csv }], pending: false })}`,
  );
  const { stream, ended } = await passed((outgoing) => {
    outgoing.write(whole.subarray(0, 5));
    outgoing.write(whole.subarray(5, 1_001));
    outgoing.end(whole.subarray(1_001));
  });
  const lines = (await new Response(stream).text()).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).result)).toEqual(["B", "Bob"]);
  expect(JSON.parse(lines[1] ?? "").actions[0].value).toBe(csv);
  expect(ended).toEqual(["ok"]);
});

test("a reader that leaves closes the stream above, also while nothing comes", async () => {
  const closed = Promise.withResolvers<void>();
  const { stream, ended } = await passed((outgoing) => {
    outgoing.on("close", closed.resolve);
    outgoing.writeHead(200);
    outgoing.write('{"result":"Bob","actions":[],"pending":true}\n');
  });
  const reader = stream.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain("Bob");
  await reader.cancel();
  await closed.promise;
  expect(ended).toEqual(["aborted"]);
});

test("a long line in many small parts takes as long as it is", async () => {
  const line = Buffer.from(`${JSON.stringify({ result: "x".repeat(2 * 1024 * 1024), actions: [], pending: false })}\n`);
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(line.subarray(at, at + 64));
      at += 64;
      if (at >= line.length) controller.close();
    },
  });
  const begun = performance.now();
  const stream = snapshotStream({
    upstream: new Response(body),
    requestId: "r",
    paceMs: 0,
    toLine: (one) => one,
    parse: (text) => snapshot.parse(JSON.parse(text)),
    onEnd: () => {},
  });
  const lines: Uint8Array[] = [];
  for await (const part of stream) lines.push(part);
  expect(Buffer.concat(lines)).toEqual(line);
  // Looked through again with each part, it took many seconds.
  expect(performance.now() - begun).toBeLessThan(2_000);
});
