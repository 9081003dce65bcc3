import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, start as startLaunchpad } from "@onbehalf/launchpad";
import { type IdentityProvider, type IdentityProviderOptions, startIdentityProvider } from "@onbehalf/sandbox/idp";
import { signIn } from "@onbehalf/sandbox/token";
import type { Env, Service } from "@onbehalf/service-kit";
import { freePort } from "@onbehalf/service-kit/testing";
import { createPerson, type Person } from "../person.ts";
import { startVoiceboxDouble, type VoiceboxDouble } from "./voicebox-double.ts";

/** Launchpad, once or as several replicas, with the real identity provider and a stand-in for Voicebox. */
export interface Stage {
  /** What browsers see; the first replica answers there. */
  readonly publicUrl: string;
  readonly replicas: readonly Service[];
  readonly voicebox: VoiceboxDouble;
  readonly appKey: string;
  readonly provider: () => IdentityProvider;
  readonly person: () => Person;
  /** An access token of a user, got as a public API client gets one. */
  readonly tokenOf: (user: string, issuer?: string) => Promise<string>;
  readonly output: () => string;
  /** Calls to the identity provider since the last reset. */
  readonly calls: () => Promise<Record<string, unknown>>;
  /** Stops all replicas and starts them again, as a new version would be. */
  restart(): Promise<void>;
  stopProvider(): Promise<void>;
  startProvider(): Promise<void>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly env?: Env;
  readonly replicas?: number;
  readonly provider?: Partial<IdentityProviderOptions>;
  /** Begin with the identity provider down. */
  readonly providerDown?: boolean;
  /** Where the identity provider is to listen, when its address must be known before. */
  readonly providerPort?: number;
  /** Contents of apps.yaml instead of one demo application. */
  readonly apps?: string;
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const dataDir = await mkdtemp(join(tmpdir(), "onbehalf-launchpad-"));
  let output = "";
  const destination = {
    write(text: string): void {
      output += text;
    },
  };
  const [launchpadPort, voiceboxPort, anyPort] = await Promise.all([freePort(), freePort(), freePort()]);
  const providerPort = options.providerPort ?? anyPort;
  const publicUrl = `http://localhost:${launchpadPort}`;
  const { key } = createKey();
  const appsFile = join(dataDir, "apps.yaml");
  await writeFile(appsFile, options.apps ?? demoApps);

  const bringUp = () =>
    startIdentityProvider({ port: providerPort, launchpadUrl: publicUrl, dataDir, destination, ...options.provider });
  let provider: IdentityProvider | undefined = options.providerDown === true ? undefined : await bringUp();
  const base = `http://localhost:${providerPort}`;
  const issuer = (name: string): string => `${base}/oauth2/${name}`;
  const trusted = (["default", "keycloak", "entra", "generic"] as const).map((name) => ({
    issuer: issuer(name),
    jwksUri: `${issuer(name)}/v1/keys`,
    audience: "voicebox",
    requiredScopes: ["voicebox"],
    dialect: name === "default" ? ("okta" as const) : name,
  }));
  const voicebox = await startVoiceboxDouble(trusted, voiceboxPort, destination);

  const env: Env = {
    PUBLIC_URL: publicUrl,
    ONBEHALF_DATA_DIR: dataDir,
    SHUTDOWN_GRACE_SECONDS: "2",
    OKTA_DOMAIN: base,
    OKTA_CLIENT_ID: "launchpad",
    OKTA_CLIENT_SECRET: "launchpad-secret",
    OKTA_AUTHORIZATION_SERVER_ID: "default",
    OKTA_AUTHORIZATION_SERVER_AUDIENCE: "voicebox",
    OKTA_BACKEND_CLIENT_ID: "launchpad-backend",
    OKTA_BACKEND_CLIENT_SECRET: "launchpad-backend-secret",
    VOICEBOX_SERVICE_ENDPOINT: `http://127.0.0.1:${voiceboxPort}`,
    VOICEBOX_SERVICE_SCOPE: "voicebox",
    API_AUTH_JWT_ENABLED: "true",
    API_AUTH_ISSUER: `${issuer("default")},${issuer("partner")}`,
    API_AUTH_JWKS_URI: `${issuer("default")}/v1/keys,${issuer("partner")}/v1/keys`,
    API_AUTH_AUDIENCE: "launchpad",
    API_CLIENT_RPM: "100000",
    API_APP_RPM: "100000",
    SESSION_SECRET: "a-secret-of-this-test-that-is-long-enough-0123456789",
    LAUNCHPAD_ADMIN_GROUPS: "litellm-admins",
    LAUNCHPAD_APPS_FILE: appsFile,
    DEMO_APP_KEY: key,
    ...options.env,
  };
  const replicas: Service[] = [];
  const startReplicas = async (): Promise<void> => {
    for (let at = 0; at < (options.replicas ?? 1); at += 1) {
      replicas.push(
        await startLaunchpad({ ...env, LAUNCHPAD_PORT: String(at === 0 ? launchpadPort : 0) }, { destination }),
      );
    }
  };
  const close = async (): Promise<void> => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await voicebox.service.close();
    await provider?.close();
    await rm(dataDir, { recursive: true, force: true });
  };
  await startReplicas().catch(async (error: unknown) => {
    await close();
    throw error;
  });

  return {
    publicUrl,
    replicas,
    voicebox,
    appKey: key,
    provider() {
      if (provider === undefined) throw new Error("the identity provider is down");
      return provider;
    },
    person: () => createPerson(publicUrl),
    async tokenOf(user, name = "default") {
      return (await signIn({ issuer: issuer(name), user, audience: "launchpad" })).accessToken;
    },
    output: () => output,
    async calls() {
      return (await (await fetch(`${base}/sandbox/calls`)).json()) as Record<string, unknown>;
    },
    async restart() {
      await Promise.all(replicas.splice(0).map((replica) => replica.close()));
      await startReplicas();
    },
    async stopProvider() {
      await provider?.close();
      provider = undefined;
    },
    async startProvider() {
      provider = await bringUp();
    },
    close,
  };
}

const demoApps = `
apps:
  - id: demo
    name: Demo
    connection: demo
    database: demo
    default: true
    keys: [{ name: test, key: os.environ/DEMO_APP_KEY }]
`;
