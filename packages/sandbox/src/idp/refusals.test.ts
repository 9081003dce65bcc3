import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import type { IdentityProvider } from "./start.ts";
import { claimsIn, exchange, type Form, post, providerForTest, voicebox } from "./testing.ts";

type Credentials = readonly [string, string];
const backend: Credentials = ["launchpad-backend", "launchpad-backend-secret"];
const launchpad: Credentials = ["launchpad", "launchpad-secret"];

async function aliceAt(provider: IdentityProvider, issuer: string, audience = "launchpad"): Promise<string> {
  const scope = `openid profile ${audience === "launchpad" ? "" : audience}`.trim();
  return (await signIn({ issuer: provider.issuerUrl(issuer), user: "alice", audience, scope })).accessToken;
}

/** One request to one make, with the answer its documentation or source gives. */
interface Case {
  readonly name: string;
  readonly fields: Form;
  readonly credentials?: Credentials;
  readonly status?: number;
  readonly body: Record<string, unknown>;
}

function refusals(issuer: string, usual: Form, cases: readonly Case[]): void {
  test.each(cases)("$name", async ({ fields, credentials = backend, status = 400, body }) => {
    const { provider } = await providerForTest();
    const subject = await aliceAt(provider, issuer);
    const answer = await exchange(provider.issuerUrl(issuer), credentials, subject, { ...usual, ...fields });
    expect(answer).toMatchObject({ status, body });
    expect(answer.body).not.toHaveProperty("access_token");
  });
}

describe("Keycloak refuses, in its server's words", () => {
  const description = (error_description: string) => ({ error: "invalid_request", error_description });
  refusals("keycloak", { audience: "voicebox", scope: "voicebox" }, [
    { name: "a token that is not one", fields: { subject_token: "x.y.z" }, body: description("Invalid token") },
    {
      name: "a client the token is not for",
      fields: { audience: "llm-gateway", scope: undefined },
      credentials: voicebox,
      status: 403,
      body: { error: "access_denied", error_description: "Client is not within the token audience" },
    },
    {
      name: "an audience the client has not",
      fields: { audience: ["voicebox", "llm-gateway"] },
      body: description("Requested audience not available: llm-gateway"),
    },
    {
      name: "a scope the client has not",
      fields: { scope: "voicebox llm-gateway" },
      body: { error: "invalid_scope", error_description: "Invalid scopes: voicebox llm-gateway" },
    },
    {
      name: "a refresh token, which has a switch of its own",
      fields: { requested_token_type: tokenTypes.refreshToken },
      body: description("requested_token_type unsupported"),
    },
    {
      name: "an ID token as subject",
      fields: { subject_token_type: tokenTypes.idToken },
      body: { error: "invalid_request" },
    },
    { name: "a resource", fields: { resource: "https://voicebox.example" }, body: { error: "invalid_request" } },
  ]);
});

describe("Auth0 refuses", () => {
  const usual = { audience: "voicebox", requested_token_type: tokenTypes.accessToken };
  refusals("auth0", usual, [
    {
      name: "a request without requested_token_type",
      fields: { requested_token_type: undefined },
      body: { error: "invalid_request" },
    },
    { name: "a request without audience", fields: { audience: undefined }, body: { error: "invalid_request" } },
    {
      name: "an unknown audience",
      fields: { audience: "elsewhere" },
      status: 403,
      body: { error: "access_denied", error_description: "Service not found: elsewhere" },
    },
    {
      name: "a JWT asked for by type",
      fields: { requested_token_type: tokenTypes.jwt },
      body: { error: "invalid_request" },
    },
    { name: "an expired or unknown subject", fields: { subject_token: "x.y.z" }, body: { error: "invalid_grant" } },
  ]);
});

