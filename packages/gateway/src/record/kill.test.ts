import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openGatewayDatabase } from "../sql/open.ts";
import { startUpstream, type TestUpstream } from "../testing/upstream.ts";
import { verifyRecord } from "./verify.ts";

/** A batch leaves the process after 50 ms; this is what the machine may take to have it on disk, under load. */
const lossMs = 50 + 450;

let folder: string;
let issuer: TestIssuer;
let upstream: TestUpstream;
let child: ChildProcess | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "kill-"));
  [issuer, upstream] = await Promise.all([createTestIssuer(), startUpstream()]);
  writeFileSync(
    join(folder, "gateway.yaml"),
    `issuers: [{ issuer: "${issuer.issuer}", audience: llm-gateway }]
model_list: [{ model_name: claude, litellm_params: { model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-east-1 } }]`,
  );
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await Promise.all([issuer.close(), upstream.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function startProcess(): Promise<{ url: string; output: () => string; ended: Promise<number | null> }> {
  const port = await freePort();
  const process_ = spawn(process.execPath, [join(import.meta.dirname, "../main.ts")], {
    env: {
      GATEWAY_PORT: String(port),
      GATEWAY_CONFIG: join(folder, "gateway.yaml"),
      ONBEHALF_DATA_DIR: folder,
      AWS_ACCESS_KEY_ID: "AKIATEST",
      AWS_SECRET_ACCESS_KEY: "secret-of-this-test",
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: upstream.url,
      SHUTDOWN_GRACE_SECONDS: "5",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = process_;
  let text = "";
  process_.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  process_.stderr.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const ended = new Promise<number | null>((resolve) => process_.on("exit", resolve));
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(async () => expect((await fetch(`${url}/system/ready`)).status).toBe(200), {
    timeout: 15_000,
    interval: 100,
  });
  return { url, output: () => text, ended };
}

/** Asks again and again from several sides, and notes which answers came and when. */
function load(url: string, token: string) {
  const answered: { id: string; at: number }[] = [];
  let stopped = false;
  const ask = async (): Promise<void> => {
    while (!stopped) {
      const id = crypto.randomUUID();
      try {
        const response = await fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "x-request-id": id },
          body: JSON.stringify({ model: "claude", messages: [{ role: "user", content: "x" }] }),
        });
        await response.text();
        if (response.status === 200) answered.push({ id, at: performance.now() });
      } catch {
        return; // the process is gone
      }
    }
  };
  const asking = Promise.all(Array.from({ length: 8 }, ask));
  return {
    answered,
    stop: async () => {
      stopped = true;
      await asking;
    },
  };
}

async function storedIds(): Promise<{ ids: Set<string>; findings: unknown; lost: readonly unknown[] }> {
  const database = await openGatewayDatabase({ url: undefined, dataDir: folder });
  try {
    const rows = await database.kysely.selectFrom("request_logs").select("request_id").execute();
    const { findings, lost } = await verifyRecord(database);
    return { ids: new Set(rows.map(({ request_id: id }) => id)), findings, lost };
  } finally {
    await database.close();
  }
}

test("kill -9 under load loses no row older than the last moment, and the next start says so", async () => {
  const first = await startProcess();
  const token = await issuer.mint({ aud: "llm-gateway" });
  const traffic = load(first.url, token);
  await vi.waitFor(() => expect(traffic.answered.length).toBeGreaterThan(200), { timeout: 15_000 });
  const killedAt = performance.now();
  child?.kill("SIGKILL");
  await first.ended;
  await traffic.stop();

  const second = await startProcess();
  await vi.waitFor(() => expect(second.output()).toContain("did not end in order"), { timeout: 15_000 });
  child?.kill("SIGTERM");
  expect(await second.ended).toBe(0);
  const { ids, findings, lost } = await storedIds();
  const missing = traffic.answered.filter(({ id }) => !ids.has(id));
  expect(missing.filter(({ at }) => at < killedAt - lossMs)).toEqual([]);
  expect(findings).toEqual([]);
  expect(lost).toHaveLength(1);
});

test("SIGTERM under load loses nothing", async () => {
  const first = await startProcess();
  const traffic = load(first.url, await issuer.mint({ aud: "llm-gateway" }));
  await vi.waitFor(() => expect(traffic.answered.length).toBeGreaterThan(100), { timeout: 15_000 });
  child?.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  await traffic.stop();
  const { ids, findings, lost } = await storedIds();
  expect(traffic.answered.filter(({ id }) => !ids.has(id))).toEqual([]);
  expect({ findings, lost }).toEqual({ findings: [], lost: [] });
});
