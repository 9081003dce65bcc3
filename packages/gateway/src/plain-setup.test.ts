import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { captureLogs } from "@onbehalf/service-kit/testing";
import { createTestIssuer } from "@onbehalf/shared-auth/testing";
import { expect, test } from "vitest";
import { start } from "./start.ts";
import { startUpstream } from "./testing/upstream.ts";

test("by environment alone: users of one issuer, any Bedrock model, no key but the master key", async () => {
  const [issuer, upstream] = await Promise.all([createTestIssuer(), startUpstream()]);
  const dataDir = mkdtempSync(join(tmpdir(), "plain-"));
  const env = {
    GATEWAY_PORT: "0",
    ONBEHALF_DATA_DIR: dataDir,
    JWT_PUBLIC_KEY_URL: issuer.jwksUri,
    JWT_ISSUER: issuer.issuer,
    JWT_AUDIENCE: "llm-gateway",
    JWT_REQUIRED_SCOPE: "llm-gateway",
    AWS_REGION: "us-east-1",
    AWS_ACCESS_KEY_ID: "AKIATEST",
    AWS_SECRET_ACCESS_KEY: "secret-of-this-test",
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: upstream.url,
  };
  const gateway = await start(env, { destination: captureLogs().destination });
  try {
    const chat = async (claims: object, model: string) => {
      const token = await issuer.mint({ aud: "llm-gateway", scp: ["llm-gateway"], ...claims });
      const body = JSON.stringify({ model, messages: [{ role: "user", content: "x" }] });
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      return (await fetch(`${gateway.url}/v1/chat/completions`, { method: "POST", headers, body })).status;
    };
    expect((await fetch(`${gateway.url}/system/ready`)).status).toBe(200);
    expect(await chat({}, "amazon.nova-lite-v1:0")).toBe(200);
    expect(await chat({}, "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0")).toBe(200);
    expect(upstream.calls.map(({ path }) => path)).toEqual([
      "/model/amazon.nova-lite-v1%3A0/converse",
      "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
    ]);
    expect(await chat({ scp: ["openid"] }, "amazon.nova-lite-v1:0")).toBe(403);
    // A client's own token is no user's.
    expect(await chat({ sub: "batch", cid: "batch", uid: undefined }, "amazon.nova-lite-v1:0")).toBe(403);
  } finally {
    await gateway.close();
    await Promise.all([issuer.close(), upstream.close()]);
    rmSync(dataDir, { recursive: true, force: true });
  }
});
