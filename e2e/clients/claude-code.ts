import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Chain } from "../chain.ts";
import { createChecks, must, type Print } from "./check.ts";
import { npmHome } from "./javascript.ts";
import { NotHere, run } from "./python.ts";
import { gatewayToken, requestLogs } from "./rows.ts";

export interface ClaudeCodeRun {
  readonly chain: Chain;
  /** Where the program is kept. */
  readonly environments: string;
  /** For what Claude Code writes; it goes when the run ends. */
  readonly folder: string;
  readonly print: Print;
}

const version = "2.1.330";
/** What an administrator has laid down for the machine would count before what is set here. */
const managed = "/etc/claude-code/managed-settings.json";
/** A refusal that says it stays so is shown at once; without that, the program asks ten times in three minutes. */
const patienceMs = 30_000;

/** Nobody tells it a model: it asks for those it knows, by ids of its own. @returns whether all held */
export async function claudeCode({ chain, environments, folder, print }: ClaudeCodeRun): Promise<boolean> {
  print(`preparing Claude Code ${version} (380 MB at the first time)`);
  const program = await installed(environments);
  const { check, held } = createChecks("claude-code", print);
  const [alice, mallory] = [await gatewayToken(chain, "alice"), await gatewayToken(chain, "mallory")];
  const modes = { anthropic: anthropicMode, bedrock: bedrockMode, messages: messagesMode };
  for (const [mode, environmentOf] of Object.entries(modes)) {
    const ask = (token: string, prompt: string, ...options: string[]) =>
      asked(program, [...options, "-p", prompt, "--output-format", "json"], {
        ...settings(join(folder, `claude-code-${mode}`)),
        ...environmentOf(chain, token),
      });
    await check(`${mode} mode: answers, with the model it chooses itself`, async () => {
      const { code, output } = await ask(alice, "Say hello");
      must(code === 0 && resultOf(output).includes("stand-in"), output);
    });
    for (const model of ["opus", "sonnet", "haiku"]) {
      await check(`${mode} mode: has ${model}`, async () => {
        const { code, output } = await ask(alice, "Say hello", "--model", model);
        must(code === 0 && resultOf(output).includes("stand-in"), output);
      });
    }
    await check(`${mode} mode: runs a tool that the model calls, and hands its result back`, async () => {
      const prompt = "Use the Bash tool to run: echo through-the-gateway";
      const { code, output } = await ask(alice, prompt, "--allowedTools", "Bash");
      must(code === 0 && resultOf(output).includes("came back: “through-the-gateway”"), output);
    });
    await check(`${mode} mode: reads an answer of the form it was asked for`, async () => {
      const schema = '{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}';
      const { code, output } = await ask(alice, "Who?", "--json-schema", schema);
      must(code === 0 && lastOf(output).structured_output !== undefined, output);
    });
    await check(`${mode} mode: shows at once why a bad token is refused`, async () => {
      const { code, output } = await ask(`${alice}x`, "Say hello");
      must(code !== 0 && output.includes("could not be verified"), output);
    });
  }
  await check("anthropic mode: shows at once why mallory is refused", async () => {
    const { code, output } = await asked(program, ["-p", "Say hello"], {
      ...settings(join(folder, "claude-code-mallory")),
      ...anthropicMode(chain, mallory),
    });
    must(code !== 0 && output.includes("one of the groups"), output);
  });
  await check("the gateway's rows name alice, and the configured models", async () => {
    const rows = (await requestLogs(chain, "alice")).filter(({ outcome }) => outcome === "ok");
    for (const route of ["POST /v1/messages", "POST /model/:id/invoke-with-response-stream"]) {
      const calls = rows.filter((row) => row.route === route);
      must(calls.length >= 4, rows);
      for (const { user_id, model, tokens } of calls)
        must(user_id === "alice@example.com" && /^claude-[a-z0-9-]+$/.test(String(model)) && Number(tokens) > 0, calls);
    }
  });
  return held();
}

/** @throws NotHere when there is no npm registry in reach, no build for this machine, or the machine's own settings */
async function installed(environments: string): Promise<string> {
  if (existsSync(managed)) throw new NotHere(`${managed} decides what Claude Code does on this machine`);
  const packageJson = JSON.stringify({ private: true, dependencies: { "@anthropic-ai/claude-code": version } });
  const home = await npmHome(environments, "claude-code", packageJson);
  const build = `claude-code-${process.platform}-${process.arch}`;
  const program = join(home, "node_modules", "@anthropic-ai", build, "claude");
  if (!existsSync(program)) throw new NotHere(`Claude Code ${version} has no ${build}`);
  return program;
}

const anthropicMode = ({ urls }: Chain, token: string) => ({
  ANTHROPIC_BASE_URL: urls.gateway,
  ANTHROPIC_AUTH_TOKEN: token,
});

const bedrockMode = ({ urls }: Chain, token: string) => ({
  CLAUDE_CODE_USE_BEDROCK: "1",
  ANTHROPIC_BEDROCK_BASE_URL: urls.gateway,
  AWS_BEARER_TOKEN_BEDROCK: token,
  AWS_REGION: "us-east-1",
});

/** Bedrock's own Messages API, which has a path of its own. */
const messagesMode = ({ urls }: Chain, token: string) => ({
  CLAUDE_CODE_USE_MANTLE: "1",
  ANTHROPIC_BEDROCK_MANTLE_BASE_URL: `${urls.gateway}/anthropic`,
  AWS_BEARER_TOKEN_BEDROCK: token,
  AWS_REGION: "us-east-1",
});

/** A home of its own, and nothing that reaches out beside the gateway. */
function settings(home: string): NodeJS.ProcessEnv {
  mkdirSync(home, { recursive: true });
  return { PATH: process.env.PATH, HOME: home, CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" };
}

async function asked(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const signal = AbortSignal.timeout(patienceMs);
  return run(program, args, { cwd: env.HOME, env, signal, killSignal: "SIGKILL" });
}

function resultOf(output: string): string {
  return String(lastOf(output).result);
}

function lastOf(output: string): Record<string, unknown> {
  return JSON.parse(output.split("\n").findLast((line) => line.startsWith("{")) ?? "{}");
}
