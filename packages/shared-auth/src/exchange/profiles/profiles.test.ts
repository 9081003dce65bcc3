import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refusal, refusalCode } from "../../fixtures/refusal.ts";
import { createTestIssuer, type TestIssuer } from "../../testing.ts";
import { createExchange, type ExchangeOptions } from "../create.ts";
import type { Subject } from "../exchange.ts";

let issuer: TestIssuer;
beforeEach(async () => {
  issuer = await createTestIssuer();
});
afterEach(() => issuer.close());

const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
const exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange";
const bearerGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

const subject = (more: Partial<Subject["identity"]> = {}): Subject => ({
  token: "subject-token",
  identity: { issuer: issuer.issuer, subject: "alice", expiresAt: Date.now() / 1000 + 600, ...more },
});
const client = () => ({
  issuer: { discoveryUrl: issuer.discoveryUrl },
  clientId: "middle",
  clientAuth: { method: "client_secret_post" as const, secret: "s" },
});
const exchanger = (options: Pick<ExchangeOptions, "profile"> & Partial<ExchangeOptions>) =>
  createExchange({ ...client(), ...options });
const answering = (body: Record<string, unknown>, at: TestIssuer = issuer) =>
  at.answer("token", () => ({
    status: 200,
    body: { access_token: "opaque", token_type: "Bearer", expires_in: 60, ...body },
  }));
/** The form of the last request, without client authentication. */
const asked = (at: TestIssuer = issuer) => {
  const { client_id, client_secret, ...rest } = Object.fromEntries(at.requests.at(-1)?.form ?? []);
  expect({ client_id, client_secret }).toEqual({ client_id: "middle", client_secret: "s" });
  return rest;
};

describe("rfc8693", () => {
  test("audiences and resources repeat; the type of subject and actor is said", async () => {
    answering({ issued_token_type: type("access_token") });
    const actor = { token: async () => "actor-token" };
    const options = {
      audience: ["a", "b"],
      resource: ["https://r"],
      scopes: ["x", "y"],
      subjectTokenType: "jwt" as const,
      actor,
    };
    await exchanger({ profile: "rfc8693", ...options })(subject());
    const { form } = issuer.requests.at(-1) ?? {};
    expect(form?.getAll("audience")).toEqual(["a", "b"]);
    expect(form?.getAll("resource")).toEqual(["https://r"]);
    expect(asked()).toMatchObject({
      grant_type: exchangeGrant,
      subject_token: "subject-token",
      subject_token_type: type("jwt"),
      actor_token: "actor-token",
      actor_token_type: type("access_token"),
      scope: "x y",
    });
    expect(form?.has("requested_token_type")).toBe(false);
  });

  test("a JWT is as good as an access token; an unnamed type is not", async () => {
    answering({ issued_token_type: type("jwt") });
    expect((await exchanger({ profile: "rfc8693" })(subject())).accessToken).toBe("opaque");
    answering({});
    expect(await refusalCode(exchanger({ profile: "rfc8693" })(subject()))).toBe("exchange_answer_invalid");
  });

  test("an actor whose token cannot be had fails the exchange", async () => {
    const actor = { token: () => Promise.reject(new Error("no token")) };
    expect(await refusalCode(exchanger({ profile: "rfc8693", actor })(subject()))).toBe("exchange_unavailable");
    expect(issuer.hits("token")).toBe(0);
  });
});

describe("keycloak", () => {
  test("asks plainly, and takes the default scopes the server adds", async () => {
    answering({
      issued_token_type: type("access_token"),
      scope: "llm email profile",
      session_state: "s",
      refresh_expires_in: 0,
    });
    const scoped = await exchanger({ profile: "keycloak", audience: "gateway", scopes: ["llm"] })(subject());
    expect(scoped.scopes).toEqual(["llm", "email", "profile"]);
    expect(asked()).toEqual({
      grant_type: exchangeGrant,
      subject_token: "subject-token",
      subject_token_type: type("access_token"),
      audience: "gateway",
      scope: "llm",
    });
  });
});

describe("entra", () => {
  const entra = () => exchanger({ profile: "entra", scopes: ["api://gateway/.default"] });

  test("on behalf of: an assertion, no audience, no token types", async () => {
    answering({ scope: "api://gateway/read" });
    const scoped = await entra()(subject());
    expect(scoped.scopes).toEqual(["api://gateway/read"]);
    expect(asked()).toEqual({
      grant_type: bearerGrant,
      assertion: "subject-token",
      requested_token_use: "on_behalf_of",
      scope: "api://gateway/.default",
    });
  });

  test("a user is the same by oid, since sub differs from application to application", async () => {
    const issued = (oid: string) => issuer.mint({ sub: "pairwise-2", oid, aud: "api://gateway" });
    const claims = { oid: "oid-1" };
    answering({ access_token: await issued("oid-1") });
    expect((await entra()(subject({ subject: "pairwise-1", claims }))).source).toBe("fresh");
    answering({ access_token: await issued("oid-2") });
    expect(await refusalCode(entra()(subject({ subject: "pairwise-1", claims })))).toBe("exchange_answer_invalid");
  });

  test("step-up", async () => {
    issuer.answer("token", () => ({
      status: 400,
      body: { error: "interaction_required", claims: '{"a":1}', suberror: "x" },
    }));
    expect(await refusal(entra()(subject()))).toMatchObject({ code: "step_up_required", claims: '{"a":1}' });
  });
});