describe("Zitadel refuses", () => {
  refusals("zitadel", { audience: "voicebox", requested_token_type: tokenTypes.jwt }, [
    { name: "any resource", fields: { resource: "https://voicebox.example" }, body: { error: "invalid_target" } },
    { name: "an audience the subject has not", fields: { audience: "elsewhere" }, body: { error: "invalid_target" } },
    {
      name: "a refresh token as subject",
      fields: { subject_token_type: tokenTypes.refreshToken },
      body: { error: "invalid_request" },
    },
    { name: "an unknown opaque subject", fields: { subject_token: "opaque" }, body: { error: "invalid_request" } },
  ]);
});

describe("Entra refuses, with its numbers", () => {
  const onBehalfOf = {
    grant_type: grantTypes.jwtBearer,
    requested_token_use: "on_behalf_of",
    scope: "api://voicebox/.default",
  };
  const entra: readonly (Case & { readonly code: number; readonly assertion?: string })[] = [
    { name: "no assertion", code: 900144, fields: { assertion: undefined }, body: { error: "invalid_request" } },
    { name: "no scope", code: 900144, fields: { scope: undefined }, body: { error: "invalid_request" } },
    {
      name: "another use",
      code: 90019,
      fields: { requested_token_use: undefined },
      body: { error: "invalid_request" },
    },
    { name: "no JWT", code: 50027, fields: { assertion: "opaque" }, body: { error: "invalid_request" } },
    {
      name: "an assertion for another application",
      code: 500131,
      fields: { scope: "api://llm-gateway/.default" },
      credentials: voicebox,
      body: { error: "invalid_grant" },
    },
    {
      name: "a scope that names no application",
      code: 70011,
      fields: { scope: "voicebox" },
      body: { error: "invalid_scope" },
    },
    {
      name: "scopes of two applications",
      code: 70011,
      fields: { scope: "api://voicebox/.default api://llm-gateway/.default" },
      body: { error: "invalid_scope" },
    },
    {
      name: "an unknown application",
      code: 500011,
      fields: { scope: "api://x/.default" },
      body: { error: "invalid_resource" },
    },
    {
      name: "an application without consent",
      code: 65001,
      fields: { scope: "api://llm-gateway/.default" },
      body: { error: "invalid_grant" },
    },
    {
      name: "a wrong secret",
      code: 7000215,
      fields: {},
      credentials: ["launchpad", "x"],
      status: 401,
      body: { error: "invalid_client" },
    },
    {
      name: "token exchange, which it has not",
      code: 70003,
      fields: { grant_type: grantTypes.tokenExchange },
      body: { error: "unsupported_grant_type" },
    },
  ];
  test.each(entra)("$name: AADSTS$code", async ({ fields, credentials = launchpad, status = 400, body, code }) => {
    const { provider } = await providerForTest();
    const form = { ...onBehalfOf, assertion: await aliceAt(provider, "entra"), ...fields };
    const answer = await post(`${provider.issuerUrl("entra")}/v1/token`, form, credentials);
    expect(answer).toMatchObject({ status, body: { ...body, error_codes: [code] } });
    expect(answer.body.error_description).toMatch(
      new RegExp(`^AADSTS${code}: .* Trace ID: .* Correlation ID: .* Timestamp: `),
    );
    expect(Object.keys(answer.body)).toEqual(
      expect.arrayContaining(["timestamp", "trace_id", "correlation_id", "error_uri"]),
    );
  });

  test("a token of an application, not of a user: AADSTS7000114", async () => {
    const { provider } = await providerForTest();
    const token = `${provider.issuerUrl("entra")}/v1/token`;
    const own = await post(token, { grant_type: "client_credentials" }, ["nightly-job", "nightly-job-secret"]);
    expect(claimsIn(own)).toMatchObject({ idtyp: "app", roles: [] });
    const answer = await post(token, { ...onBehalfOf, assertion: String(own.body.access_token) }, launchpad);
    expect(answer.body).toMatchObject({ error: "invalid_grant", error_codes: [7000114] });
  });
});

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
