import { readFile, writeFile } from "node:fs/promises";
import type { Env } from "@onbehalf/service-kit";
import { start } from "@onbehalf/voicebox";
import { describe, expect, it } from "vitest";
import { query, toolResults } from "./gateway.ts";
import { startBench, vbxConfig } from "./service.ts";

const settingsError = async (env: Env): Promise<string> => {
  try {
    const service = await start({ VOICEBOX_PORT: "0", ...env });
    await service.close();
    return "started";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
};

describe("settings", () => {
  it("names everything that is wrong at once, and shows no secret", async () => {
    const message = await settingsError({
      VBX_CONFIG: "",
      JWT_ISSUER: "okta",
      JWT_JWKS_URI: "http://keys.example.com/keys",
      JWT_ALLOWED_ALGORITHMS: "RS256,HS256",
      JWT_LEEWAY_SECONDS: "-1",
      JWKS_CACHE_TTL: "soon",
      TOKEN_EXCHANGE_PROVIDER: "okta",
      OKTA_CLIENT_SECRET: "canary-secret",
      OKTA_DISCOVERY_URL: "nowhere",
      LOG_LEVEL: "loud",
      REDIS_URL: "redis://127.0.0.1:1",
      ENCRYPTION_SECRET: "canary-short",
    });
    const names = [
      "VBX_CONFIG",
      "JWT_ISSUER",
      "JWT_JWKS_URI",
      "JWT_AUDIENCE",
      "JWT_REQUIRED_SCOPE",
      "JWT_ALLOWED_ALGORITHMS",
      "JWT_LEEWAY_SECONDS",
      "JWKS_CACHE_TTL",
    ];
    const more = [
      "OKTA_CLIENT_ID",
      "OKTA_DISCOVERY_URL",
      "OKTA_LLM_GATEWAY_AUDIENCE",
      "OKTA_LLM_GATEWAY_SCOPE",
      "LOG_LEVEL",
      "ENCRYPTION_SECRET",
    ];
    for (const name of [...names, ...more]) expect(message).toMatch(new RegExp(`^ *${name}: .+`, "m"));
    expect(message).not.toContain("canary");
  });

  it.each([
    ["keycloak", "KEYCLOAK", ["AUDIENCE"]],
    ["entra", "ENTRA", ["SCOPE"]],
    ["auth0", "AUTH0", ["AUDIENCE"]],
    ["zitadel", "ZITADEL", ["AUDIENCE"]],
    ["rfc8693", "RFC8693", ["AUDIENCE"]],
    ["okta", "OKTA", ["AUDIENCE", "SCOPE"]],
  ])("reads the variables of %s by its own prefix", async (provider, prefix, targets) => {
    const message = await settingsError({ TOKEN_EXCHANGE_PROVIDER: provider });
    for (const name of ["CLIENT_ID", "CLIENT_SECRET", "DISCOVERY_URL"])
      expect(message).toContain(`${prefix}_${name}: `);
    for (const target of targets) expect(message).toContain(`${prefix}_LLM_GATEWAY_${target}: `);
  });

  it("refuses a provider that it does not know, and one without anybody to verify", async () => {
    expect(await settingsError({ TOKEN_EXCHANGE_PROVIDER: "ping" })).toContain(
      "okta, keycloak, entra, auth0, zitadel, rfc8693, id_jag",
    );
    expect(await settingsError({ REQUIRE_JWT_AUTH: "false", TOKEN_EXCHANGE_PROVIDER: "okta" })).toMatch(
      /TOKEN_EXCHANGE_PROVIDER: needs REQUIRE_JWT_AUTH=true[\s\S]*|LLM_API_KEY/,
    );
    expect(await settingsError({ REQUIRE_JWT_AUTH: "no" })).toContain('REQUIRE_JWT_AUTH: expected "true" or "false"');
  });

  it("refuses a misspelt key of vbx-config.json, with the name that was meant", async () => {
    const bench = await startBench();
    const good = JSON.parse(await readFile(bench.configPath, "utf8"));
    const bad = {
      ...good,
      default_llm_confg: {},
      default_llm_config: { ...good.default_llm_config, server_ulr: "x", llm_provider: "azure" },
    };
    await writeFile(bench.configPath, JSON.stringify(bad));
    await bench.service.reload();
    const line = bench.logs.lines().find(({ level }) => level === "error");
    const said = JSON.stringify(line);
    expect(said).toContain('did you mean \\"default_llm_config\\"');
    expect(said).toContain("server_url");
    expect(said).toContain("openai, anthropic, bedrock");
    expect((await bench.ask(await bench.token())).status).toBe(200);
    await bench.close();
  });
});

describe("an issuer at start", () => {
  it("whose discovery document names another one is a mistake of the settings", async () => {
    const bench = await startBench();
    bench.issuer.answer("discovery", () => ({
      status: 200,
      body: { issuer: "https://elsewhere.example.com", jwks_uri: bench.issuer.jwksUri },
    }));
    expect(await settingsError({ ...bench.env, JWT_JWKS_URI: "" })).toContain("JWT_ISSUER: ");
    await bench.close();
  });

  it("that is away only makes the service not ready, until it is back", async () => {
    const bench = await startBench();
    bench.issuer.answer("jwks", () => ({ status: 500 }));
    const service = await start(bench.env, bench.logs);
    const ready = () =>
      fetch(`${service.url}/system/ready`).then(async (response) => [response.status, await response.text()]);
    expect(await ready()).toEqual([503, expect.stringContaining("keys")]);
    bench.issuer.answer("jwks", undefined);
    await expect.poll(async () => (await ready())[0], { timeout: 30_000 }).toBe(200);
    await service.close();
    await bench.close();
  });
});

describe("reading vbx-config.json again", () => {
  it("loses no request: those that run end with what they began with, new ones begin with the new", async () => {
    const bench = await startBench();
    const token = await bench.token();
    let release: (() => void) | undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    bench.gateway.behave(async ({ body }) => {
      if (toolResults(body).length === 0) return { calls: [query("SELECT ?s WHERE { ?s ?p ?o } LIMIT 1")] };
      if (body.model === "test-model") await held;
      return { text: body.model };
    });
    const running = Array.from({ length: 20 }, () => bench.ask(token));
    await expect.poll(() => bench.gateway.calls.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(40);
    const config = vbxConfig(bench.gateway.url);
    await writeFile(
      bench.configPath,
      JSON.stringify({ ...config, default_llm_config: { ...config.default_llm_config, llm_name: "new-model" } }),
    );
    await bench.service.reload();
    expect(await (await bench.ask(token)).json()).toMatchObject({ result: "new-model" });
    release?.();
    const answers = await Promise.all(running);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await answers[0]?.json()).toMatchObject({ result: "test-model" });
    await bench.close();
  });
});

describe("without JWT authentication, in a private network", () => {
  const env = {
    REQUIRE_JWT_AUTH: "false",
    TOKEN_EXCHANGE_PROVIDER: "",
    LLM_API_KEY: "sk-canary-static-key-1234567890",
  };

  it("warns loudly, goes to the model with its one key, and keeps clients' conversations apart", async () => {
    const bench = await startBench({ env });
    const warning = bench.logs.lines().find(({ level }) => level === "warn");
    expect(warning?.msg).toContain("NOBODY IS VERIFIED");
    bench.gateway.behave(({ body }) => ({
      text: `heard ${body.messages.filter(({ role }) => role === "user").length}`,
    }));
    const first = await (await bench.ask(undefined, { query: "Who?", client_id: "a" })).json();
    const { conversation_id } = first as { conversation_id: string };
    const again = { query: "And?", conversation_id };
    expect(await (await bench.ask(undefined, { ...again, client_id: "a" })).json()).toMatchObject({
      result: "heard 2",
    });
    expect(await (await bench.ask(undefined, { ...again, client_id: "b" })).json()).toMatchObject({
      result: "heard 1",
    });
    expect(bench.gateway.calls.every(({ headers }) => headers.authorization === `Bearer ${env.LLM_API_KEY}`)).toBe(
      true,
    );
    expect((await bench.ask(undefined, { query: "Who?" })).status).toBe(400);
    expect(bench.issuer.requests).toHaveLength(0);
    expect(bench.logs.text()).not.toContain("canary");
    await bench.close();
  });

  it("takes the blame itself when the gateway refuses its key", async () => {
    const bench = await startBench({ env });
    bench.gateway.behave(() => ({ status: 401, message: "unknown key" }));
    const response = await bench.ask(undefined, { query: "Who?", client_id: "a" });
    expect([response.status, (await response.json()) as unknown]).toEqual([
      502,
      expect.objectContaining({ error: "llm_misconfigured" }),
    ]);
    await bench.close();
  });

  it("sends no token of a caller anywhere", async () => {
    const bench = await startBench({ env });
    const token = await bench.token();
    await bench.ask(token, { query: "Who?", client_id: "a" });
    expect(JSON.stringify(bench.gateway.calls.map(({ headers }) => headers))).not.toContain(token);
    await bench.close();
  });
});
