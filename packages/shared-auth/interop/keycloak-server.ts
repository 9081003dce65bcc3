import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The version this profile was last tried with. */
export const KEYCLOAK_VERSION = "26.4.0";
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:zip`;

/** Said instead of a failure when this machine cannot run Keycloak. */
export class Unavailable extends Error {}

export interface Keycloak {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Fetches the server by Maven, once, and unpacks it. */
export async function installKeycloak(folder: string): Promise<string> {
  const home = resolve(folder, `keycloak-${KEYCLOAK_VERSION}`);
  if (existsSync(join(home, "bin", "kc.sh"))) return home;
  await mkdir(folder, { recursive: true });
  await needs("java", ["-version"]);
  await needs("mvn", ["-v"]);
  await needs("unzip", ["-v"]);
  const copy = ["-q", "-B", "dependency:copy", `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${resolve(folder)}`];
  await run("mvn", copy, { timeout: 600_000 }).catch(() => {
    throw new Unavailable(`${ARTIFACT} cannot be fetched from Maven Central`);
  });
  await run("unzip", ["-q", "-o", `keycloak-quarkus-dist-${KEYCLOAK_VERSION}.zip`], { cwd: folder });
  return home;
}

async function needs(program: string, args: string[]): Promise<void> {
  await run(program, args, { timeout: 60_000 }).catch(() => {
    throw new Unavailable(`the program ${program} is missing`);
  });
}

/** Starts the server in development mode on a free port, with its data in memory, and waits until the realm answers. */
export async function startKeycloak(home: string, realm: { readonly realm: string }): Promise<Keycloak> {
  await rm(join(home, "data"), { recursive: true, force: true });
  await mkdir(join(home, "data", "import"), { recursive: true });
  await writeFile(join(home, "data", "import", `${realm.realm}-realm.json`), JSON.stringify(realm));
  const port = await freePort();
  const options = [
    `--http-port=${port}`,
    "--http-host=127.0.0.1",
    `--hostname=http://127.0.0.1:${port}`,
    "--db=dev-mem",
    "--import-realm",
  ];
  const server = spawn(join(home, "bin", "kc.sh"), ["start-dev", ...options], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  endWithUs(server);
  let output = "";
  for (const stream of [server.stdout, server.stderr])
    stream.on("data", (text) => (output = `${output}${text}`.slice(-4000)));
  const url = `http://127.0.0.1:${port}/realms/${realm.realm}`;
  try {
    await answering(`${url}/.well-known/openid-configuration`, server);
  } catch (error) {
    await stop(server);
    throw new Error(`Keycloak did not start: ${(error as Error).message}\n${output}`);
  }
  return { url, close: () => stop(server) };
}

async function answering(url: string, server: ChildProcess): Promise<void> {
  for (let second = 0; second < 180; second += 1) {
    if (server.exitCode !== null) throw new Error(`it exited with ${server.exitCode}`);
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((next) => setTimeout(next, 1000));
  }
  throw new Error("it did not answer within 180 seconds");
}

/** Ctrl-C does not reach a group of its own by itself. */
function endWithUs(server: ChildProcess): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      if (server.exitCode === null && server.pid !== undefined) process.kill(-server.pid, "SIGTERM");
      process.exit(1);
    });
  }
}

/** The whole group: the script starts Java as a child. */
async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.pid === undefined) return;
  const exited = new Promise((done) => server.once("exit", done));
  process.kill(-server.pid, "SIGTERM");
  const { pid } = server;
  const late = setTimeout(() => process.kill(-pid, "SIGKILL"), 20_000);
  await exited;
  clearTimeout(late);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}
