import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, startBench } from "./service.ts";

const main = resolve(import.meta.dirname, "../../packages/voicebox/src/main.ts");
let child: ChildProcess | undefined;
let bench: Bench | undefined;
afterEach(async () => {
  if (child?.exitCode === null) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  await bench?.close();
  bench = undefined;
});

interface Started {
  readonly process: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
}

function run(env: NodeJS.ProcessEnv): Started {
  const started = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  child = started;
  let text = "";
  started.stdout.on("data", (chunk) => (text += String(chunk)));
  started.stderr.on("data", (chunk) => (text += String(chunk)));
  return { process: started, output: () => text, ended: once(started, "exit").then(([code]) => code as number | null) };
}

describe("Voicebox as a process", () => {
  it("prints every problem of its environment and exits 78", async () => {
    const { ended, output } = run({ JWT_AUDIENCE: "voicebox", VOICEBOX_PORT: "80000" });
    expect(await ended).toBe(78);
    for (const name of ["VBX_CONFIG", "JWT_ISSUER", "JWT_REQUIRED_SCOPE", "TOKEN_EXCHANGE_PROVIDER", "VOICEBOX_PORT"]) {
      expect(output()).toMatch(new RegExp(`^ *${name}: `, "m"));
    }
  });

  it("names the file and the line of a graph that it cannot read, exit 78", async () => {
    bench = await startBench();
    const config = JSON.parse(await readFile(bench.configPath, "utf8"));
    const broken = `${bench.configPath}.ttl`;
    await writeFile(broken, "@prefix : <urn:> .\n:a :b .\n");
    const path = `${bench.configPath}.broken.json`;
    await writeFile(path, JSON.stringify({ ...config, connections: { demo: { type: "embedded", files: [broken] } } }));
    const { ended, output } = run({ ...bench.env, VBX_CONFIG: path });
    expect(await ended).toBe(78);
    expect(output()).toMatch(/connections\.demo: .*\.ttl: .*(line 2|2)/);
  });

  it("reads its file again on SIGHUP, and exits 0 on SIGTERM", async () => {
    bench = await startBench();
    const port = await freePort();
    const started = run({ ...bench.env, VOICEBOX_PORT: String(port), SHUTDOWN_GRACE_SECONDS: "5" });
    const url = `http://127.0.0.1:${port}`;
    const ready = () =>
      fetch(`${url}/system/ready`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(ready, { timeout: 30_000 }).toBe(200);
    const token = await bench.token();
    const model = async (): Promise<string | undefined> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      await fetch(`${url}/api/v1/voicebox/ask`, { method: "POST", headers, body: JSON.stringify({ query: "Who?" }) });
      return bench?.gateway.calls.at(-1)?.body.model;
    };
    expect(await model()).toBe("test-model");
    const config = JSON.parse(await readFile(bench.configPath, "utf8"));
    await writeFile(
      bench.configPath,
      JSON.stringify({ ...config, default_llm_config: { ...config.default_llm_config, llm_name: "other-model" } }),
    );
    started.process.kill("SIGHUP");
    await expect.poll(model, { timeout: 30_000 }).toBe("other-model");
    started.process.kill("SIGTERM");
    expect(await started.ended).toBe(0);
    expect(started.output()).not.toMatch(/eyJ|voicebox-secret-canary/);
  });
});
