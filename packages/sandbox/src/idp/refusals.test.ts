import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { grantTypes, tokenTypes } from "./grant-types.ts";
import { otherMakes } from "./makes.ts";
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

test("Zitadel: an audience it serves, but the subject has not", async () => {
  const { provider } = await providerForTest();
  const subject = await aliceAt(provider, "zitadel", "voicebox");
  const answer = await exchange(provider.issuerUrl("zitadel"), voicebox, subject, { audience: "llm-gateway" });
  expect(answer.body).toMatchObject({
    error: "invalid_target",
    error_description: 'audience "llm-gateway" not found in subject token',
  });
});

test("Keycloak: a client that may exchange, but is not in the token's audience for want of a mapper", async () => {
  const { audienceClaims: _, ...withoutMapper } = otherMakes.keycloak ?? expect.fail("there is no issuer keycloak");
  const { provider } = await providerForTest({ issuers: { keycloak: withoutMapper } });
  const subject = await aliceAt(provider, "keycloak");
  const answer = await exchange(provider.issuerUrl("keycloak"), backend, subject, { audience: "voicebox" });
  expect(answer).toMatchObject({ status: 403, body: { error: "access_denied" } });
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
      fields: { scope: "api://voicebox/voicebox api://llm-gateway/llm-gateway" },
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
