import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type Env } from "@onbehalf/service-kit";
import { afterAll, describe, expect, test } from "vitest";
import { start } from "../start.ts";
import { readConfiguration } from "./read.ts";

const folder = mkdtempSync(join(tmpdir(), "onbehalf-gateway-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good: Env = {
  ONBEHALF_DATA_DIR: folder,
  GATEWAY_PORT: "0",
  JWT_PUBLIC_KEY_URL: "https://id.example.com/keys",
  JWT_ISSUER: "https://id.example.com",
  JWT_AUDIENCE: "llm-gateway",
};

function withFile(yaml: string, env: Env = {}): Env {
  const path = join(folder, "gateway.yaml");
  writeFileSync(path, yaml);
  return { ...good, GATEWAY_CONFIG: path, ...env };
}

/** Names of the problems, without the path of the file. */
async function namesOf(read: () => unknown): Promise<readonly string[]> {
  try {
    await read();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ name }) => name.replace(/^.*gateway\.yaml: /, ""));
  }
}

test.each([
  ["https://acme.okta.com/oauth2/default/v1/keys", "okta"],
  ["https://id.example.com/realms/acme/protocol/openid-connect/certs", "keycloak"],
  ["https://login.microsoftonline.com/acme/discovery/v2.0/keys", "entra"],
  ["https://login.microsoftonline.us/common/discovery/keys", "entra"],
  ["https://acme.ciamlogin.com/acme/discovery/v2.0/keys?appid=a", "entra"],
  ["https://id.example.com/discovery/keys", "plain"],
  ["https://id.example.com/keys", "plain"],
])("whose tokens they are is told by where their keys are: %s", (JWT_PUBLIC_KEY_URL, dialect) => {
  const [issuer] = readConfiguration({ ...good, JWT_PUBLIC_KEY_URL }).settings.issuers;
  expect(issuer?.options.dialect).toBe(dialect);
});

test("a line end that a variable brings along is no part of an issuer: nobody's tokens would name it", () => {
  const yaml = "issuers: [{ issuer: os.environ/IDP, audience: a }]";
  const { issuers } = readConfiguration(withFile(yaml, { IDP: "https://idp.example.com/\n" })).settings;
  expect(issuers.map(({ options }) => options.issuer)).toContain("https://idp.example.com/");
});

const model = (params: string) =>
  `model_list:\n  - model_name: m\n    litellm_params: { model: bedrock/amazon.nova-lite-v1:0, ${params} }\n`;

const exchange = (settings: string) =>
  `model_list:\n  - model_name: m\n    litellm_params: { model: openai/x, token_exchange: { client_id: a, ${settings} } }\n`;

test("unknown keys, unset references, keys of LiteLLM's that are refused and what is wrong besides are told at once", async () => {
  const yaml = [
    "nope: 3",
    "general_settings: { allowed_ips: [a], database_url: os.environ/NOWHERE, maximum_spend_logs_retention_period: 3x }",
    "issuers: [{ issuer: 'http://idp.example.com', audience: a, audienc: b }]",
  ];
  expect(await namesOf(() => readConfiguration(withFile(yaml.join("\n"), { REDIS_URL: "foo" })))).toEqual([
    "REDIS_URL",
    "general_settings.allowed_ips",
    "general_settings.database_url",
    "nope",
    "issuers[0].audienc",
    "issuers[0].issuer",
    "general_settings.maximum_spend_logs_retention_period",
  ]);
});

describe("wrong values have their name", () => {
  test.each<[string, Env]>([
    ["ONBEHALF_DATA_DIR", { ONBEHALF_DATA_DIR: "/dev/null/x" }],
    ["REDIS_URL", { REDIS_URL: "redis://host/name" }],
    ["DATABASE_URL", { DATABASE_URL: "mysql://x" }],
    ["LITELLM_CORS_ORIGINS", { LITELLM_CORS_ORIGINS: "foo" }],
    ["JWT_PUBLIC_KEY_URL", { JWT_PUBLIC_KEY_URL: "https://user:word@id.example.com/keys" }],
    ["AWS_ENDPOINT_URL", { AWS_ENDPOINT_URL: "bedrock.internal" }],
    ["AWS_REGION", { AWS_REGION: "us east" }],
    ["AWS_DEFAULT_REGION", { AWS_DEFAULT_REGION: "us-east-1/" }],
  ])("%s, %o", async (name, env) => {
    expect(await namesOf(() => readConfiguration({ ...good, ...env }))).toEqual([name]);
  });

  test.each([
    ["general_settings.database_url", "general_settings: { database_url: 'mysql://x' }"],
    ["issuers[0].issuer", "issuers: [{ issuer: notaurl, audience: a }]"],
    ["model_list[0].litellm_params.api_base", model("api_base: not a url")],
    ["model_list[0].litellm_params.api_base", model("api_base: 'ftp://bedrock.internal'")],
    ["model_list[0].litellm_params.aws_bedrock_runtime_endpoint", model("aws_bedrock_runtime_endpoint: internal")],
    ["model_list[0].litellm_params.aws_region_name", model("aws_region_name: us east")],
    ["bedrock.endpoint", "bedrock: { endpoint: internal }"],
    ["bedrock.sts_endpoint", "bedrock: { sts_endpoint: internal }"],
    ["bedrock.region", "bedrock: { region: us east }"],
    [
      "model_list[0].litellm_params.token_exchange.private_key_file",
      exchange("profile: keycloak, issuer: 'https://a', private_key_file: /nope.pem"),
    ],
    [
      "model_list[0].litellm_params.token_exchange.issuer",
      exchange("profile: keycloak, issuer: 'http://a.example', client_secret: s"),
    ],
  ])("%s in the file", async (name, yaml) => {
    expect(await namesOf(() => readConfiguration(withFile(yaml)))).toEqual([name]);
  });

  test("an exchange that lacks what its profile needs stops the start with the model's name", async () => {
    const env = withFile(exchange("profile: okta, issuer: 'https://a', client_secret: s, audience: x"));
    expect(await namesOf(() => start(env))).toEqual(["model_list: m: token_exchange"]);
  });

  test.each([
    exchange("profile: keycloak, issuer: 'https://a', private_key_file: os.environ/NOWHERE"),
    model("api_base: os.environ/NOWHERE"),
  ])("a variable that is not set only makes the model unusable: %s", async (yaml) => {
    expect(await namesOf(() => readConfiguration(withFile(yaml)))).toEqual([]);
  });

  test("an issuer is only a name where its keys have an address", async () => {
    const yaml = "issuers: [{ issuer: partner, audience: a, public_key_url: 'https://a/keys' }]";
    expect(await namesOf(() => readConfiguration(withFile(yaml)))).toEqual([]);
  });
});
