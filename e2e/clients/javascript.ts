import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NotHere, run } from "./python.ts";

const sources = join(import.meta.dirname, "javascript");
const scripts = ["ai-sdk.mjs", "langchain.mjs", "agents.mjs", "bedrock-sdk.mjs"];

/**
 * The libraries in JavaScript, from npm and apart from what this project depends on.
 * @param env what the scripts need to know
 * @returns whether all held
 * @throws NotHere when there is no npm registry in reach
 */
export async function javascriptClients(environments: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const wanted = readFileSync(join(sources, "package.json"), "utf8");
  const home = await npmHome(environments, "javascript", wanted);
  cpSync(sources, home, { recursive: true });
  let held = true;
  for (const script of scripts) {
    const stdio = ["ignore", "inherit", "inherit"] as const;
    const { code } = await run(process.execPath, [script], { cwd: home, env, stdio: [...stdio] });
    held &&= code === 0;
  }
  return held;
}

const unreachable = /code (?:ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENOTCACHED)/;

/**
 * A folder with the packages of one package.json, made once and kept until the text changes.
 * @throws NotHere when there is no npm registry in reach
 */
export async function npmHome(folder: string, name: string, packageJson: string): Promise<string> {
  const digest = createHash("sha256").update(packageJson).digest("hex").slice(0, 12);
  const home = join(folder, `${name}-${digest}`);
  const done = join(home, "complete");
  if (existsSync(done)) return home;

  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), packageJson);
  const { code, output } = await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: home });
  if (unreachable.test(output)) throw new NotHere(`${name}: npm's registry is not reachable`);
  if (code !== 0) throw new Error(`${name}: its packages could not be installed: ${output.slice(-3000)}`);
  writeFileSync(done, "");
  return home;
}
