import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { start, type VoiceboxService } from "@onbehalf/voicebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { graphFiles } from "./service.ts";
import { voiceboxToken } from "./tokens.ts";

/** Voicebox on each of its wires, against the real gateway, the stand-in for Bedrock and the sandbox's provider. */
let chain: Chain;
let token: string;
const services: VoiceboxService[] = [];

beforeAll(async () => {
  chain = await startChain();
  token = await voiceboxToken(chain.urls.identityProvider, "alice");
});
afterAll(async () => {
  for (const service of services) await service.close();
  await chain.close();
});

async function voiceboxOn(wire: string): Promise<VoiceboxService> {
  const path = join(chain.dataDir, `vbx-${wire}.json`);
  const config = {
    default_llm_config: { llm_provider: wire, llm_name: "claude-sonnet-4-5", server_url: `${chain.urls.gateway}/v1/` },
    connections: { demo: { type: "embedded", files: graphFiles, workers: 1 } },
  };
  await writeFile(path, JSON.stringify(config));
  const issuer = (name: string) => `${chain.urls.identityProvider}/oauth2/${name}`;
  const service = await start(
    {
      VOICEBOX_PORT: "0",
      VBX_CONFIG: path,
      LOG_LEVEL: "silent",
      JWT_ISSUER: issuer("default"),
      JWT_AUDIENCE: "voicebox",
      JWT_REQUIRED_SCOPE: "voicebox",
      TOKEN_EXCHANGE_PROVIDER: "okta",
      OKTA_CLIENT_ID: "voicebox",
      OKTA_CLIENT_SECRET: "voicebox-secret",
      OKTA_DISCOVERY_URL: `${issuer("llm")}/.well-known/openid-configuration`,
      OKTA_LLM_GATEWAY_AUDIENCE: "llm-gateway",
      OKTA_LLM_GATEWAY_SCOPE: "llm-gateway",
    },
    {},
  );
  services.push(service);
  return service;
}

describe.each(["openai", "anthropic", "bedrock"])("llm_provider %s", (wire) => {
  let service: VoiceboxService;
  beforeAll(async () => {
    service = await voiceboxOn(wire);
  });

  const ask = (route: string, query: string, bearer = token) =>
    fetch(`${service.url}/api/v1/voicebox/${route}`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ query }),
    });

  it("asks, runs the tool and answers, with the user's exchanged token", async () => {
    const answer = (await (await ask("ask", "Which systems does the Atlas project use?")).json()) as { result: string };
    expect(answer.result).toContain("Atlas uses Ledger, Tilework and Wayfinder.");
  });

  it("streams the same answer", async () => {
    const lines = (await (await ask("stream/ask", "Who leads Beacon?")).text()).trim().split("\n");
    expect(lines.length).toBeGreaterThan(2);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({
      pending: false,
      result: expect.stringContaining("Dana Duarte leads Beacon."),
    });
  });

  it("hands the gateway's refusal up in its own words", async () => {
    const response = await ask("ask", "Who is Bob?", await voiceboxToken(chain.urls.identityProvider, "mallory"));
    expect(response.status).toBe(403);
    expect(((await response.json()) as { message: string }).message).toMatch(/group/);
  });

  it("is one of the gateway's own dialects there", async () => {
    const routes: Record<string, string> = {
      openai: "/v1/chat/completions",
      anthropic: "/v1/messages",
      bedrock: "/model/:id/converse",
    };
    const lines = chain.logs().filter(({ service: name, subject }) => name === "gateway" && subject === "alice");
    expect(lines.some(({ route }) => String(route).includes(routes[wire] ?? "?"))).toBe(true);
  });
});
