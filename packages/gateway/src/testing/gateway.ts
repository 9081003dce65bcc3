import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Env } from "@onbehalf/service-kit";
import { type CapturedLogs, captureLogs } from "@onbehalf/service-kit/testing";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { type Gateway, start } from "../start.ts";
import { startUpstream, type TestUpstream } from "./upstream.ts";

export const masterKey = "sk-master-of-this-test-5f3a9c1e7b2d";

export interface TestGateway {
  readonly url: string;
  readonly gateway: Gateway;
  readonly issuer: TestIssuer;
  readonly upstream: TestUpstream;
  readonly logs: CapturedLogs;
  readonly dataDir: string;
  /** What it was started with. */
  readonly env: Env;
  readonly configFile: string;
  /** A token of this test's issuer for the gateway. */
  token(claims?: Readonly<Record<string, unknown>>): Promise<string>;
  call(path: string, init?: CallInit): Promise<Answer>;
  /** A chat completion, as the bearer of `token`. */
  chat(token: string, body?: Readonly<Record<string, unknown>>): Promise<Answer>;
  writeConfig(yaml: string): void;
  close(): Promise<void>;
}

export interface CallInit {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: the form of an answer is what the tests find out; a type would only claim it
  readonly json: any;
}

export interface TestGatewayOptions {
  /** gateway.yaml; `{issuer}` and `{jwks}` stand for the test's issuer. */
  readonly yaml?: string;
  readonly env?: Env;
  /** Shared with another gateway, which keeps them running. */
  readonly issuer?: TestIssuer;
  readonly upstream?: TestUpstream;
  readonly dataDir?: string;
}

export const models = `
model_list:
  - model_name: claude
    litellm_params: { model: bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0, aws_region_name: us-east-1 }
  - model_name: nova
    litellm_params: { model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-east-1 }
`;

export const issuers = `
issuers:
  - issuer: "{issuer}"
    audience: llm-gateway
    dialect: okta
    required_scopes: [llm-gateway]
`;

const standardYaml = `${issuers}${models}
access:
  groups:
    users: { models: [claude] }
    developers: { models: ["*"] }
    admins: { models: ["*"], role: admin }
`;

/** A gateway with an issuer and an upstream of its own, on free ports. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const issuer = options.issuer ?? (await createTestIssuer({ path: "/oauth2/default" }));
  const upstream = options.upstream ?? (await startUpstream());
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "gateway-test-"));
  const configFile = join(dataDir, "gateway.yaml");
  const filled = (yaml: string): string =>
    yaml.replaceAll("{issuer}", issuer.issuer).replaceAll("{jwks}", issuer.jwksUri);
  writeFileSync(configFile, filled(options.yaml ?? standardYaml));
  const logs = captureLogs();
  const env: Env = {
    GATEWAY_PORT: "0",
    GATEWAY_CONFIG: configFile,
    ONBEHALF_DATA_DIR: dataDir,
    LITELLM_MASTER_KEY: masterKey,
    LITELLM_SALT_KEY: "pepper-of-this-test-only",
    SHUTDOWN_GRACE_SECONDS: "5",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret-of-this-test",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: upstream.url,
    ...options.env,
  };
  const release = async (): Promise<void> => {
    if (options.issuer === undefined) await issuer.close();
    if (options.upstream === undefined) await upstream.close();
    if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const gateway = await start(env, { destination: logs.destination }).catch(async (error: unknown) => {
    await release();
    throw error;
  });

  const call = async (path: string, { method, token, headers, body }: CallInit = {}): Promise<Answer> => {
    // What is asked about has to be written first, also on a machine that is busy.
    if (/^\/(?:audit|spend)\//.test(path)) await gateway.flush(10_000);
    const response = await fetch(`${gateway.url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: parsed(text) };
  };
  return {
    url: gateway.url,
    gateway,
    issuer,
    upstream,
    logs,
    dataDir,
    env,
    configFile,
    token: (claims) =>
      issuer.mint({
        aud: "llm-gateway",
        scp: ["llm-gateway"],
        cid: "voicebox",
        sub: "alice",
        email: "alice@example.com",
        groups: ["users"],
        ...claims,
      }),
    call,
    chat: (token, body) =>
      call("/v1/chat/completions", {
        token,
        body: { model: "claude", messages: [{ role: "user", content: "Who is Bob?" }], ...body },
      }),
    writeConfig: (yaml) => writeFileSync(configFile, filled(yaml)),
    async close() {
      await gateway.close();
      await release();
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // not JSON: a stream, an export
  }
}
