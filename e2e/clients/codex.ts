import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Chain } from "../chain.ts";
import { createChecks, must, type Print } from "./check.ts";
import { npmHome } from "./javascript.ts";
import { run } from "./python.ts";
import { gatewayToken, requestLogs } from "./rows.ts";

export interface CodexRun {
  readonly chain: Chain;
  /** Where the program is kept. */
  readonly environments: string;
  /** For what Codex writes; it goes when the run ends. */
  readonly folder: string;
  readonly print: Print;
}

const version = "0.169.0";
/** It asks again after most refusals, each time later. */
const patienceMs = 60_000;

/** @returns whether all held */
export async function codex({ chain, environments, folder, print }: CodexRun): Promise<boolean> {
  print(`preparing Codex ${version} (300 MB at the first time)`);
  const packageJson = JSON.stringify({ private: true, dependencies: { "@openai/codex": version } });
  const modules = join(await npmHome(environments, "codex", packageJson), "node_modules");
  const home = join(folder, "codex");
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "config.toml"), configuration(chain.urls.gateway));
  const { check, held } = createChecks("codex", print);
  const [alice, mallory] = [await gatewayToken(chain, "alice"), await gatewayToken(chain, "mallory")];
  const ask = async (token: string, prompt: string) => {
    const args = [join(modules, "@openai/codex/bin/codex.js"), "exec", "--skip-git-repo-check", "--json", prompt];
    const env = { PATH: process.env.PATH, HOME: home, CODEX_HOME: home, ONBEHALF_TOKEN: token };
    const signal = AbortSignal.timeout(patienceMs);
    return run(process.execPath, args, { cwd: home, env, signal, killSignal: "SIGKILL" });
  };
  await check("answers", async () => {
    const { code, output } = await ask(alice, "Say hello");
    must(code === 0 && messageOf(output).includes("stand-in"), output);
  });
  await check("runs a tool that the model calls, and hands its result back", async () => {
    const { code, output } = await ask(
      alice,
      'Call the tool exec_command with {"cmd": "echo through-the-$((1+1))-gateways"}',
    );
    must(code === 0 && messageOf(output).includes("through-the-2-gateways"), output);
  });
  await check("shows why a bad token is refused", async () => {
    const { code, output } = await ask(`${alice}x`, "Say hello");
    must(code !== 0 && output.includes("could not be verified"), output);
  });
  await check("shows why mallory is refused", async () => {
    const { code, output } = await ask(mallory, "Say hello");
    must(code !== 0 && output.includes("one of the groups"), output);
  });
  await check("the gateway's rows name alice", async () => {
    const rows = (await requestLogs(chain, "alice")).filter(({ route }) => route === "POST /v1/responses");
    must(
      rows.length >= 3 && rows.every(({ user_id, tokens }) => user_id === "alice@example.com" && Number(tokens) > 0),
      rows,
    );
  });
  return held();
}

function configuration(gateway: string): string {
  return `model = "claude-sonnet-4-5"
model_provider = "onbehalf"
# What a sandbox needs is not on every machine, and no model decides here what is run.
sandbox_mode = "danger-full-access"
[model_providers.onbehalf]
name = "Onbehalf"
base_url = "${gateway}/v1"
wire_api = "responses"
env_key = "ONBEHALF_TOKEN"
`;
}

/** What it says last, of its events in lines of JSON. */
function messageOf(output: string): string {
  const items = output.split("\n").flatMap((line) => (line.startsWith("{") ? [JSON.parse(line).item ?? {}] : []));
  return String(items.findLast(({ type }) => type === "agent_message")?.text);
}
