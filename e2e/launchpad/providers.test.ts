import { freePort } from "@onbehalf/service-kit/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Jar, sessionCookie, step, walkToCallback } from "./browser-steps.ts";
import { type Stage, startStage } from "./stage.ts";

let stage: Stage;
beforeAll(async () => {
  const port = await freePort();
  const issuer = (name: string): string => `http://localhost:${port}/oauth2/${name}`;
  const client = (prefix: string, name: string, backend: string) => ({
    [`${prefix}_ISSUER`]: issuer(name),
    [`${prefix}_CLIENT_ID`]: "launchpad",
    [`${prefix}_CLIENT_SECRET`]: "launchpad-secret",
    [`${prefix}_BACKEND_CLIENT_ID`]: backend,
    [`${prefix}_BACKEND_CLIENT_SECRET`]: `${backend}-secret`,
    [`${prefix}_AUTHORIZATION_SERVER_AUDIENCE`]: "voicebox",
  });
  stage = await startStage({
    providerPort: port,
    env: {
      LOGIN_PROVIDERS: "okta,keycloak,entra,oidc",
      API_AUTH_ACCESS_TOKEN_IDP: "okta",
      ...client("KEYCLOAK", "keycloak", "launchpad-backend"),
      ...client("ENTRA", "entra", "launchpad"),
      ...client("OIDC", "generic", "launchpad-backend"),
      ENTRA_VOICEBOX_SERVICE_SCOPE: "api://voicebox/.default",
      OIDC_NAME: "Company login",
    },
  });
});
afterAll(() => stage?.close());

describe("several providers at once", () => {
  it("are offered on a choice page, each with its way back to where one came from", async () => {
    const page = await (await fetch(`${stage.publicUrl}/me`)).text();
    for (const name of ["Okta", "Keycloak", "Microsoft Entra ID", "Company login"])
      expect(page).toContain(`Sign in with ${name}`);
    expect(page).toContain("/login?provider=keycloak&amp;return_to=%2Fme");
    const choice = await fetch(`${stage.publicUrl}/login?provider=unheard-of`);
    expect(await choice.text()).toContain("Sign in with Keycloak");
  });

  it.each([
    ["okta", "default"],
    ["keycloak", "keycloak"],
    ["entra", "entra"],
    ["oidc", "generic"],
  ])("sign in by %s and ask on behalf of that person", async (provider, issuer) => {
    const jar: Jar = new Map();
    const back = await step(jar, await walkToCallback(stage, jar, "alice", `/login?provider=${provider}`));
    expect([back.status, await back.text()]).toEqual([303, ""]);
    const answer = await fetch(`${stage.publicUrl}/api/v1/voicebox/ask`, {
      method: "POST",
      headers: {
        cookie: `${sessionCookie}=${jar.get(sessionCookie)}`,
        origin: stage.publicUrl,
        "content-type": "application/json",
      },
      body: '{"query":"who am I?"}',
    });
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("You are")]);
    expect(stage.voicebox.received.at(-1)?.identity.issuer).toBe(stage.provider().issuerUrl(issuer));
  });

  it("are different people, though name and address are the same", async () => {
    const sessions = await Promise.all(
      ["okta", "keycloak"].map(async (provider) => {
        const jar: Jar = new Map();
        await step(jar, await walkToCallback(stage, jar, "carol", `/login?provider=${provider}`));
        const headers = { cookie: `${sessionCookie}=${jar.get(sessionCookie)}` };
        return (await (await fetch(`${stage.publicUrl}/api/sessions`, { headers })).json()) as { sessions: unknown[] };
      }),
    );
    expect(sessions.map(({ sessions: own }) => own.length)).toEqual([1, 1]);
  });

  it("do not accept each other's answers", async () => {
    const jar: Jar = new Map();
    const callback = (await walkToCallback(stage, jar, "alice", "/login?provider=okta")).replace(
      "/oauth/okta/",
      "/oauth/keycloak/",
    );
    expect((await step(jar, callback)).status).toBe(400);
    expect(jar.get(sessionCookie)).toBeUndefined();
  });
});
