import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "onbehalf-run-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const kit = JSON.stringify(new URL("./index.ts", import.meta.url).href);
const hono = JSON.stringify(import.meta.resolve("hono"));

/** A whole service in a process of its own. */
const service = `
import { Hono } from ${hono};
import { createLogger, loadEnv, port, requestContext, runMain, seconds, secret, serve } from ${kit};
import { z } from ${JSON.stringify(import.meta.resolve("zod"))};
const schema = z.object({ TEST_PORT: port(), GRACE: seconds().default(5), A: port(), B: port(), C: port(), D: port(), E: port(),
  F: port(), G: port(), H: port(), THE_SECRET: secret({ min: 40 }) }).partial({ A: true, B: true, C: true, D: true, E: true,
  F: true, G: true, H: true, THE_SECRET: true });
await runMain(async (env) => {
  const config = loadEnv(schema, env);
  const log = createLogger({ service: "test" });
  if (env.BREAK === "start") throw new Error("cannot start with sk-canary-12345");
  const app = new Hono().use(requestContext({ service: "test", log }));
  app.get("/", (c) => c.text("ok"));
  app.get("/slow", async (c) => {
    const signal = new Promise((done) => process.once("SIGTERM", () => setTimeout(done, 50)));
    log.info({}, "asked");
    await signal;
    return c.text("slow");
  });
  app.get("/never", (c) => { log.info({}, "asked"); return new Promise(() => {}); });
  app.get("/break", () => { setTimeout(() => { throw new Error("late Bearer canary-canary"); }); return new Response("soon"); });
  return serve({ name: "test", app, host: "127.0.0.1", port: config.TEST_PORT, portVariable: "TEST_PORT", log, graceSeconds: config.GRACE });
}, process.env);
`;

interface Run {
  readonly child: ChildProcess;
  /** Resolves when it serves. */
  readonly url: Promise<string>;
  /** Resolves when the log has a line of this message. */
  said(message: string): Promise<void>;
  readonly ended: Promise<{ code: number | null; out: string; err: string }>;
}

function run(env: Record<string, string>): Run {
  const script = join(folder, `${crypto.randomUUID()}.ts`);
  writeFileSync(script, service);
  const child = spawn(process.execPath, [script], {
    env: { TEST_PORT: "0", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let heard = "";
  child.stdout.on("data", (chunk) => {
    heard += String(chunk);
  });
  const said = async (message: string): Promise<void> => {
    while (!heard.includes(`"msg":"${message}"`) && child.exitCode === null) await once(child.stdout, "data");
  };
  const url = said("listening").then(() => `http://127.0.0.1:${/"port":(\d+)/.exec(heard)?.[1]}`);
  const ended = Promise.all([once(child, "exit"), text(child.stdout), text(child.stderr)]).then(
    ([[code], out, err]) => ({
      code,
      out,
      err,
    }),
  );
  return { child, url, said, ended };
}

describe("a configuration that cannot be used", () => {
  test("is printed whole, ten problems by name, without a secret, and exits 78", async () => {
    const names = ["A", "B", "C", "D", "E", "F", "G", "H", "TEST_PORT"];
    const wrong = Object.fromEntries(names.map((name) => [name, "wrong"]));
    const { code, out, err } = await run({ ...wrong, THE_SECRET: "canary" }).ended;
    expect(code).toBe(78);
    expect(out).toBe("");
    expect(err).toMatch(/^10 problems in the configuration:\n/);
    for (const name of [...names, "THE_SECRET"]) expect(err).toMatch(new RegExp(`^ {2}${name}: expected`, "m"));
    expect(err).not.toContain("canary");
    expect(err).not.toContain("    at ");
  });
});

describe("a running service", () => {
  test("ends what runs on SIGTERM, writes its last lines, and exits 0", async () => {
    const { child, url, said, ended } = run({});
    const answer = fetch(`${await url}/slow`);
    await said("asked");
    child.kill("SIGTERM");
    expect(await (await answer).text()).toBe("slow");
    const { code, out, err } = await ended;
    expect([code, err]).toEqual([0, ""]);
    const lines = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).msg);
    expect(lines).toEqual(["listening", "asked", "draining", "request", "stopped"]);
  });

  test("exits 0 in the grace time although a request never ends", async () => {
    const { child, url, said, ended } = run({ GRACE: "1" });
    const answer = fetch(`${await url}/never`).catch((error: unknown) => error);
    await said("asked");
    child.kill("SIGINT");
    const { code, out } = await ended;
    expect(code).toBe(0);
    expect(await answer).toBeInstanceOf(Error);
    expect(out).toContain('"outcome":"aborted"');
  });

  test("takes the echoes of one Ctrl-C for one", async () => {
    const { child, url, said, ended } = run({});
    const answer = fetch(`${await url}/slow`);
    await said("asked");
    for (const signal of ["SIGINT", "SIGINT", "SIGTERM"] as const) child.kill(signal);
    expect(await (await answer).text()).toBe("slow");
    expect((await ended).code).toBe(0);
  });

  test("exits 1 at once on a second signal", async () => {
    const { child, url, said, ended } = run({ GRACE: "600" });
    fetch(`${await url}/never`).catch(() => {});
    await said("asked");
    child.kill("SIGINT");
    await said("draining");
    await new Promise((resolve) => setTimeout(resolve, 600));
    child.kill("SIGINT");
    const { code, err } = await ended;
    expect(code).toBe(1);
    expect(err).toContain("second signal");
  });

  test("that a stray error stops exits 1, with the error masked", async () => {
    const { url, ended } = run({});
    await fetch(`${await url}/break`);
    const { code, err } = await ended;
    expect(code).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ level: "fatal", err: { message: "late Bearer [masked]" } });
  });

  test("that cannot start says why, masked, and exits 1", async () => {
    const { code, err } = await run({ BREAK: "start" }).ended;
    expect(code).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ msg: "could not start", err: { message: "cannot start with [masked]" } });
  });
});
