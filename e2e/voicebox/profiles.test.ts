import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startIdentityProvider } from "@onbehalf/sandbox";
import type { Env, Service } from "@onbehalf/service-kit";
import { captureLogs } from "@onbehalf/service-kit/testing";
import { start } from "@onbehalf/voicebox";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeGateway, startFakeGateway } from "./gateway.ts";
import { vbxConfig } from "./service.ts";
import { voiceboxToken, type Way } from "./tokens.ts";

let provider: Service;
let gateway: FakeGateway;
let folder: string;
let configPath: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "profiles-"));
  provider = await startIdentityProvider({
    host: "127.0.0.1",
    port: 0,
    launchpadUrl: "http://localhost:3000",
    dataDir: folder,
    ...captureLogs(),
  });
  gateway = await startFakeGateway();
  configPath = join(folder, "vbx-config.json");
  await writeFile(configPath, JSON.stringify(vbxConfig(gateway.url)));
});
afterAll(async () => {
  await Promise.all([provider.close(), gateway.close()]);
  await rm(folder, { recursive: true, force: true });
});

const both = ["voicebox", "llm-gateway"];
/** How an operator sets Voicebox up for each make of provider. */
const makes: readonly { readonly way: Way; readonly env: Env }[] = [
  {
    way: {
      issuer: "keycloak",
      profile: "keycloak",
      backend: "launchpad-backend",
      audience: ["voicebox"],
      scopes: ["voicebox"],
    },
    env: { KEYCLOAK_LLM_GATEWAY_AUDIENCE: "llm-gateway", KEYCLOAK_LLM_GATEWAY_SCOPE: "llm-gateway" },
  },
  {
    way: { issuer: "entra", profile: "entra", backend: "launchpad", scopes: ["api://voicebox/.default"] },
    env: { ENTRA_LLM_GATEWAY_SCOPE: "api://llm-gateway/.default" },
  },
  {
    way: {
      issuer: "auth0",
      profile: "auth0",
      backend: "launchpad-backend",
      audience: ["voicebox"],
      scopes: ["voicebox"],
    },
    env: { AUTH0_LLM_GATEWAY_AUDIENCE: "llm-gateway", AUTH0_LLM_GATEWAY_SCOPE: "llm-gateway" },
  },
  {
    way: { issuer: "zitadel", profile: "zitadel", backend: "launchpad-backend", audience: both, scopes: ["voicebox"] },
    env: { ZITADEL_LLM_GATEWAY_AUDIENCE: "llm-gateway", ZITADEL_LLM_GATEWAY_SCOPE: "llm-gateway" },
  },
  {
    way: {
      issuer: "generic",
      profile: "rfc8693",
      backend: "launchpad-backend",
      audience: ["voicebox"],
      scopes: ["voicebox"],
    },
    env: { RFC8693_LLM_GATEWAY_AUDIENCE: "llm-gateway", RFC8693_LLM_GATEWAY_SCOPE: "llm-gateway" },
  },
];

describe.each(makes)("TOKEN_EXCHANGE_PROVIDER=$way.profile", ({ way, env }) => {
  it("brings alice to the gateway with a token of her own for it", async () => {
    const issuer = `${provider.url.replace("127.0.0.1", "localhost")}/oauth2/${way.issuer}`;
    const prefix = way.profile.toUpperCase();
    const service = await start(
      {
        VOICEBOX_PORT: "0",
        LOG_LEVEL: "silent",
        VBX_CONFIG: configPath,
        JWT_ISSUER: issuer,
        JWT_AUDIENCE: "voicebox",
        JWT_REQUIRED_SCOPE: "voicebox",
        TOKEN_EXCHANGE_PROVIDER: way.profile,
        [`${prefix}_CLIENT_ID`]: "voicebox",
        [`${prefix}_CLIENT_SECRET`]: "voicebox-secret",
        [`${prefix}_DISCOVERY_URL`]: `${issuer}/.well-known/openid-configuration`,
        ...env,
      },
      {},
    );
    try {
      const token = await voiceboxToken(provider.url.replace("127.0.0.1", "localhost"), "alice", way);
      const response = await fetch(`${service.url}/api/v1/voicebox/ask`, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify({ query: "Who?" }),
      });
      expect(await response.json()).toMatchObject({ result: expect.stringContaining("answered for") });
      const sent = (gateway.calls.at(-1)?.headers.authorization ?? "").replace("Bearer ", "");
      expect(sent).not.toBe(token);
      expect([decodeJwt(sent).aud].flat()).toContain("llm-gateway");
      expect(decodeJwt(sent).sub).toBeDefined();
    } finally {
      await service.close();
    }
  });
});
