import { resolve } from "node:path";
import { start as startGateway } from "@onbehalf/gateway";
import { start as startLaunchpad } from "@onbehalf/launchpad";
import { type Env, loadEnv, port, type Service, type ServiceIo } from "@onbehalf/service-kit";
import { start as startVoicebox } from "@onbehalf/voicebox";
import { z } from "zod";
import { startBedrock } from "./bedrock/index.ts";
import { rules } from "./bedrock/rules/index.ts";
import { environments, type SandboxPorts, type SandboxUrls, standInCredentials, urlsOf } from "./environment.ts";
import { startIdentityProvider } from "./idp/index.ts";
import { refuseTakenPorts } from "./ports.ts";
import { readSecrets, type SecretFiles } from "./secrets.ts";

const schema = z.object({
  HOST: z.string().default("127.0.0.1"),
  LAUNCHPAD_PORT: port({ min: 1 }).default(3000),
  VOICEBOX_PORT: port({ min: 1 }).default(8000),
  GATEWAY_PORT: port({ min: 1 }).default(4000),
  SANDBOX_IDP_PORT: port({ min: 1 }).default(9400),
  SANDBOX_BEDROCK_PORT: port({ min: 1 }).default(9401),
  SANDBOX_TOKEN_SECONDS: z.coerce.number().int().min(1).max(86_400).default(3600),
  ONBEHALF_DATA_DIR: z.string().default(".onbehalf"),
});

/** The whole chain in one process, with what a laptop lacks: an identity provider and a Bedrock stand-in. */
export interface Sandbox extends Service {
  readonly urls: SandboxUrls;
  readonly demoAppKeyFile: string;
  readonly masterKeyFile: string;
  /** Stops the identity provider alone, to see what the chain does without it. */
  stopIdentityProvider(): Promise<void>;
  /** Brings it back where it was, with the keys it had. */
  startIdentityProvider(): Promise<void>;
}

/** The environment of each service. */
export type Told = ReturnType<typeof environments>;

/** For tests that set the chain up in another way. */
export interface LaunchOptions extends ServiceIo {
  /** Another set-up than the usual one: changes what the services are told. */
  readonly retell?: (told: Told, files: SecretFiles) => Told;
}

/**
 * Starts everything, each service after those it calls.
 * @throws ConfigError naming every wrong variable, or those of all taken ports; what had started is closed again
 */
export async function launch(env: Env, options: LaunchOptions = {}): Promise<Sandbox> {
  const { retell = (usual) => usual, ...io } = options;
  const config = loadEnv(schema, env);
  const ports: SandboxPorts = {
    launchpad: config.LAUNCHPAD_PORT,
    voicebox: config.VOICEBOX_PORT,
    gateway: config.GATEWAY_PORT,
    identityProvider: config.SANDBOX_IDP_PORT,
    bedrock: config.SANDBOX_BEDROCK_PORT,
  };
  const host = config.HOST;
  await refuseTakenPorts(config);
  const dataDir = resolve(config.ONBEHALF_DATA_DIR);
  const files = readSecrets(dataDir);
  const urls = urlsOf(ports);
  const told = retell(environments(env, ports, dataDir, files), files);

  const provider = {
    host,
    port: ports.identityProvider,
    launchpadUrl: urls.launchpad,
    dataDir,
    tokenSeconds: config.SANDBOX_TOKEN_SECONDS,
  };
  const parts = new Map<string, Service>();
  try {
    const standIn = { ...standInCredentials, host, port: ports.bedrock, portVariable: "SANDBOX_BEDROCK_PORT", rules };
    parts.set("identity provider", await startIdentityProvider({ ...provider, ...io }));
    parts.set("bedrock", await startBedrock({ ...standIn, ...io }));
    parts.set("gateway", await startGateway(told.gateway, io));
    parts.set("voicebox", await startVoicebox(told.voicebox, io));
    parts.set("launchpad", await startLaunchpad(told.launchpad, io));
  } catch (error) {
    await closeAll(parts);
    throw error;
  }
  return {
    name: "sandbox",
    url: urls.launchpad,
    port: ports.launchpad,
    urls,
    demoAppKeyFile: files.demoAppKeyFile,
    masterKeyFile: files.masterKeyFile,
    stopIdentityProvider: async () => parts.get("identity provider")?.close(),
    startIdentityProvider: async () => {
      parts.set("identity provider", await startIdentityProvider({ ...provider, ...io }));
    },
    close: () => closeAll(parts),
  };
}

/** From the front to the back, so that what a service still has to finish finds the next one alive. */
async function closeAll(parts: ReadonlyMap<string, Service>): Promise<void> {
  for (const service of [...parts.values()].reverse()) await service.close();
}
