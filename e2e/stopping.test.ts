import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { freePorts } from "./chain.ts";
import { graphFiles } from "./voicebox/service.ts";

const root = join(import.meta.dirname, "..");
const dataDir = mkdtempSync(join(tmpdir(), "onbehalf-stopping-"));
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(dataDir, { recursive: true, force: true });
});

const vbxConfig = join(dataDir, "vbx-config.json");
writeFileSync(
  vbxConfig,
  JSON.stringify({
    default_llm_config: { llm_provider: "openai", llm_name: "m", server_url: "http://127.0.0.1:9/v1/" },
    connections: { demo: { type: "embedded", database: "demo", files: graphFiles, workers: 1 } },
  }),
);

/** Each service alone, with as little as it starts with. */
const alone: Readonly<Record<string, Record<string, string>>> = {
  launchpad: {
    OKTA_DOMAIN: "http://localhost:9",
    OKTA_CLIENT_ID: "launchpad",
    OKTA_CLIENT_SECRET: "launchpad-secret",
    OKTA_AUTHORIZATION_SERVER_ID: "default",
    OKTA_AUTHORIZATION_SERVER_AUDIENCE: "voicebox",
    OKTA_BACKEND_CLIENT_ID: "launchpad-backend",
    OKTA_BACKEND_CLIENT_SECRET: "launchpad-backend-secret",
    VOICEBOX_SERVICE_ENDPOINT: "http://127.0.0.1:9",
    VOICEBOX_SERVICE_SCOPE: "voicebox",
    SESSION_SECRET: "a-secret-of-this-test-that-is-long-enough-0123456789",
  },
  voicebox: { REQUIRE_JWT_AUTH: "false", LLM_API_KEY: "sk-some-key-of-this-test", VBX_CONFIG: vbxConfig },
  gateway: { LITELLM_MASTER_KEY: "sk-a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5", AWS_REGION: "eu-central-1" },
};

async function run(name: string, env: Record<string, string>) {
  const ports = await freePorts();
  const { PATH = "", HOME = "" } = process.env;
  const inherited = { PATH, HOME, ONBEHALF_DATA_DIR: join(dataDir, name), ...ports };
  const child = spawn(process.execPath, [join(root, `packages/${name}/src/main.ts`)], {
    env: { ...inherited, ...alone[name], ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  const exited = once(child, "exit").then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  const url = `http://127.0.0.1:${ports[`${name.toUpperCase()}_PORT`]}`;
  return { child, exited, url, output: () => output };
}

describe("SHUTDOWN_NOTICE_SECONDS", () => {
  it.each(Object.keys(alone))(
    "%s says that it goes away and goes on serving for so long, then ends with 0",
    async (name) => {
      const service = await run(name, { SHUTDOWN_GRACE_SECONDS: "5", SHUTDOWN_NOTICE_SECONDS: "2" });
      await expect.poll(service.output, { timeout: 30_000 }).toContain('"msg":"listening"');
      service.child.kill("SIGTERM");
      await expect.poll(service.output).toContain('"msg":"draining"');
      const ready = await fetch(`${service.url}/system/ready`, { headers: { connection: "close" } });
      expect(ready.status).toBe(503);
      expect(await ready.json()).toEqual({
        status: "not_ready",
        causes: { shutdown: "the service is shutting down" },
      });
      const other = await fetch(`${service.url}/nowhere`, {
        headers: { connection: "close" },
      });
      expect(other.status).toBe(404);
      await other.text();
      expect(await service.exited).toBe(0);
      await expect(fetch(`${service.url}/system/ready`)).rejects.toThrow();
    },
  );

  it.each(Object.keys(alone))("%s refuses one that leaves nothing of the grace, and exits 78", async (name) => {
    const service = await run(name, { SHUTDOWN_GRACE_SECONDS: "3", SHUTDOWN_NOTICE_SECONDS: "3" });
    expect(await service.exited).toBe(78);
    expect(service.output()).toContain("SHUTDOWN_NOTICE_SECONDS: expected fewer seconds than SHUTDOWN_GRACE_SECONDS");
  });
});
