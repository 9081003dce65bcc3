import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { openStreams } from "./open-streams.ts";
import { type Load, load, type Running, run } from "./processes.ts";

/**
 * The gateway against a bare Node pass-through of the same provider, interleaved, in one run: what travels are the ratios.
 * Options: `--seconds 4 --rounds 5 --warm-up 10 --connections 32 --streams 1000`.
 */
const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const seconds = option("seconds", 4);
const rounds = option("rounds", 5);
const connections = option("connections", 32);
const warmUpSeconds = option("warm-up", 10);
const eventsPerStream = 100;

const messages = [{ role: "user", content: "Tell me about the quick brown fox. ".repeat(6) }];
const json = JSON.stringify({ model: "bench", messages });
const streamed = JSON.stringify({ model: "bench", messages, stream: true });

const directory = mkdtempSync(join(tmpdir(), "onbehalf-bench-"));
const issuer = await createTestIssuer();
const token = await issuer.mint({ sub: "alice", aud: "llm-gateway", groups: ["bench"], scp: ["llm-gateway"] });
const upstream = await run("upstream.ts", "upstream", [], {});
const bare = await run("bare.ts", "server", [upstream.url], {});
const gateway = await run("gateway.ts", "server", [], gatewayEnvironment(issuer, upstream));
const print = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  print(
    `${cpus().length} × ${cpus()[0]?.model}, Node ${process.version}, ${rounds} rounds of ${seconds} s, ${connections} connections, medians\n`,
  );
  const chat = "/v1/chat/completions";
  await compare("JSON → Bedrock", json, chat, 1, "requests/s");
  await compare("stream of 100 ← Bedrock", streamed, chat, eventsPerStream, "events/s");
  await latency(chat);
  await memory();
} finally {
  await Promise.all([gateway.stop(), bare.stop(), upstream.stop()]);
  await issuer.close();
  rmSync(directory, { recursive: true, force: true });
}

async function compare(name: string, body: string, path: string, per: number, unit: string): Promise<void> {
  const once = async (server: Running): Promise<Measured> => {
    const before = server.cpuMicroseconds();
    const measured = await load({ url: server.url + path, body, token, seconds, connections });
    return { ...measured, cpu: (server.cpuMicroseconds() - before) / measured.requests };
  };
  // The compiler needs tens of thousands of requests to come to rest.
  await load({ url: bare.url + path, body, token, seconds: warmUpSeconds, connections });
  await load({ url: gateway.url + path, body, token, seconds: warmUpSeconds, connections });
  const floor: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    floor.push(await once(bare));
    ours.push(await once(gateway));
  }
  const rate = (all: readonly Measured[]): number => median(all.map((one) => one.requestsPerSecond)) * per;
  const cpu = (all: readonly Measured[]): number => median(all.map((one) => one.cpu));
  const failed = [...floor, ...ours].reduce((sum, one) => sum + one.failed, 0);
  print(name);
  print(
    `  bare Node ${rate(floor).toFixed(0)} ${unit}, gateway ${rate(ours).toFixed(0)} ${unit}: ratio ${(rate(ours) / rate(floor)).toFixed(2)}`,
  );
  print(
    `  processor time a request: ${cpu(floor).toFixed(0)} µs, ${cpu(ours).toFixed(0)} µs: ratio ${(cpu(floor) / cpu(ours)).toFixed(2)}`,
  );
  if (failed > 0) print(`  ${failed} requests FAILED`);
}

interface Measured extends Load {
  /** Microseconds of processor time a request. */
  readonly cpu: number;
}

/** Added latency at a steady 1,000 requests a second. */
async function latency(path: string): Promise<void> {
  const rate = 1000;
  const of = async (server: Running): Promise<Load> =>
    load({ url: server.url + path, body: json, token, seconds, connections, rate });
  const results: { direct: Load[]; bare: Load[]; gateway: Load[] } = { direct: [], bare: [], gateway: [] };
  for (let round = 0; round < Math.min(rounds, 3); round += 1) {
    results.direct.push(await of(upstream));
    results.bare.push(await of(bare));
    results.gateway.push(await of(gateway));
  }
  const of50 = (loads: readonly Load[]): number => median(loads.map((one) => one.p50));
  const of99 = (loads: readonly Load[]): number => median(loads.map((one) => one.p99));
  for (const [name, loads] of [
    ["bare Node", results.bare],
    ["gateway", results.gateway],
  ] as const) {
    const added = (pick: (all: readonly Load[]) => number): string => (pick(loads) - pick(results.direct)).toFixed(2);
    print(`added at ${rate} requests/s, ${name}: p50 ${added(of50)} ms, p99 ${added(of99)} ms`);
  }
}

/** What 1,000 open streams, an event every 100 ms each, cost in memory. */
async function memory(): Promise<void> {
  const count = option("streams", 1000);
  const body = JSON.stringify({ model: "paced", messages, stream: true });
  const before = (await gateway.ask("memory")).rss ?? 0;
  const streams = await openStreams({ url: `${gateway.url}/v1/chat/completions`, token, body, count });
  const during = (await gateway.ask("memory")).rss ?? 0;
  const { open, eventsPerSecond } = await streams.measure(3000);
  streams.close();
  print(
    `${open} open streams: ${((during - before) / 1048576).toFixed(0)} MB above idle, ${eventsPerSecond.toFixed(0)} events/s`,
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function gatewayEnvironment(from: TestIssuer, provider: Running): NodeJS.ProcessEnv {
  const file = join(directory, "gateway.yaml");
  const generous = "{ models: ['*'], rpm: 100000000, tpm: 100000000000, max_parallel: 100000 }";
  writeFileSync(
    file,
    `issuers: [{ issuer: '${from.issuer}', audience: llm-gateway, dialect: okta, required_scopes: [llm-gateway] }]
model_list:
  - { model_name: bench, litellm_params: { model: bedrock/amazon.nova-bench-v1:0 } }
  - { model_name: paced, litellm_params: { model: bedrock/amazon.nova-paced-v1:0 } }
access: { groups: { bench: ${generous} } }
prices: { bedrock/amazon.nova-bench-v1:0: { input: 1, output: 2 }, bedrock/amazon.nova-paced-v1:0: { input: 1, output: 2 } }
`,
  );
  return {
    GATEWAY_CONFIG: file,
    GATEWAY_PORT: "0",
    ONBEHALF_DATA_DIR: directory,
    LOG_LEVEL: "info",
    AWS_ACCESS_KEY_ID: "AKIDBENCH",
    AWS_SECRET_ACCESS_KEY: "bench-secret",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: provider.url,
    ENCRYPTION_SECRET: "a-secret-of-the-bench-that-is-long-enough",
  };
}
