import { once } from "node:events";
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";
import { Hono } from "hono";
import { afterEach, expect, test } from "vitest";
import { createLogger } from "./log.ts";
import { type ServeOptions, serve } from "./serve.ts";
import type { Service } from "./service.ts";
import { captureLogs } from "./testing/logs.ts";

let service: Service | undefined;
afterEach(() => service?.close());

async function start(options: Partial<ServeOptions> = {}) {
  const logs = captureLogs();
  const log = createLogger({ service: "test", destination: logs.destination });
  const app = new Hono().get("/x", (c) => c.text("reached"));
  const common = { name: "test", app, host: "127.0.0.1", port: 0, portVariable: "TEST_PORT", log, graceSeconds: 0 };
  service = await serve({ ...common, ...options });
  return { service, logs };
}

test("a head that holds two tokens of the longest kind is read", async () => {
  const { url } = (await start()).service;
  const headers = { authorization: `Bearer ${"x".repeat(15_000)}`, "x-sd-auth-token": "y".repeat(15_000) };
  expect((await fetch(`${url}/x`, { headers })).status).toBe(200);
});

test.each([
  ["names no host", "GET /x HTTP/1.0\r\n\r\n"],
  ["asks to be kept", "GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"],
])("HTTP/1.0 that %s is answered, as load balancers' checks speak it", async (_, head) => {
  const { port } = (await start()).service;
  const socket = connect(port, "127.0.0.1");
  socket.write(head);
  const [answer] = await once(socket, "data");
  socket.destroy();
  expect(String(answer)).toMatch(/^HTTP\/1\.1 200 .*reached$/s);
});

test("connections beyond the limit are closed as they come; the others go on", async () => {
  const { port } = (await start({ limits: { maxConnections: 1 } })).service;
  const first = connect(port, "127.0.0.1");
  await once(first, "connect");
  const second = connect(port, "127.0.0.1").on("error", () => {});
  await once(second.resume(), "close");
  first.write("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  expect(await readText(first)).toMatch(/^HTTP\/1\.1 200 /);
});

test("a closer that does not end keeps neither the next one nor the process, and is logged", async () => {
  const steps: string[] = [];
  const hanging = () => new Promise<void>(() => {});
  const started = await start({ onClose: [hanging, () => void steps.push("second")] });
  await started.service.close();
  expect(steps).toEqual(["second"]);
  expect(started.logs.text()).toContain("did not end within 5000 ms");
});
