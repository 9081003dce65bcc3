import { createKey } from "@onbehalf/launchpad";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.close());

type Headers = Record<string, string>;
const dead: Headers = { cookie: `onbehalf_session=${"x".repeat(43)}` };
const json: Headers = { "content-type": "application/json", "x-client-id": "test" };

describe("a 401 says how to come in (RFC 6750 section 3, RFC 9728 section 5.1)", () => {
  it.each<[string, string, string, () => Promise<Headers> | Headers]>([
    ["without a session", "GET", "/api/session", () => ({})],
    ["with a dead session", "GET", "/api/session", () => dead],
    ["with a dead session", "GET", "/api/v1/app", () => dead],
    ["with a dead session", "GET", "/api/apps", () => dead],
    ["with a dead session", "POST", "/page/ask", () => ({ ...dead, ...json, origin: stage.publicUrl })],
    ["to a page that would be shown", "POST", "/me/sessions/x/end", () => ({ ...dead, origin: stage.publicUrl })],
    ["without the key", "GET", "/api/v1/app", async () => ({ ...json, ...(await token()) })],
    [
      "with an unknown key",
      "GET",
      "/api/v1/app",
      async () => ({ ...json, ...(await token()), "x-voicebox-app-key": createKey().key }),
    ],
    ["with a key alone", "GET", "/api/v1/app", () => ({ ...json, authorization: `Bearer ${stage.appKey}` })],
  ])("%s: %s %s", async (_, method, path, headers) => {
    const answer = await fetch(stage.publicUrl + path, { method, headers: await headers() });
    const metadata = `${stage.publicUrl}/.well-known/oauth-protected-resource`;
    expect([answer.status, answer.headers.get("www-authenticate")]).toEqual([
      401,
      `Bearer realm="onbehalf", resource_metadata="${metadata}"`,
    ]);
  });

  it("where no token is taken at all", async () => {
    const closed = await startStage({ env: { API_AUTH_JWT_ENABLED: "false" } });
    try {
      const answer = await fetch(`${closed.publicUrl}/api/v1/app`, { headers: { ...json, authorization: "Bearer x" } });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: "invalid_token" });
      expect(answer.headers.get("www-authenticate")).toMatch(
        /^Bearer realm="onbehalf", error="invalid_token", .*resource_metadata="http/,
      );
    } finally {
      await closed.close();
    }
  });
});

async function token(): Promise<Headers> {
  return { authorization: `Bearer ${await stage.tokenOf("alice")}` };
}
