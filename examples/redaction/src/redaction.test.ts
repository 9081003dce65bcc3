import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { serve } from "@hono/node-server";
import { start as startGateway } from "@onbehalf/gateway";
import { startBedrock } from "@onbehalf/sandbox";
import { type IdentityProvider, startIdentityProvider } from "@onbehalf/sandbox/idp";
import { signIn } from "@onbehalf/sandbox/token";
import { captureLogs, freePort } from "@onbehalf/service-kit/testing";
import { start as startVoicebox } from "@onbehalf/voicebox";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redaction } from "./redaction.ts";

const dataFolder = resolve(import.meta.dirname, "../../../packages/sandbox/src/data");
const aws = {
  accessKeyId: "AKIAEXAMPLEEXAMPLE00",
  secretAccessKey: "example-secret-access-key-of-nothing",
  region: "us-east-1",
};

/** The gateway's server, told of one service more on the way: Voicebox exchanges for it, and it for the gateway. */
const llm = {
  title: "Gateway and redaction",
  dialect: "okta" as const,
  trusts: ["default"],
  audiences: { "llm-gateway": ["llm-gateway"], redaction: ["redaction"] },
  clients: {
    voicebox: {
      name: "Voicebox",
      secret: "voicebox-secret",
      exchanges: [{ from: ["default"], subjectAudience: "voicebox", audience: "redaction", scopes: ["redaction"] }],
    },
    redaction: {
      name: "Redaction",
      secret: "redaction-secret",
      exchanges: [{ from: ["llm"], subjectAudience: "redaction", audience: "llm-gateway", scopes: ["llm-gateway"] }],
    },
  },
};

describe("a service of forty lines in the middle of the chain", () => {
  const closing: (() => Promise<unknown>)[] = [];
  const logs = captureLogs();
  let provider: IdentityProvider;
  let voicebox: string;
  let gateway: string;
  let service: string;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), "redaction-"));
    closing.push(() => rm(folder, { recursive: true, force: true }));
    const port = await freePort();
    provider = await startIdentityProvider({ port, issuers: { llm }, ...logs });
    const bedrock = await startBedrock({ host: "127.0.0.1", port: 0, portVariable: "PORT", ...aws, ...logs });
    const gatewayService = await startGateway(
      {
        GATEWAY_PORT: "0",
        GATEWAY_CONFIG: join(dataFolder, "gateway.yaml"),
        ONBEHALF_DATA_DIR: folder,
        SHUTDOWN_GRACE_SECONDS: "2",
        SANDBOX_ISSUER_DEFAULT: provider.issuerUrl("default"),
        SANDBOX_ISSUER_LLM: provider.issuerUrl("llm"),
        LITELLM_MASTER_KEY: `sk-${"master".repeat(6)}-0123456789`,
        LITELLM_SALT_KEY: "0123456789abcdef0123456789abcdef",
        AWS_REGION: aws.region,
        AWS_ACCESS_KEY_ID: aws.accessKeyId,
        AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url,
      },
      logs,
    );
    gateway = gatewayService.url;
    const app = redaction({ issuer: provider.issuerUrl("llm"), clientSecret: "redaction-secret", gateway });
    const between = await freePort();
    const server = serve({ fetch: app.fetch, port: between, hostname: "127.0.0.1" });
    service = `http://127.0.0.1:${between}`;
    const configPath = join(folder, "vbx-config.json");
    const files = ["schema", "people", "projects", "systems"].map((name) => join(dataFolder, "graph", `${name}.ttl`));
    await writeFile(
      configPath,
      JSON.stringify({
        default_llm_config: { llm_provider: "openai", llm_name: "claude-sonnet-4-5", server_url: `${service}/v1/` },
        connections: { demo: { type: "embedded", files, workers: 1 } },
      }),
    );
    const voiceboxService = await startVoicebox(
      {
        VOICEBOX_PORT: "0",
        SHUTDOWN_GRACE_SECONDS: "2",
        VBX_CONFIG: configPath,
        JWT_ISSUER: provider.issuerUrl("default"),
        JWT_AUDIENCE: "voicebox",
        JWT_REQUIRED_SCOPE: "voicebox",
        TOKEN_EXCHANGE_PROVIDER: "okta",
        OKTA_CLIENT_ID: "voicebox",
        OKTA_CLIENT_SECRET: "voicebox-secret",
        OKTA_DISCOVERY_URL: `${provider.issuerUrl("llm")}/.well-known/openid-configuration`,
        // All that an operator changes: the next hop is another one.
        OKTA_LLM_GATEWAY_AUDIENCE: "redaction",
        OKTA_LLM_GATEWAY_SCOPE: "redaction",
      },
      logs,
    );
    voicebox = voiceboxService.url;
    closing.push(
      () => bedrock.close(),
      () => provider.close(),
      () => gatewayService.close(),
      () => new Promise((done) => server.close(done)),
      () => voiceboxService.close(),
    );
  });
  afterAll(async () => {
    for (const close of closing.reverse()) await close();
  });

  const tokenFor = async (user: string) => {
    const scope = "openid profile email groups voicebox";
    return (await signIn({ issuer: provider.issuerUrl("default"), user, audience: "voicebox", scope })).accessToken;
  };
  const ask = async (token: string, query: string, route = "ask") =>
    fetch(`${voicebox}/api/v1/voicebox/${route}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ query }),
    });

  it("answers as before, but the model never sees an e-mail address", async () => {
    const answer = await (await ask(await tokenFor("alice"), "What is the email of Henrik?")).json();
    expect(answer).toMatchObject({ result: expect.stringContaining("Henrik Haugen has email [e-mail address]") });
    expect(JSON.stringify(answer)).toContain("henrik@example.com");
  });

  it("streams as before", async () => {
    const text = await (await ask(await tokenFor("alice"), "Who leads Beacon?", "stream/ask")).text();
    expect(JSON.parse(text.trim().split("\n").at(-1) ?? "")).toMatchObject({
      pending: false,
      result: expect.stringContaining("Dana Duarte leads Beacon."),
    });
  });

  it("leaves the user who they are: the gateway records alice, brought by the service", async () => {
    await ask(await tokenFor("alice"), "Who is Bob?");
    const line = logs
      .requests()
      .findLast(({ service: name, route }) => name === "gateway" && route === "POST /v1/chat/completions");
    expect(line).toMatchObject({
      subject: "alice",
      client_id: "redaction",
      issuer: provider.issuerUrl("llm"),
      outcome: "ok",
    });
  });

  it("leaves refusals to the gateway, in its own words", async () => {
    const response = await ask(await tokenFor("mallory"), "Who is Bob?");
    expect(response.status).toBe(403);
    expect(((await response.json()) as { message: string }).message).toMatch(/group/);
  });

  it("takes only tokens that are meant for it, and hands none of them on", async () => {
    const body = JSON.stringify({ model: "claude-sonnet-4-5", messages: [{ role: "user", content: "hello" }] });
    const send = (token: string) =>
      fetch(`${service}/v1/chat/completions`, { method: "POST", headers: { authorization: `Bearer ${token}` }, body });
    const foreign = await send(await tokenFor("alice"));
    expect([foreign.status, foreign.headers.get("www-authenticate")]).toEqual([
      401,
      expect.stringContaining("invalid_token"),
    ]);
    const token = (
      await signIn({
        issuer: provider.issuerUrl("llm"),
        user: "alice",
        audience: "redaction",
        scope: "openid redaction",
      })
    ).accessToken;
    expect(decodeJwt(token).aud).toBe("redaction");
    const atGateway = await fetch(`${gateway}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body,
    });
    expect(atGateway.status).toBe(401);
  });
});
