import { type Contestant, direct, startBare, startProvider } from "./contestants.ts";
import { createGateways, type Gateways } from "./gateways.ts";
import { latency, rate } from "./latency.ts";
import { loadTool } from "./load.ts";
import { cores, describeMachine, find, move, pinned, versionOf } from "./machine.ts";
import { type Memory, memory } from "./memory.ts";
import { startNginx } from "./nginx.ts";
import { type Options, readOptions, usage } from "./options.ts";
import { startPortkey } from "./portkey.ts";
import type { Running } from "./processes.ts";
import { report, gateway as toBedrock } from "./report.ts";
import { exact, steadyTool } from "./steady.ts";
import { throughput, warmUp } from "./throughput.ts";
import { twoProcesses } from "./two-processes.ts";

/**
 * The gateway as it ships against a bare Node pass-through of the same provider, nginx and, when asked for, Portkey: in
 * turns, in one run. What travels to another machine are the ratios. Any request that fails ends it with 1.
 */
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const nginx = find("nginx");

const options = readOptionsOrExit();
const head = [
  describeMachine(),
  `${process.argv.slice(2).join(" ") || "defaults"}: ${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections, warmed up for ${options.warmUpSeconds} s, medians`,
  `load: ${loadTool}`,
  `steady load: ${steadyTool}`,
  nginx === undefined ? "nginx: not installed (apt-get install nginx-light)" : `nginx: ${versionOf(nginx, "-v")}`,
  pinned
    ? `cores: server ${cores.server}, provider ${cores.provider.join(" and ")} (a process on each), load ${cores.load}`
    : "cores: NOT pinned (needs Linux, taskset and four of them); expect noise",
];
for (const line of head) print(line);
move(process.pid, cores.load);

try {
  const text = await measure(options);
  print(`\n${head.map((line) => `- ${line}`).join("\n")}\n\n${text}`);
  process.exit(0);
} catch (error) {
  print(`\nFAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

async function measure(options: Options): Promise<string> {
  const provider = await startProvider(cores.provider);
  const gateways = await createGateways(provider);
  const bare = await startBare(provider, cores.server);
  const floors = nginx === undefined ? [bare] : [bare, await startNginx(nginx, provider, cores.server)];
  const ours = await gateways.start(cores.server);
  const peers = options.portkey ? await startPortkey(provider, cores.server) : [];
  const contestants = [...floors, ...ours, ...peers];
  const wants = (name: Options["only"][number]): boolean => options.only.includes(name);
  const each = { ...options, contestants, provider, print };
  const [ofJson, ofStream] = [{ ...each, kind: "json" } as const, { ...each, kind: "stream" } as const];

  if (wants("throughput") || wants("latency") || wants("processes")) await warmUp(ofJson);
  const json = wants("throughput") ? await throughput(ofJson) : undefined;
  const late = wants("latency") ? await latency({ ...each, direct: direct(provider) }) : undefined;
  if (wants("throughput")) await warmUp(ofStream);
  const stream = wants("throughput") ? await throughput(ofStream) : undefined;
  const processes = wants("processes") ? await two(options, ours, gateways, provider) : undefined;
  const held = wants("memory") ? await memories(options, provider, gateways) : undefined;
  await gateways.close();
  const rest = { exactLatency: exact, streams: options.streams, rate };
  return report({ json, stream, latency: late, processes, memory: held, ...rest });
}

async function two(options: Options, ours: readonly Contestant[], gateways: Gateways, provider: Running) {
  const first = named(ours, toBedrock);
  const second = named(await gateways.start(cores.second), toBedrock);
  const found = await twoProcesses({ ...options, first, second, provider, print });
  await second.server.stop();
  return found;
}

/** Each with a process of its own that has done nothing before. */
async function memories(options: Options, provider: Running, gateways: Gateways): Promise<ReadonlyMap<string, Memory>> {
  const found = new Map<string, Memory>();
  const starts = [
    () => startBare(provider, cores.server),
    ...(nginx === undefined ? [] : [() => startNginx(nginx, provider, cores.server)]),
    async () => named(await gateways.start(cores.server), toBedrock),
  ];
  for (const start of starts) {
    const one = await start();
    print(`memory: ${one.name} with ${options.streams} open streams`);
    found.set(one.name, await memory(one, options.streams));
    await one.server.stop();
  }
  return found;
}

function named(contestants: readonly Contestant[], name: string): Contestant {
  const found = contestants.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no contestant is called ${name}`);
  return found;
}

function readOptionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(64);
  }
}
