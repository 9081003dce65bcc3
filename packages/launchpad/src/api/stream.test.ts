import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fetch } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { snapshot } from "./schemas.ts";
import { snapshotStream } from "./stream.ts";

test("a reader that leaves closes the stream above, also while nothing comes", async () => {
  const closed = Promise.withResolvers<void>();
  const server = createServer((_, outgoing) => {
    outgoing.on("close", closed.resolve);
    outgoing.writeHead(200);
    outgoing.write('{"result":"Bob","actions":[],"pending":true}\n');
  });
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
  const reader = stream.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toContain("Bob");
  await reader.cancel();
  await closed.promise;
  expect(ended).toEqual(["aborted"]);
});
