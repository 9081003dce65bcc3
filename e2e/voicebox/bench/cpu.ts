/**
 * How much of its own CPU time one question costs Voicebox. Voicebox runs as a process by itself; provider, gateway and
 * the stand-in for Bedrock run here. Questions come in batches, ten at a time; what a batch used is what all threads of
 * the process were on a CPU between two readings (`/proc/<pid>/task/<thread>/schedstat`: JavaScript, database, compiler,
 * garbage collection), divided by its questions. p50 is over the batches, after a warm-up. Linux only.
 * Run: `node e2e/voicebox/bench/cpu.ts [pinned-core]`. On a machine that does other work the figures grow: compare them
 * with the calibration, one RS256 verification by jose in the same way (40 µs on the machine of the reference).
 */
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { generateKeyPair, jwtVerify, SignJWT } from "jose";
import { startChain } from "../../chain.ts";
import { voiceboxToken } from "../tokens.ts";

const main = resolve(import.meta.dirname, "../../../packages/voicebox/src/main.ts");
const config = resolve(import.meta.dirname, "../../../packages/sandbox/src/data/vbx-config.json");
const people = ["Alice", "Bob", "Carol", "Dana", "Erik", "Fatima", "Henrik", "Inês", "Jonas", "Kofi", "Lena"];
const projects = ["Atlas", "Beacon", "Compass", "Harbor", "Lantern", "Quarry"];
const questions = [
  ...people.flatMap((name) => [
    `Who is ${name}?`,
    `Who works with ${name}?`,
    `Where is ${name} based?`,
    `When did ${name} join?`,
  ]),
  ...projects.flatMap((name) => [
    `Which systems does the ${name} project use?`,
    `Who leads ${name}?`,
    `Who works on ${name}?`,
  ]),
];
const batches = { warmUp: 30, measured: 20 };
const batch = { questions: 50, atOnce: 10 };
const core = process.argv[2];

/** Nanoseconds on a CPU, all threads. A thread that ends between two readings would be missed; none does here. */
function cpuNanoseconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce(
    (sum, thread) => sum + Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    0,
  );
}

async function runBatch(one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < batch.questions; index = next++) await one(index);
  };
  await Promise.all(Array.from({ length: batch.atOnce }, worker));
}

async function askOne(url: string, token: string | undefined, at: number): Promise<void> {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query: questions[at % questions.length] });
  const response = await fetch(url, { method: "POST", headers, body });
  const text = await response.text();
  if (response.status !== 200 || text.includes("nothing")) throw new Error(`${response.status} ${text}`);
}

/** Microseconds of CPU for one verification, as the reference has measured it. */
async function calibrate(times = 3_000): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair("RS256");
  const token = await new SignJWT({ sub: "alice" })
    .setProtectedHeader({ alg: "RS256" })
    .setExpirationTime("1h")
    .sign(privateKey);
  for (let warm = 0; warm < times; warm += 1) await jwtVerify(token, publicKey);
  const before = process.cpuUsage();
  for (let round = 0; round < times; round += 1) await jwtVerify(token, publicKey);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / times).toFixed(0);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function milliseconds(values: readonly number[], part: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${((sorted[Math.floor(sorted.length * part)] ?? 0) / 1e6).toFixed(2)} ms`;
}

const chain = await startChain({ LOG_LEVEL: "silent" });
const port = await freePort();
const issuer = (name: string) => `${chain.urls.identityProvider}/oauth2/${name}`;
const pinned = core === undefined ? [] : ["taskset", "-c", core];
const [program = process.execPath, ...rest] = [...pinned, process.execPath, main];
const voicebox = spawn(program, rest, {
  stdio: ["ignore", "ignore", "inherit"],
  env: {
    VOICEBOX_PORT: String(port),
    VBX_CONFIG: config,
    GATEWAY_URL: chain.urls.gateway,
    JWT_ISSUER: issuer("default"),
    JWT_JWKS_URI: `${issuer("default")}/v1/keys`,
    JWT_AUDIENCE: "voicebox",
    JWT_REQUIRED_SCOPE: "voicebox",
    TOKEN_EXCHANGE_PROVIDER: "okta",
    OKTA_CLIENT_ID: "voicebox",
    OKTA_CLIENT_SECRET: "voicebox-secret",
    OKTA_DISCOVERY_URL: `${issuer("llm")}/.well-known/openid-configuration`,
    OKTA_LLM_GATEWAY_AUDIENCE: "llm-gateway",
    OKTA_LLM_GATEWAY_SCOPE: "llm-gateway",
  },
});
try {
  const pid = voicebox.pid ?? 0;
  const base = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries += 1) {
    if ((await fetch(`${base}/system/ready`).catch(() => undefined))?.ok) break;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  // Several people: one alone would reach the gateway's limit of tokens a minute.
  const users = ["alice", "bob", "carol"];
  const tokens = await Promise.all(users.map((user) => voiceboxToken(chain.urls.identityProvider, user)));
  for (const route of ["ask", "stream/ask"]) {
    const costs: number[] = [];
    for (let round = 0; round < batches.warmUp + batches.measured; round += 1) {
      const before = cpuNanoseconds(pid);
      await runBatch((index) =>
        askOne(`${base}/api/v1/voicebox/${route}`, tokens[index % tokens.length], round * batch.questions + index),
      );
      if (round >= batches.warmUp) costs.push((cpuNanoseconds(pid) - before) / batch.questions);
    }
    const n = costs.length * batch.questions;
    print(
      `${route}: CPU per question p50 ${milliseconds(costs, 0.5)}, p90 ${milliseconds(costs, 0.9)}, ${n} questions`,
    );
  }
  print(`calibration: one RS256 verification ${await calibrate()} µs`);
} finally {
  voicebox.kill("SIGTERM");
  await chain.close();
}
