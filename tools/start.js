// `npm start`: plain JavaScript for whatever Node there is. Installs, then hands over to the Node that this project brings.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const root = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");
const { config } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
// A terminal's Ctrl-C arrives twice, from the terminal and from npm; a person's second one comes later than this.
const impatienceMs = 1_000;

let child;
let firstSignal;

function stop(signal) {
  if (firstSignal === undefined) {
    firstSignal = performance.now();
    child?.kill("SIGTERM");
  } else if (performance.now() - firstSignal > impatienceMs) {
    child?.kill("SIGKILL");
  }
  return signal;
}

/** Runs one command to its end, in a process group of its own: signals reach it through here, once. */
async function run(command, args, stdio) {
  child = spawn(command, args, { cwd: root, stdio, detached: true });
  try {
    const [code] = await once(child, "exit");
    return code;
  } catch (error) {
    console.error(`${command} could not be started: ${error.message}. It comes with Node; is Node's folder in PATH?`);
    return 1;
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);

// npm that is killed outright cannot pass the signal on; its going is the signal then.
const parent = process.ppid;
setInterval(() => process.ppid !== parent && stop("SIGHUP"), 500).unref();

/** What the last install was made from, or newer: then there is nothing to install, and no network is needed. */
function isInstalled() {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/package.json`);
  const sources = ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "e2e/package.json", ...packages];
  const changedAt = (path) => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const installedAt = changedAt("node_modules/.pnpm-workspace-state-v1.json");
  return changedAt("node_modules/node/bin/node") > 0 && sources.every((path) => changedAt(path) <= installedAt);
}

if (!isInstalled()) {
  console.log("Installing what the lockfile names (the first time takes a little)…");
  const install = ["-y", `pnpm@${config.pnpm}`, "install", "--frozen-lockfile"];
  const code = await run("npx", install, ["ignore", "inherit", "inherit"]);
  if (firstSignal !== undefined) process.exit(130);
  if (code !== 0) process.exit(code ?? 1);
}

const node = join(root, "node_modules/node/bin/node");
const main = join(root, "packages/sandbox/src/main.ts");
process.exit((await run(node, [main], ["ignore", "inherit", "inherit", "ipc"])) ?? 1);
