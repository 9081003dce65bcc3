import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { signIn } from "@onbehalf/sandbox/token";
import { decodeJwt, decodeProtectedHeader, importJWK, type JWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.close());

type Hop = "launchpad" | "voicebox" | "gateway";

const requests: Record<Hop, { path: string; body: unknown; audience: string; scope: string }> = {
  launchpad: { path: "/api/v1/voicebox/ask", body: { query: "Who is Bob?" }, audience: "launchpad", scope: "openid" },
  voicebox: { path: "/api/v1/voicebox/ask", body: { query: "Who is Bob?" }, audience: "voicebox", scope: "voicebox" },
  gateway: {
    path: "/v1/chat/completions",
    body: { model: "claude-sonnet-4-5", messages: [{ role: "user", content: "Hello" }] },
    audience: "llm-gateway",
    scope: "llm-gateway",
  },
};

async function call(hop: Hop, headers: Record<string, string>): Promise<Response> {
  const appKey: Record<string, string> =
    hop === "launchpad" ? { "x-voicebox-app-key": await chain.appKey(), "x-client-id": "e2e" } : {};
  return fetch(`${chain.urls[hop]}${requests[hop].path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...appKey, ...headers },
    body: JSON.stringify(requests[hop].body),
  });
}

async function token(audience: string, scope: string, issuer = "default"): Promise<string> {
  const server = `${chain.urls.identityProvider}/oauth2/${issuer}`;
  return (await signIn({ issuer: server, user: "alice", audience, scope })).accessToken;
}

/** The same token with other claims, signed by the provider's own key, which the sandbox keeps in its data folder. */
async function signedByProvider(original: string, changes: Record<string, unknown>): Promise<string> {
  const { kid = "", alg = "RS256", typ = "at+jwt" } = decodeProtectedHeader(original);
  const database = new DatabaseSync(join(chain.dataDir, "identity-provider.sqlite"), { readOnly: true });
  const row = database.prepare("SELECT value FROM settings WHERE name = 'keys:default'").get();
  database.close();
  const jwk = (JSON.parse(String(row?.value)) as JWK[]).find((key) => key.kid === kid);
  if (jwk === undefined) throw new Error(`the provider keeps no key ${kid}`);
  return new SignJWT({ ...decodeJwt(original), ...changes })
    .setProtectedHeader({ alg, kid, typ })
    .sign(await importJWK(jwk, alg));
}

const hops: Hop[] = ["launchpad", "voicebox", "gateway"];

describe.each(hops)("%s", (hop) => {
  const { audience, scope } = requests[hop];

  it("answers a request that carries no token with a bare challenge", async () => {
    const response = await call(hop, {});
    expect(response.status).toBe(401);
    const challenge = response.headers.get("www-authenticate") ?? "";
    expect(challenge).toMatch(/^Bearer/);
    expect(challenge).not.toContain("error=");
    expect(challenge).toContain("resource_metadata=");
    const metadata = /resource_metadata="([^"]+)"/.exec(challenge)?.[1] ?? "";
    const document = (await (await fetch(metadata)).json()) as { authorization_servers: string[] };
    expect(document.authorization_servers.length).toBeGreaterThan(0);
  });

  it("accepts the token made for it", async () => {
    const response = await call(hop, { authorization: `Bearer ${await token(audience, scope)}` });
    expect(response.status).toBe(200);
  });

  it.each(["launchpad", "voicebox", "llm-gateway"].filter((name) => name !== audience))(
    "refuses a token made for %s and says which audience it saw",
    async (other) => {
      const response = await call(hop, {
        authorization: `Bearer ${await token(other, "openid voicebox llm-gateway")}`,
      });
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
      expect(await response.text()).toContain(other);
    },
  );

  it("refuses an expired token, though its signature is good", async () => {
    const spent = await signedByProvider(await token(audience, scope), { exp: Math.floor(Date.now() / 1000) - 90 });
    const response = await call(hop, { authorization: `Bearer ${spent}` });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await response.text()).toMatch(/expired/i);
  });

  it("accepts a token signed again with nothing changed, so that the refusal above is for its age", async () => {
    const again = await signedByProvider(await token(audience, scope), {});
    expect((await call(hop, { authorization: `Bearer ${again}` })).status).toBe(200);
  });

  it.each([
    ["text that is no token", "nonsense"],
    ["an unsigned token", `${btoa('{"alg":"none"}')}.${btoa('{"sub":"alice"}')}.`],
  ])("refuses %s", async (_, text) => {
    const response = await call(hop, { authorization: `Bearer ${text}` });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await response.text()).not.toContain(text);
  });

  it("refuses a token whose signature was changed, telling nothing about its content", async () => {
    const good = await token(audience, scope);
    const [header, , signature] = good.split(".");
    const claims = { ...JSON.parse(atob(good.split(".")[1] ?? "")), groups: ["litellm-admins"] };
    const forged = [header, Buffer.from(JSON.stringify(claims)).toString("base64url"), signature].join(".");
    const response = await call(hop, { authorization: `Bearer ${forged}` });
    expect(response.status).toBe(401);
    expect(await response.text()).not.toContain(audience);
  });

  it("answers credentials of another scheme with a bare challenge", async () => {
    const response = await call(hop, { authorization: "Basic YWxpY2U6YWxpY2U=" });
    expect(response.status).toBe(401);
    expect(response.headers.get("www-authenticate")).not.toContain("error=");
  });
});

describe("alice's login token", () => {
  it("is good for Launchpad only, though the same server signed it", async () => {
    const login = await token("launchpad", "openid profile email groups");
    for (const hop of ["voicebox", "gateway"] as const) {
      expect((await call(hop, { authorization: `Bearer ${login}` })).status).toBe(401);
    }
  });
});

describe("a scope that is missing", () => {
  it.each(["voicebox", "gateway"] as const)("%s answers 403 and names it", async (hop) => {
    const without = await token(requests[hop].audience, "openid");
    const response = await call(hop, { authorization: `Bearer ${without}` });
    expect(response.status).toBe(403);
    expect(response.headers.get("www-authenticate")).toMatch(/insufficient_scope.*scope="/);
  });
});

describe("the public API", () => {
  it("needs both the user's token and the application's key", async () => {
    const bearer = { authorization: `Bearer ${await token("launchpad", "openid")}` };
    const without = await fetch(`${chain.urls.launchpad}/api/v1/voicebox/ask`, {
      method: "POST",
      headers: { ...bearer, "x-client-id": "e2e", "content-type": "application/json" },
      body: JSON.stringify({ query: "Who is Bob?" }),
    });
    expect(without.status).toBe(401);
    const wrong = await call("launchpad", { ...bearer, "x-voicebox-app-key": "obk_wrong" });
    expect(wrong.status).toBe(401);
    expect(await wrong.text()).not.toContain("obk_wrong");
  });
});
