import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import type { IdentityProvider } from "./start.ts";
import { claimsIn, exchange, post, providerForTest, voicebox } from "./testing.ts";

type Credentials = readonly [string, string];
const backend: Credentials = ["launchpad-backend", "launchpad-backend-secret"];
const launchpad: Credentials = ["launchpad", "launchpad-secret"];

async function aliceAt(provider: IdentityProvider, issuer: string, audience = "launchpad"): Promise<string> {
  const scope = `openid profile ${audience === "launchpad" ? "" : audience}`.trim();
  return (await signIn({ issuer: provider.issuerUrl(issuer), user: "alice", audience, scope })).accessToken;
}

describe("what the makes answer", () => {
  test("Entra: no issued_token_type, the scope with the application's name", async () => {
    const { provider } = await providerForTest();
    const form = {
      grant_type: grantTypes.jwtBearer,
      requested_token_use: "on_behalf_of",
      scope: "api://voicebox/voicebox",
      assertion: await aliceAt(provider, "entra"),
    };
    const { body } = await post(`${provider.issuerUrl("entra")}/v1/token`, form, launchpad);
    expect(body).toMatchObject({
      token_type: "Bearer",
      scope: "api://voicebox/voicebox",
      ext_expires_in: body.expires_in,
    });
    expect(body).not.toHaveProperty("issued_token_type");
  });

  test("Keycloak: its own members; without audience all that the client has; an ID token as N_A", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("keycloak");
    const subject = await aliceAt(provider, "keycloak");
    const all = await exchange(issuer, backend, subject, { scope: "voicebox" });
    expect(all.body).toMatchObject({
      refresh_expires_in: 0,
      "not-before-policy": 0,
      scope: "email profile voicebox",
      issued_token_type: tokenTypes.accessToken,
    });
    expect(claimsIn(all)).toMatchObject({ aud: "voicebox", azp: "launchpad-backend", scope: "email profile voicebox" });
    const asId = await exchange(issuer, backend, subject, { requested_token_type: tokenTypes.idToken });
    expect(asId.body).toMatchObject({ token_type: "N_A", issued_token_type: tokenTypes.idToken });
    expect(claimsIn(asId)).toMatchObject({ aud: "launchpad-backend", preferred_username: "alice" });
  });

  test("Auth0: the scope only where it differs, and each hop adds itself to act, five deep at most", async () => {
    const client = (clientId: string, from: string, to: string) => ({
      name: clientId,
      secret: "secret-secret",
      exchanges: [{ from: ["ring"], subjectAudience: from, audience: to, scopes: ["go"] }],
    });
    const { provider } = await providerForTest({
      issuers: {
        ring: {
          title: "Ring",
          dialect: "auth0",
          audiences: { a: ["go"], b: ["go"] },
          clients: { there: client("there", "a", "b"), back: client("back", "b", "a") },
        },
      },
    });
    const issuer = provider.issuerUrl("ring");
    const go = (clientId: string, token: string, audience: string, scope: string) =>
      exchange(issuer, [clientId, "secret-secret"], token, {
        audience,
        scope,
        requested_token_type: tokenTypes.accessToken,
      });
    let token = (await signIn({ issuer, user: "alice", audience: "a", scope: "openid go" })).accessToken;
    const expected: unknown[] = [];
    for (const [hop, clientId] of ["there", "back", "there", "back", "there"].entries()) {
      const answer = await go(clientId, token, hop % 2 === 0 ? "b" : "a", hop === 0 ? "go more" : "go");
      expect(answer.status).toBe(200);
      expect(answer.body.scope).toBe(hop === 0 ? "go" : undefined);
      expected.unshift(clientId);
      token = String(answer.body.access_token);
    }
    expect(actors(claimsIn({ status: 200, headers: new Headers(), body: { access_token: token } }).act)).toEqual(
      expected,
    );
    expect(await go("back", token, "a", "go")).toMatchObject({ status: 400, body: { error: "invalid_request" } });
  });

  test("by the book: an actor token makes its subject the actor, on top of earlier ones", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("generic");
    const carol = await signIn({ issuer, user: "carol" });
    const answer = await exchange(issuer, backend, await aliceAt(provider, "generic"), {
      audience: "voicebox",
      actor_token: carol.accessToken,
      actor_token_type: tokenTypes.accessToken,
    });
    expect(claimsIn(answer)).toMatchObject({ sub: "alice", act: { sub: "carol" } });
    const onward = await exchange(issuer, voicebox, String(answer.body.access_token), { audience: "llm-gateway" });
    expect(claimsIn(onward)).toMatchObject({ sub: "alice", client_id: "voicebox", act: { sub: "carol" } });
    const half = await exchange(issuer, backend, await aliceAt(provider, "generic"), {
      actor_token: carol.accessToken,
    });
    expect(half.body).toMatchObject({ error: "invalid_request" });
  });

  test("Zitadel: opaque unless a JWT is asked for; introspection reads it, and it can be exchanged on", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("zitadel");
    const first = await exchange(issuer, backend, await aliceAt(provider, "zitadel"), {
      audience: ["voicebox", "llm-gateway"],
      scope: "voicebox",
    });
    expect(first.body.issued_token_type).toBe(tokenTypes.accessToken);
    expect(first.body.access_token).not.toContain(".");
    const opaque = String(first.body.access_token);
    const { body } = await post(`${issuer}/v1/introspect`, { token: opaque }, voicebox);
    expect(body).toMatchObject({
      active: true,
      aud: ["voicebox", "llm-gateway"],
      scope: "voicebox",
      username: "alice",
    });

    const second = await exchange(issuer, voicebox, opaque, {
      audience: "llm-gateway",
      scope: "llm-gateway",
      requested_token_type: tokenTypes.jwt,
    });
    expect(second.body.issued_token_type).toBe(tokenTypes.jwt);
    expect(claimsIn(second)).toMatchObject({ aud: ["llm-gateway"], scope: "llm-gateway" });
  });
});

function actors(act: unknown): string[] {
  const actor = act as { sub: string; act?: unknown } | undefined;
  return actor === undefined ? [] : [actor.sub, ...actors(actor.act)];
}
