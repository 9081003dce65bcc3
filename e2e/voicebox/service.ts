import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Env } from "@onbehalf/service-kit";
import { type CapturedLogs, captureLogs } from "@onbehalf/service-kit/testing";
import { createTestIssuer, type Responder, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { start, type VoiceboxService } from "@onbehalf/voicebox";
import { decodeJwt } from "jose";
import { type FakeGateway, startFakeGateway } from "./gateway.ts";

/** Voicebox alone, between two real authorization servers and a gateway that does as it is told. */
export interface Bench {
  readonly service: VoiceboxService;
  /** Issues the tokens for Voicebox. */
  readonly issuer: TestIssuer;
  /** The gateway's own authorization server, which trusts the first. */
  readonly gatewayIssuer: TestIssuer;
  readonly gateway: FakeGateway;
  readonly logs: CapturedLogs;
  readonly configPath: string;
  /** What the service was started with. */
  readonly env: Env;
  /** An access token for Voicebox. */
  token(claims?: Record<string, unknown>): Promise<string>;
  ask(token: string | undefined, body?: Record<string, unknown>, route?: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface BenchOptions {
  readonly env?: Env;
  /** Replaces parts of `vbx-config.json`. */
  readonly config?: Record<string, unknown>;
}

const graphFolder = resolve(import.meta.dirname, "../../packages/sandbox/src/data/graph");
export const graphFiles = ["schema", "people", "projects", "systems"].map((name) => ({
  path: join(graphFolder, `${name}.ttl`),
  graph: `https://onbehalf.example/graph/${name}`,
}));

export async function startBench({ env = {}, config = {} }: BenchOptions = {}): Promise<Bench> {
  const issuer = await createTestIssuer({ path: "/oauth2/default" });
  const gatewayIssuer = await createTestIssuer({ path: "/oauth2/llm" });
  const gateway = await startFakeGateway();
  gatewayIssuer.answer("token", exchangeFor(gatewayIssuer));
  const folder = await mkdtemp(join(tmpdir(), "voicebox-"));
  const configPath = join(folder, "vbx-config.json");
  await writeFile(configPath, JSON.stringify({ ...vbxConfig(gateway.url), ...config }));
  const logs = captureLogs();
  const whole = { ...environment(issuer, gatewayIssuer, configPath), ...env };
  const service = await start(whole, logs);

  return {
    service,
    issuer,
    gatewayIssuer,
    gateway,
    logs,
    configPath,
    env: whole,
    token: (claims = {}) =>
      issuer.mint({ aud: "voicebox", scp: ["voicebox"], cid: "launchpad-backend", uid: "u1", ...claims }),
    ask: (token, body = { query: "Who is Bob?" }, route = "ask", init = {}) =>
      fetch(`${service.url}/api/v1/voicebox/${route}`, {
        method: "POST",
        ...init,
        headers: {
          "content-type": "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...init.headers,
        },
        body: JSON.stringify(body),
      }),
    async close() {
      await service.close();
      await Promise.all([issuer.close(), gatewayIssuer.close(), gateway.close()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function vbxConfig(gatewayUrl: string) {
  return {
    default_llm_config: { llm_provider: "openai", llm_name: "test-model", server_url: `${gatewayUrl}/v1/` },
    connections: { demo: { type: "embedded", database: "demo", files: graphFiles, workers: 1 } },
  };
}

function environment(issuer: TestIssuer, gatewayIssuer: TestIssuer, configPath: string): Env {
  return {
    VOICEBOX_PORT: "0",
    SHUTDOWN_GRACE_SECONDS: "2",
    VBX_CONFIG: configPath,
    REQUIRE_JWT_AUTH: "true",
    JWT_ISSUER: issuer.issuer,
    JWT_JWKS_URI: issuer.jwksUri,
    JWT_AUDIENCE: "voicebox",
    JWT_REQUIRED_SCOPE: "voicebox",
    TOKEN_EXCHANGE_PROVIDER: "okta",
    OKTA_CLIENT_ID: "voicebox",
    OKTA_CLIENT_SECRET: "voicebox-secret-canary",
    OKTA_DISCOVERY_URL: gatewayIssuer.discoveryUrl,
    OKTA_LLM_GATEWAY_AUDIENCE: "llm-gateway",
    OKTA_LLM_GATEWAY_SCOPE: "llm-gateway",
    VOICEBOX_ADMIN_GROUPS: "admins",
  };
}

/** What an authorization server does that trusts another one: the same subject, for its own audience. */
export function exchangeFor(target: TestIssuer, lifetimeSeconds = 3600): Responder {
  return async ({ form }) => {
    const subject = decodeJwt(form.get("subject_token") ?? form.get("assertion") ?? "");
    const scope = form.get("scope") ?? "";
    const exp = Math.floor(Date.now() / 1000) + lifetimeSeconds;
    const claims = { sub: subject.sub, aud: form.get("audience") ?? "api", scp: scope.split(" "), exp };
    const body = {
      access_token: await target.mint({ ...claims, from: subject.iss }),
      issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
      token_type: "Bearer",
      expires_in: lifetimeSeconds,
      scope,
    };
    return { status: 200, body };
  };
}
