import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Chain, startChain } from "../chain.ts";
import { claudeCode } from "./claude-code.ts";
import { codex } from "./codex.ts";
import { compiledClients } from "./compiled.ts";
import { javascriptClients } from "./javascript.ts";
import { openWebUi } from "./open-webui.ts";
import { people, whereToFind } from "./people.ts";
import { NotHere, pythonHome, run } from "./python.ts";
import { startTlsFront } from "./tls-front.ts";

/*
 * The clients people have, from PyPI and npm, against the running chain: the libraries in Python and JavaScript.
 * `--open-webui` also starts Open WebUI, whose packages take 7 GB, `--claude-code` Claude Code, `--codex` Codex; `--go`,
 * `--java` and `--rust` try the libraries of these languages; `--only-…` leaves out the libraries. Ends with 1 when anything failed, and with 0 when there is nothing to try it with.
 */
const environments = resolve(process.env.ONBEHALF_DATA_DIR ?? ".onbehalf", "python");
const scripts = {
  "requirements.txt": [
    "openai_client.py",
    "anthropic_client.py",
    "boto3_client.py",
    "langchain_client.py",
    "agents_client.py",
    "pydantic_ai_client.py",
    "langgraph_client.py",
  ],
  "requirements-strands.txt": ["strands_client.py"],
  "requirements-litellm.txt": ["litellm_client.py"],
} as const;

interface Also {
  readonly chain: Chain;
  /** Where what is fetched is kept. */
  readonly environments: string;
  /** For what the clients write; it goes when the run ends. */
  readonly folder: string;
  readonly print: (line: string) => void;
}

const clients: Readonly<Record<string, (also: Also) => Promise<boolean>>> = {
  python,
  javascript,
  "open-webui": openWebUi,
  "claude-code": claudeCode,
  codex,
  go: compiledClients("go"),
  java: compiledClients("java"),
  rust: compiledClients("rust"),
};

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const wanted = readWanted(process.argv.slice(2));
const folder = mkdtempSync(join(tmpdir(), "onbehalf-clients-"));
const chain = await startChain();
try {
  let held = true;
  for (const name of wanted) held = (await clients[name]?.({ chain, environments, folder, print })) === true && held;
  process.exitCode = held ? 0 : 1;
} catch (error) {
  if (!(error instanceof NotHere)) throw error;
  print(`skipped: ${error.message}`);
} finally {
  await chain.close();
  rmSync(folder, { recursive: true, force: true });
}

/** The libraries, and the programs that are asked for; or nothing but what `--only-…` names. */
function readWanted(args: readonly string[]): readonly string[] {
  const known = Object.keys(clients);
  const unknown = args.find((arg) => !known.some((name) => arg === `--${name}` || arg === `--only-${name}`));
  if (unknown !== undefined) {
    print(
      `There is no client ${unknown}; there are ${known.map((name) => `--${name}`).join(", ")} and --only-… of each.`,
    );
    process.exit(64);
  }
  const only = known.filter((name) => args.includes(`--only-${name}`));
  return only.length > 0
    ? only
    : ["python", "javascript", ...known.slice(2).filter((name) => args.includes(`--${name}`))];
}

async function javascript({ chain, environments, print }: Also): Promise<boolean> {
  print("preparing the libraries in JavaScript");
  return javascriptClients(environments, { ...(await people(chain)), ...whereToFind() });
}

async function python({ chain, environments, folder, print }: Also): Promise<boolean> {
  const homes = new Map<string, Awaited<ReturnType<typeof pythonHome>>>();
  for (const requirements of Object.keys(scripts)) {
    print(`preparing ${requirements}`);
    homes.set(requirements, await pythonHome(environments, requirements));
  }
  const interpreter = (requirements: string): string => homes.get(requirements)?.program("python") ?? "python3";
  const made = await run(interpreter("requirements.txt"), ["-m", "trustme", "-q", "-d", folder, "-i", "localhost"]);
  if (made.code !== 0) throw new Error(`no certificate could be made: ${made.output}`);
  const front = await startTlsFront(chain.urls.gateway, folder);
  const env = {
    ...(await people(chain)),
    ...whereToFind(),
    GATEWAY_TLS_URL: front.url,
    AWS_CA_BUNDLE: join(folder, "client.pem"),
    AWS_EC2_METADATA_DISABLED: "true",
    // Model names grow old; that is said by the clients and nothing of ours.
    PYTHONWARNINGS: "ignore::DeprecationWarning",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  let held = true;
  for (const [requirements, files] of Object.entries(scripts)) {
    for (const file of files) {
      const stdio = ["ignore", "inherit", "inherit"] as const;
      const { code } = await run(interpreter(requirements), [file], {
        cwd: import.meta.dirname,
        env,
        stdio: [...stdio],
      });
      held &&= code === 0;
    }
  }
  front.close();
  return held;
}
