import { type ChildProcess, type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { freePorts } from "./chain.ts";
import { createPerson } from "./person.ts";

const root = join(import.meta.dirname, "..");
const dataDir = mkdtempSync(join(tmpdir(), "onbehalf-"));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

/** A program of this project as a process of its own, with this environment and hardly anything inherited. */
function run(script: string, env: Record<string, string>) {
  return follow(spawn(process.execPath, [join(root, script)], { cwd: root, env: inherit(env) }));
}

function inherit(env: Record<string, string>): Record<string, string> {
  const { PATH = "", HOME = "" } = process.env;
  return { PATH, HOME, ONBEHALF_DATA_DIR: dataDir, ...env };
}

function follow(child: ChildProcessWithoutNullStreams) {
  running.add(child);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const exited = once(child, "exit").then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  return { child, exited, output: () => output };
}

interface Snapshot {
  readonly pending: boolean;
  readonly result: string | null;
}

/** The lines of a streamed answer as they arrive. */
async function* readSnapshots(response: Response): AsyncGenerator<Snapshot, undefined> {
  let rest = "";
  for await (const text of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as Snapshot;
  }
  expect(rest).toBe("");
  return undefined;
}

describe("the sandbox as a process", () => {
  it("Ctrl-C during a streaming answer ends the stream properly, then the process with 0", async () => {
    const ports = await freePorts();
    const sandbox = run("packages/sandbox/src/main.ts", ports);
    const launchpad = `http://localhost:${ports.LAUNCHPAD_PORT}`;
    await expect.poll(() => sandbox.output(), { timeout: 30_000 }).toContain("Ctrl-C ends it");
    for (const name of ["LAUNCHPAD_PORT", "VOICEBOX_PORT", "GATEWAY_PORT"]) {
      expect((await fetch(`http://localhost:${ports[name]}/system/ready`)).status).toBe(200);
      expect((await fetch(`http://localhost:${ports[name]}/system/health`)).status).toBe(204);
    }

    const alice = createPerson(launchpad);
    await alice.signIn("alice");
    // The model stops in the middle of its words, so that the signal comes while an answer is under way.
    // Its first turn only asks for the query; the second one is the answer.
    for (const milliseconds of [1, 30_000]) {
      const told = await fetch(`http://localhost:${ports.SANDBOX_BEDROCK_PORT}/sandbox/faults`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ fault: "pause", after: 10, milliseconds }),
      });
      expect(told.status).toBeLessThan(300);
    }
    const response = await alice.post("/api/v1/voicebox/stream/ask", { query: "Who is Bob?" });
    expect(response.status).toBe(200);
    const snapshots = readSnapshots(response);
    let first = await snapshots.next();
    while (!first.done && !first.value.result) first = await snapshots.next();
    expect(first.value).toMatchObject({ pending: true });

    const started = performance.now();
    sandbox.child.kill("SIGINT");
    let last = first.value;
    for await (const snapshot of snapshots) last = snapshot;
    expect(last).toMatchObject({ pending: false });
    expect(await sandbox.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("npm start prints a command that works when pasted, and ends with 0 when it is told to stop", async () => {
    const ports = await freePorts();
    const npm = follow(spawn("npm", ["start"], { cwd: root, env: { ...process.env, ...inherit(ports) } }));
    await expect.poll(() => npm.output(), { timeout: 60_000 }).toContain("Ctrl-C ends it");
    const line =
      npm
        .output()
        .split("\n")
        .find((text) => text.startsWith("curl ")) ?? "";
    const { stdout } = await promisify(execFile)("sh", ["-c", line], { cwd: tmpdir(), env: inherit({}) });
    expect(JSON.parse(stdout)).toMatchObject({ result: expect.stringContaining("Bob") });
    npm.child.kill("SIGINT");
    expect(await npm.exited).toBe(0);
  }, 90_000);

  it("names the variables of all ports that are taken", async () => {
    const ports = await freePorts();
    const names = ["LAUNCHPAD_PORT", "VOICEBOX_PORT", "SANDBOX_BEDROCK_PORT"];
    const servers = names.map((name) => createServer().listen(Number(ports[name]), "127.0.0.1"));
    await Promise.all(servers.map((server) => once(server, "listening")));
    try {
      const sandbox = run("packages/sandbox/src/main.ts", ports);
      expect(await sandbox.exited).toBe(78);
      for (const name of names) expect(sandbox.output()).toContain(`${name}: port ${ports[name]}`);
      expect(sandbox.output()).toContain("3 problems");
      expect(sandbox.output()).not.toMatch(/\n\s+at /);
    } finally {
      for (const server of servers) server.close();
    }
  });
});

describe("ports that cannot be", () => {
  it.each<[string, Record<string, string>, string]>([
    ["one for two", { VOICEBOX_PORT: "3999", LAUNCHPAD_PORT: "3999" }, "VOICEBOX_PORT: is 3999, as LAUNCHPAD_PORT is"],
    ["any free one", { GATEWAY_PORT: "0" }, "GATEWAY_PORT: expected a port number, 1 to 65535"],
  ])("%s is said in words before anything starts", async (_, wrong, words) => {
    const sandbox = run("packages/sandbox/src/main.ts", { ...(await freePorts()), ...wrong });
    expect(await sandbox.exited).toBe(78);
    expect(sandbox.output()).toContain(`1 problem in the configuration:\n  ${words}`);
  });
});

describe("a service with a wrong environment", () => {
  const wrong = {
    launchpad: {
      LAUNCHPAD_PORT: "70000",
      LOG_LEVEL: "chatty",
      PUBLIC_URL: "nowhere",
      OKTA_AUTH_ENABLED: "perhaps",
      OKTA_DOMAIN: "http://example.com",
      OKTA_BACKEND_CLIENT_SECRET_FILE: "/nowhere/secret",
      VOICEBOX_SERVICE_ENDPOINT: "ftp://voicebox",
      API_AUTH_JWT_ENABLED: "si",
      SESSION_SECRET: "short-canary",
      SESSION_EXPIRATION: "soon",
      SHUTDOWN_GRACE_SECONDS: "-1",
    },
    voicebox: {
      VOICEBOX_PORT: "eight",
      LOG_LEVEL: "chatty",
      REQUIRE_JWT_AUTH: "perhaps",
      JWT_ISSUER: "not a url",
      JWT_JWKS_URI: "http://example.com/keys",
      JWT_LEEWAY_SECONDS: "-5",
      JWKS_CACHE_TTL: "soon",
      JWT_ALLOWED_ALGORITHMS: "none",
      TOKEN_EXCHANGE_PROVIDER: "ockta",
      TOKEN_CACHE_TTL_SECONDS: "x",
      SHUTDOWN_GRACE_SECONDS: "-1",
    },
    gateway: {
      GATEWAY_PORT: "4000.5",
      LOG_LEVEL: "chatty",
      JWT_AUDIENCE: ",",
      JWT_PUBLIC_KEY_URL: "nowhere",
      JWT_ISSUER: "not a url",
      LITELLM_MASTER_KEY: "short-canary",
      DATABASE_URL: "mysql://somewhere",
      REDIS_URL: "http://somewhere",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: "nowhere",
      SHUTDOWN_GRACE_SECONDS: "-1",
    },
  };

  it.each(Object.entries(wrong))("%s names every one of ten wrong values at once and exits 78", async (name, env) => {
    const service = run(`packages/${name}/src/main.ts`, env);
    expect(await service.exited).toBe(78);
    const output = service.output();
    const unnamed = Object.keys(env).filter((variable) => !output.includes(variable.replace(/_FILE$/, "")));
    expect(unnamed).toEqual([]);
    expect(output).not.toContain("short-canary");
    expect(output).not.toMatch(/\n\s+at /);
  });
});
