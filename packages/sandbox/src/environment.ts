import { join } from "node:path";
import type { Env } from "@onbehalf/service-kit";
import { keyCommand, tokenCommand } from "./commands.ts";
import type { SecretFiles } from "./secrets.ts";

/** Where the five parts of the sandbox are reached. */
export interface SandboxUrls {
  readonly launchpad: string;
  readonly voicebox: string;
  readonly gateway: string;
  readonly identityProvider: string;
  readonly bedrock: string;
}

/** 0 is not possible here: the services are told each other's addresses before they start. */
export interface SandboxPorts {
  readonly launchpad: number;
  readonly voicebox: number;
  readonly gateway: number;
  readonly identityProvider: number;
  readonly bedrock: number;
}

/** Credentials of the Bedrock stand-in; the real one takes AWS's own. */
export const standInCredentials = {
  accessKeyId: "AKIASANDBOXSANDBOX00",
  secretAccessKey: "sandbox-secret-access-key-that-opens-nothing",
  region: "us-east-1",
  /** A Bedrock API key, for clients with `AWS_BEARER_TOKEN_BEDROCK`. */
  bearerKey: "bedrock-api-key-of-the-sandbox-that-opens-nothing",
} as const;

const dataFolder = join(import.meta.dirname, "data");

/** By `localhost`, which browsers count as secure without https. */
export function urlsOf(ports: SandboxPorts): SandboxUrls {
  const at = (port: number): string => `http://localhost:${port}`;
  return {
    launchpad: at(ports.launchpad),
    voicebox: at(ports.voicebox),
    gateway: at(ports.gateway),
    identityProvider: at(ports.identityProvider),
    bedrock: at(ports.bedrock),
  };
}

/** Only what the caller set himself is passed on, so defaults stay the services'. */
function passed(env: Env, ...names: readonly string[]): Env {
  return Object.fromEntries(names.filter((name) => env[name] !== undefined).map((name) => [name, env[name]]));
}

/** What every service is told alike. */
function common(env: Env, dataDir: string, files: SecretFiles): Env {
  return {
    ...passed(env, "HOST", "LOG_LEVEL", "REDIS_URL", "DATABASE_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ONBEHALF_DATA_DIR: dataDir,
    ENCRYPTION_SECRET: files.secrets.encryptionSecret,
    // Three seconds: a stream that runs when Ctrl-C comes is ended properly, and the whole stop stays under five.
    SHUTDOWN_GRACE_SECONDS: env.SHUTDOWN_GRACE_SECONDS ?? "3",
  };
}

/** The environment of each service, as an operator would write it for Okta. */
export function environments(env: Env, ports: SandboxPorts, dataDir: string, files: SecretFiles) {
  const urls = urlsOf(ports);
  const issuer = (name: string): string => `${urls.identityProvider}/oauth2/${name}`;
  const shared = common(env, dataDir, files);

  const launchpad: Env = {
    ...shared,
    LAUNCHPAD_PORT: String(ports.launchpad),
    PUBLIC_URL: urls.launchpad,
    OKTA_AUTH_ENABLED: "true",
    OKTA_DOMAIN: urls.identityProvider,
    OKTA_NAME: "a demo account",
    OKTA_CLIENT_ID: "launchpad",
    OKTA_CLIENT_SECRET: "launchpad-secret",
    OKTA_AUTHORIZATION_SERVER_ID: "default",
    OKTA_AUTHORIZATION_SERVER_AUDIENCE: "voicebox",
    OKTA_BACKEND_CLIENT_ID: "launchpad-backend",
    OKTA_BACKEND_CLIENT_SECRET: "launchpad-backend-secret",
    VOICEBOX_SERVICE_ENDPOINT: urls.voicebox,
    VOICEBOX_SERVICE_SCOPE: "voicebox",
    API_AUTH_JWT_ENABLED: "true",
    API_AUTH_ISSUER: `${issuer("default")},${issuer("partner")}`,
    API_AUTH_JWKS_URI: `${issuer("default")}/v1/keys,${issuer("partner")}/v1/keys`,
    API_AUTH_AUDIENCE: "launchpad",
    API_DOCS_TOKEN_COMMAND: tokenCommand(urls.identityProvider),
    API_DOCS_KEY_COMMAND: keyCommand(files.demoAppKeyFile),
    SESSION_SECRET: files.secrets.sessionSecret,
    LAUNCHPAD_ADMIN_GROUPS: "litellm-admins",
    LAUNCHPAD_APPS_FILE: join(dataFolder, "apps.yaml"),
    LAUNCHPAD_DEMO_APP_KEY: files.secrets.demoAppKey,
  };

  const voicebox: Env = {
    ...shared,
    VOICEBOX_PORT: String(ports.voicebox),
    REQUIRE_JWT_AUTH: "true",
    JWT_ISSUER: issuer("default"),
    JWT_JWKS_URI: `${issuer("default")}/v1/keys`,
    JWT_AUDIENCE: "voicebox",
    JWT_REQUIRED_SCOPE: "voicebox",
    // Launchpad says in the body which graphs an application may see; from others only the command line is believed.
    JWT_TRUSTED_CLIENTS: "launchpad-backend,sandbox-cli",
    TOKEN_EXCHANGE_PROVIDER: "okta",
    OKTA_CLIENT_ID: "voicebox",
    OKTA_CLIENT_SECRET: "voicebox-secret",
    // The gateway has an authorization server of its own, which trusts the one that Launchpad and Voicebox use.
    OKTA_DISCOVERY_URL: `${issuer("llm")}/.well-known/openid-configuration`,
    OKTA_LLM_GATEWAY_AUDIENCE: "llm-gateway",
    OKTA_LLM_GATEWAY_SCOPE: "llm-gateway",
    VOICEBOX_ADMIN_GROUPS: "litellm-admins",
    VBX_CONFIG: join(dataFolder, "vbx-config.json"),
    GATEWAY_URL: urls.gateway,
  };

  const gateway: Env = {
    ...shared,
    ...passed(env, "LITELLM_CORS_ORIGINS"),
    GATEWAY_PORT: String(ports.gateway),
    PUBLIC_URL: urls.gateway,
    GATEWAY_CONFIG: join(dataFolder, "gateway.yaml"),
    SANDBOX_ISSUER_DEFAULT: issuer("default"),
    SANDBOX_ISSUER_LLM: issuer("llm"),
    LITELLM_MASTER_KEY: files.secrets.masterKey,
    LITELLM_SALT_KEY: files.secrets.keyPepper,
    AWS_REGION: standInCredentials.region,
    AWS_ACCESS_KEY_ID: standInCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: standInCredentials.secretAccessKey,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: urls.bedrock,
  };

  return { launchpad, voicebox, gateway };
}
