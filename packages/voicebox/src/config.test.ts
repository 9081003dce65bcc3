import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConfigError, type Env } from "@onbehalf/service-kit";
import { afterAll, describe, expect, it } from "vitest";
import { loadConfig } from "./config.ts";
import { start } from "./start.ts";

const folder = mkdtempSync(join(tmpdir(), "onbehalf-voicebox-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fileOf = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const noKeyFile = fileOf("not-a-key.pem", "hello");

const good: Env = {
  VOICEBOX_PORT: "0",
  VBX_CONFIG: join(folder, "vbx-config.json"),
  JWT_ISSUER: "https://id.example.com/oauth2/default",
  JWT_AUDIENCE: "voicebox",
  JWT_REQUIRED_SCOPE: "voicebox",
  TOKEN_EXCHANGE_PROVIDER: "okta",
  OKTA_CLIENT_ID: "voicebox",
  OKTA_CLIENT_SECRET: "s",
  OKTA_DISCOVERY_URL: "https://id.example.com/oauth2/llm/.well-known/openid-configuration",
  OKTA_LLM_GATEWAY_AUDIENCE: "llm-gateway",
  OKTA_LLM_GATEWAY_SCOPE: "llm",
};

/** Problems by name; none when everything is good. */
async function problemsOf(read: () => unknown): Promise<Record<string, string>> {
  try {
    await read();
    return {};
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return Object.fromEntries(error.problems.map(({ name, problem }) => [name, problem]));
  }
}

describe("the environment", () => {
  it.each<[string, string, Env]>([
    ["JWT_ISSUER", "absolute URL", { JWT_ISSUER: "notaurl" }],
    ["JWT_ISSUER", "absolute URL", { JWT_ISSUER: "mailto:a", JWT_JWKS_URI: "https://a/keys" }],
    ["JWT_ISSUER", "plain http", { JWT_ISSUER: "http://idp.example.com" }],
    ["JWT_JWKS_URI", "plain http", { JWT_JWKS_URI: "http://example.com/keys" }],
    ["JWT_JWKS_URI", "without user name", { JWT_JWKS_URI: "https://user:word@example.com/keys" }],
    ["OKTA_PRIVATE_KEY_PATH", "no key file", { OKTA_PRIVATE_KEY_PATH: "/nope.pem" }],
    ["OKTA_PRIVATE_KEY_PATH", "no readable", { OKTA_PRIVATE_KEY_PATH: noKeyFile }],
    ["OKTA_CLIENT_SECRET", "is not set", { OKTA_CLIENT_SECRET: "", OKTA_PRIVATE_KEY_PATH: "" }],
    ["OKTA_CLIENT_ID", "expected the client's id", { OKTA_CLIENT_ID: " " }],
    ["OKTA_LLM_GATEWAY_SCOPE", "expected at least one scope", { OKTA_LLM_GATEWAY_SCOPE: " , " }],
    ["REDIS_URL", "redis://", { REDIS_URL: "redis://host/name", ENCRYPTION_SECRET: "e".repeat(32) }],
    ["ENCRYPTION_SECRET", "is not set", { REDIS_URL_FILE: fileOf("redis-url", "redis://host") }],
  ])("says by its name that %s is wrong: %s, %o", async (name, words, env) => {
    const problems = await problemsOf(() => loadConfig({ ...good, ...env }));
    expect(Object.keys(problems)).toEqual([name]);
    expect(problems[name]).toContain(words);
  });

  it("takes any name for an issuer whose keys have an address of their own, by the letter", () => {
    const { access } = loadConfig({ ...good, JWT_ISSUER: "http://idp.example.com/", JWT_JWKS_URI: "https://a/keys" });
    expect(access).toMatchObject({ issuer: { issuer: "http://idp.example.com/", jwksUri: "https://a/keys" } });
  });
});

describe("the environment and the file together", () => {
  const llm = { llm_provider: "openai", llm_name: "m", server_url: "http://localhost:1" };

  it("tell at once what is wrong in both", async () => {
    const path = fileOf("wrong.json", JSON.stringify({ default_llm_config: { ...llm, llm_provider: "opena" } }));
    const problems = await problemsOf(() => start({ ...good, JWT_AUDIENCE: "", VBX_CONFIG: path }));
    expect(Object.keys(problems)).toEqual(["JWT_AUDIENCE", `${path}: default_llm_config.llm_provider`]);
  });

  it("tell what is wrong with connections, too, and name the variable of a file that is not there", async () => {
    const connections = { c: { type: "embedded", files: ["nowhere.ttl"] } };
    const path = fileOf("lost.json", JSON.stringify({ default_llm_config: llm, connections }));
    const env = { ...good, JWT_AUDIENCE: "" };
    expect(Object.keys(await problemsOf(() => start({ ...env, VBX_CONFIG: path })))).toEqual([
      "JWT_AUDIENCE",
      "connections.c",
    ]);
    expect(await problemsOf(() => start({ ...env, VBX_CONFIG: "/nope.json" }))).toEqual({
      JWT_AUDIENCE: "is not set; expected at least 1 comma-separated value",
      VBX_CONFIG: "names /nope.json, which cannot be read (ENOENT)",
    });
  });
});
