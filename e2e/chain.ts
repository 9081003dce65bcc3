import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LaunchOptions, launch, type Sandbox } from "@onbehalf/sandbox";
import type { Env } from "@onbehalf/service-kit";
import { freePort } from "@onbehalf/service-kit/testing";
import { createPerson, type Person } from "./person.ts";

/** One JSON log line of one of the services. */
export type LogLine = Record<string, unknown>;

/** The whole chain on free ports with a data folder of its own, and everything it logged. */
export interface Chain {
  readonly sandbox: Sandbox;
  readonly urls: Sandbox["urls"];
  readonly dataDir: string;
  readonly person: () => Person;
  readonly appKey: () => Promise<string>;
  /** Everything any service wrote, as it was written. */
  readonly output: () => string;
  readonly logs: () => LogLine[];
  close(): Promise<void>;
}

export async function startChain(env: Env = {}, options: Pick<LaunchOptions, "retell"> = {}): Promise<Chain> {
  const dataDir = await mkdtemp(join(tmpdir(), "onbehalf-"));
  const environment = { ...(await freePorts()), ONBEHALF_DATA_DIR: dataDir, SHUTDOWN_GRACE_SECONDS: "2", ...env };
  let output = "";
  const destination = {
    write(text: string): void {
      output += text;
    },
  };
  const forget = () => rm(dataDir, { recursive: true, force: true });
  const sandbox = await launch(environment, { destination, ...options }).catch(async (error: unknown) => {
    await forget();
    throw error;
  });
  return {
    sandbox,
    urls: sandbox.urls,
    dataDir,
    person: () => createPerson(sandbox.urls.launchpad),
    appKey: async () => (await readFile(sandbox.demoAppKeyFile, "utf8")).trim(),
    output: () => output,
    logs: () =>
      output
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as LogLine),
    async close() {
      await sandbox.close();
      await forget();
    },
  };
}

export async function freePorts(): Promise<Record<string, string>> {
  const names = ["LAUNCHPAD_PORT", "VOICEBOX_PORT", "GATEWAY_PORT", "SANDBOX_IDP_PORT", "SANDBOX_BEDROCK_PORT"];
  const ports = await Promise.all(names.map(() => freePort()));
  return Object.fromEntries(names.map((name, at) => [name, String(ports[at])]));
}