describe("how a server says that the subject's token is not good", () => {
  test.each([
    ["keycloak", "invalid_request", "Invalid token", "subject_rejected"],
    [
      "keycloak",
      "invalid_request",
      "Parameter 'subject_token' not supported for standard token exchange",
      "exchange_refused",
    ],
    ["keycloak", "access_denied", "Client is not within the token audience", "exchange_refused"],
    ["keycloak", "invalid_client", "Invalid client or Invalid client credentials", "exchange_refused"],
    ["zitadel", "invalid_request", "subject_token invalid", "subject_rejected"],
    ["zitadel", "invalid_request", "invalid requested_token_type", "exchange_refused"],
    ["rfc8693", "invalid_request", "The subject token has expired", "subject_rejected"],
    ["rfc8693", "invalid_request", undefined, "exchange_refused"],
    ["okta", "invalid_request", "Invalid token", "exchange_refused"],
  ] as const)("%s: %s %s: %s", async (profile, error, error_description, code) => {
    issuer.answer("token", () => ({ status: 400, body: { error, error_description } }));
    expect(await refusalCode(exchanger({ profile, audience: "gateway", scopes: ["x"] })(subject()))).toBe(code);
  });
});

describe("auth0", () => {
  test("both token types and the audience", async () => {
    answering({ issued_token_type: type("access_token") });
    await exchanger({ profile: "auth0", audience: "https://gateway" })(subject());
    expect(asked()).toEqual({
      grant_type: exchangeGrant,
      subject_token: "subject-token",
      subject_token_type: type("access_token"),
      requested_token_type: type("access_token"),
      audience: "https://gateway",
    });
  });
});

describe("zitadel", () => {
  test("asks for a JWT, since an access token would be opaque", async () => {
    answering({ issued_token_type: type("jwt") });
    await exchanger({ profile: "zitadel", audience: "gateway", scopes: ["openid"] })(subject());
    expect(asked()).toMatchObject({ requested_token_type: type("jwt"), audience: "gateway", scope: "openid" });
    expect(() => exchanger({ profile: "zitadel", resource: "https://r" })).toThrow(/Profile zitadel has no `resource`/);
  });
});

describe("id_jag", () => {
  let other: TestIssuer;
  beforeEach(async () => {
    other = await createTestIssuer();
  });
  afterEach(() => other.close());
  const across = () =>
    exchanger({
      profile: "id_jag",
      scopes: ["chat"],
      target: { ...client(), issuer: { discoveryUrl: other.discoveryUrl } },
    });

  test("two legs: an assertion for the other domain's server, then a token from it", async () => {
    answering({ access_token: "assertion", token_type: "N_A", issued_token_type: type("id-jag") });
    answering({ access_token: "final", scope: "chat" }, other);
    const scoped = await across()(subject());
    expect(scoped).toMatchObject({ accessToken: "final", issuer: other.issuer, clientId: "middle", scopes: ["chat"] });
    expect(asked()).toEqual({
      grant_type: exchangeGrant,
      subject_token: "subject-token",
      subject_token_type: type("id_token"),
      requested_token_type: type("id-jag"),
      audience: other.issuer,
      scope: "chat",
    });
    expect(asked(other)).toEqual({ grant_type: bearerGrant, assertion: "assertion", scope: "chat" });
  });

  test.each([
    [{ token_type: "Bearer", issued_token_type: type("id-jag") }],
    [{ token_type: "N_A", issued_token_type: type("access_token") }],
    [{ token_type: "N_A" }],
  ])("a first answer of another kind goes nowhere: %j", async (body) => {
    answering({ access_token: "assertion", ...body });
    expect(await refusalCode(across()(subject()))).toBe("exchange_answer_invalid");
    expect(other.hits("token")).toBe(0);
  });

  test("a second answer that is no token", async () => {
    answering({ access_token: "assertion", token_type: "N_A", issued_token_type: type("id-jag") });
    answering({ token_type: "N_A" }, other);
    expect(await refusalCode(across()(subject()))).toBe("exchange_answer_invalid");
  });
});
