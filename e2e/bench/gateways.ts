import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { createTestIssuer } from "@onbehalf/shared-auth/testing";
import { asking, type Contestant } from "./contestants.ts";
import { directory, type Running, serverOf } from "./processes.ts";

/** As it ships, with every stage on and whatever `main.ts` sets for its process. */
const main = join(import.meta.dirname, "../../packages/gateway/src/main.ts");

export interface Gateways {
  /** One more gateway, with a data folder of its own. */
  start(core: number | undefined): Promise<Contestant[]>;
  close(): Promise<void>;
}

/** Gateways that know one identity provider and one user. */
export async function createGateways(provider: Running): Promise<Gateways> {
  const issuer = await createTestIssuer();
  const token = await issuer.mint({ sub: "alice", aud: "llm-gateway", groups: ["bench"], scp: ["llm-gateway"] });
  const headers = { authorization: `Bearer ${token}` };
  const configuration = join(directory, "gateway.yaml");
  writeFileSync(configuration, configurationOf(issuer.issuer, provider));
  return {
    async start(core) {
      const port = await freePort();
      const server = await serverOf({
        name: `gateway-${port}`,
        core,
        command: [process.execPath, main],
        env: environmentOf(configuration, port, provider),
        url: `http://127.0.0.1:${port}`,
        readyPath: "/system/ready",
      });
      const url = (): string => server.url;
      const toBedrock = asking({ url, headers, models: { plain: "bench", paced: "paced" } });
      const toOpenAi = asking({ url, headers, models: { plain: "passed", paced: "passed-paced" } });
      return [
        { name: "gateway → Bedrock", server, ask: toBedrock, warmsUp: true },
        { name: "gateway → OpenAI", server, ask: toOpenAi, warmsUp: true },
      ];
    },
    close: () => issuer.close(),
  };
}

/** Limits are kept and counted, and never reached. */
function configurationOf(issuer: string, provider: Running): string {
  const generous = "{ models: ['*'], rpm: 100000000, tpm: 100000000000, max_parallel: 100000 }";
  const price = "{ input: 1, output: 2 }";
  const openAi = `api_base: '${provider.url}/v1', api_key: bench-secret-of-the-provider`;
  return `issuers: [{ issuer: '${issuer}', audience: llm-gateway, dialect: okta, required_scopes: [llm-gateway] }]
model_list:
  - { model_name: bench, litellm_params: { model: bedrock/amazon.nova-bench-v1:0 } }
  - { model_name: paced, litellm_params: { model: bedrock/amazon.nova-paced-v1:0 } }
  - { model_name: passed, litellm_params: { model: openai/bench, ${openAi} } }
  - { model_name: passed-paced, litellm_params: { model: openai/paced, ${openAi} } }
access: { groups: { bench: ${generous} } }
prices:
  bedrock/amazon.nova-bench-v1:0: ${price}
  bedrock/amazon.nova-paced-v1:0: ${price}
  openai/bench: ${price}
  openai/paced: ${price}
`;
}

function environmentOf(configuration: string, port: number, provider: Running): Readonly<Record<string, string>> {
  return {
    GATEWAY_CONFIG: configuration,
    GATEWAY_PORT: String(port),
    ONBEHALF_DATA_DIR: mkdtempSync(join(directory, "data-")),
    LOG_LEVEL: "info",
    AWS_ACCESS_KEY_ID: "AKIDBENCH",
    AWS_SECRET_ACCESS_KEY: "bench-secret",
    AWS_REGION: "us-east-1",
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: provider.url,
    ENCRYPTION_SECRET: "a-secret-of-the-bench-that-is-long-enough",
  };
}
