import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { signIn } from "@onbehalf/sandbox/token";
import { type Chain, startChain } from "../chain.ts";
import { claudeCode } from "./claude-code.ts";
import { openWebUi } from "./open-webui.ts";
import { NotHere, pythonHome, run } from "./python.ts";
import { startTlsFront } from "./tls-front.ts";

/*
 * The clients people have, from PyPI and npm, against the running chain. `--open-webui` also starts Open WebUI, whose
 * packages take 7 GB, `--claude-code` Claude Code; `--only-…` leaves out the libraries. Ends with 1 when anything failed,
 * and with 0 when there is nothing to try it with.
 */
const environments = resolve(process.env.ONBEHALF_DATA_DIR ?? ".onbehalf", "python");
const scripts = {
  "requirements.txt": ["openai_client.py", "anthropic_client.py", "boto3_client.py", "langchain_client.py"],
  "requirements-litellm.txt": ["litellm_client.py"],
} as const;

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const onlySome = process.argv.some((argument) => argument.startsWith("--only-"));
const folder = mkdtempSync(join(tmpdir(), "onbehalf-clients-"));
const chain = await startChain();
try {
  const also = { chain, environments, folder, print };
  let held = onlySome ? true : await libraries(chain);
  for (const [name, client] of Object.entries({ "open-webui": openWebUi, "claude-code": claudeCode })) {
    if (process.argv.some((argument) => argument === `--${name}` || argument === `--only-${name}`))
      held = (await client(also)) && held;
  }
  process.exitCode = held ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotHere)) throw error;
  print(`skipped: ${error.message}`);
} finally {
  await chain.close();
  rmSync(folder, { recursive: true, force: true });
}

async function libraries({ urls }: Chain): Promise<boolean> {
  const homes = new Map<string, Awaited<ReturnType<typeof pythonHome>>>();
  for (const requirements of Object.keys(scripts)) {
    print(`preparing ${requirements}`);
    homes.set(requirements, await pythonHome(environments, requirements));
  }
  const python = (requirements: string): string => homes.get(requirements)?.program("python") ?? "python3";
  const made = await run(python("requirements.txt"), ["-m", "trustme", "-q", "-d", folder, "-i", "localhost"]);
  if (made.code !== 0) throw new Error(`no certificate could be made: ${made.output}`);
  const front = await startTlsFront(urls.gateway, folder);
  const { PATH = "", HOME = "" } = process.env;
  const env = {
    PATH,
    HOME,
    GATEWAY_URL: urls.gateway,
    GATEWAY_TLS_URL: front.url,
    AWS_CA_BUNDLE: join(folder, "client.pem"),
    AWS_EC2_METADATA_DISABLED: "true",
    ALICE_TOKEN: await tokenFor(urls.identityProvider, "alice"),
    BOB_TOKEN: await tokenFor(urls.identityProvider, "bob"),
    MALLORY_TOKEN: await tokenFor(urls.identityProvider, "mallory"),
    // Model names grow old; that is said by the clients and nothing of ours.
    PYTHONWARNINGS: "ignore::DeprecationWarning",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  let held = true;
  for (const [requirements, files] of Object.entries(scripts)) {
    for (const file of files) {
      const stdio = ["ignore", "inherit", "inherit"] as const;
      const { code } = await run(python(requirements), [file], { cwd: import.meta.dirname, env, stdio: [...stdio] });
      held &&= code === 0;
    }
  }
  front.close();
  return held;
}

async function tokenFor(identityProvider: string, user: string): Promise<string> {
  const issuer = `${identityProvider}/oauth2/llm`;
  return (await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" })).accessToken;
}
