import { openSync } from "node:fs";
import { destination, pino } from "pino";
import { createLogger } from "../src/log.ts";
import { mask } from "../src/mask.ts";

/**
 * What the line of a request costs, beside pino alone: `node packages/service-kit/bench/log.ts`, best pinned to a core
 * of its own (`taskset -c 3`). Figures are medians of the rounds.
 */
const calls = 100_000;
const rounds = 7;

const fields = {
  request_id: "6e0a3fd2-9f2e-4d8c-a6b1-0c7f2f9a1b11",
  trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
  span_id: "00f067aa0ba902b7",
  route: "POST /v1/chat/completions",
  status: 200,
  outcome: "ok",
  ms: 12.34,
  issuer: "https://issuer.example/oauth2/llm",
  subject: "alice",
  client_id: "voicebox",
  model: "claude-sonnet-4-5",
  prompt_tokens: 120,
  completion_tokens: 33,
};
const secrets = ["a-client-secret-value", "a-session-secret-value", "a-master-key-value"];

const sink = () => destination({ dest: openSync("/dev/null", "w"), sync: true, minLength: 4096 });
const bare = pino({ base: { service: "gateway" } }, sink());
const ours = createLogger({ service: "gateway", destination: sink() });
const knowing = createLogger({ service: "gateway", destination: sink(), secrets });
const line = `${JSON.stringify({ level: "info", service: "gateway", ...fields, msg: "request" })}\n`;

const contestants: readonly (readonly [string, () => unknown])[] = [
  ["pino alone", () => bare.info(fields, "request")],
  ["createLogger", () => ours.info(fields, "request")],
  ["createLogger with 3 secrets", () => knowing.info(fields, "request")],
  ["mask alone", () => mask(line)],
];

function microseconds(work: () => unknown): number {
  const started = performance.now();
  for (let call = 0; call < calls; call += 1) work();
  return ((performance.now() - started) * 1_000) / calls;
}

const taken = contestants.map(() => [] as number[]);
for (let round = 0; round < rounds; round += 1) {
  for (const [index, [, work]] of contestants.entries()) taken[index]?.push(microseconds(work));
}
for (const [index, [name]] of contestants.entries()) {
  const median = taken[index]?.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(30)} ${median.toFixed(1)} µs\n`);
}
