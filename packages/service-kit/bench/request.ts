import { EventEmitter } from "node:events";
import { openSync } from "node:fs";
import { Hono, type MiddlewareHandler } from "hono";
import { destination } from "pino";
import { createRunning } from "../src/connection.ts";
import { createLogger, gather } from "../src/log.ts";
import { requestContext } from "../src/request.ts";

/**
 * What ids, trace, signal and the line cost a request, beside a middleware that does nothing:
 * `node packages/service-kit/bench/request.ts`. No sockets, so that only this code is measured.
 */
const requests = 50_000;
const rounds = 7;

const sink = gather(destination({ dest: openSync("/dev/null", "w"), sync: true }));
const log = createLogger({ service: "bench", destination: sink });
const idle = appWith(async (_, next) => next());
const whole = appWith(requestContext({ service: "bench", log }));

function appWith(middleware: MiddlewareHandler): Hono {
  const app = new Hono();
  app.use(middleware);
  app.get("/x", (c) => c.json({ ok: true }));
  return app;
}

const running = createRunning();
const request = new Request("http://localhost/x");

/** As much of Node's answer as is used. */
function answer() {
  const headers: Record<string, string> = {};
  const setHeader = (name: string, value: string): void => {
    headers[name] = value;
  };
  return Object.assign(new EventEmitter(), { writableFinished: true, headersSent: true, statusCode: 200, setHeader });
}

async function microseconds(app: Hono): Promise<number> {
  const started = performance.now();
  for (let index = 0; index < requests; index += 1) {
    const outgoing = answer();
    const { status } = await app.fetch(request, { incoming: { headers: {} }, outgoing, running });
    if (status !== 200) throw new Error(`answered ${status}: what was measured is no request`);
    outgoing.emit("close");
  }
  return ((performance.now() - started) * 1_000) / requests;
}

const added: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const nothing = await microseconds(idle);
  added.push((await microseconds(whole)) - nothing);
}
const median = added.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
process.stdout.write(`request context with its line: ${median.toFixed(1)} µs per request\n`);
