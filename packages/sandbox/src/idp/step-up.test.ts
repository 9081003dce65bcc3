import { type AuthError, createVerifier } from "@onbehalf/shared-auth";
import { createExchange } from "@onbehalf/shared-auth/exchange";
import { calculateJwkThumbprint, decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { signIn } from "../token.ts";
import { acr } from "./acr.ts";
import type { IdentityProvider } from "./start.ts";
import { exchange, launchpadBackend, post, providerForTest, toVoicebox } from "./testing.ts";

const tell = (provider: IdentityProvider, method: string, body?: unknown, query = "") =>
  fetch(`${provider.url}/sandbox/step-up${query}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });

describe("step-up", () => {
  test("Okta: the exchange asks for a stronger sign-in of this user alone, until the token shows it", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const [alice, bob] = await Promise.all(["alice", "bob"].map((user) => signIn({ issuer, user })));
    expect((await tell(provider, "POST", { user: "alice" })).status).toBe(201);

    const asked = await exchange(issuer, launchpadBackend, alice?.accessToken, toVoicebox);
    expect(asked).toMatchObject({ status: 400, body: { error: "interaction_required" } });
    expect(asked.body.error_description).not.toContain("AADSTS");
    expect((await exchange(issuer, launchpadBackend, bob?.accessToken, toVoicebox)).status).toBe(200);

    const parameters = { claims: String(asked.body.claims) };
    const stronger = await signIn({ issuer, user: "alice", parameters });
    expect(decodeJwt(stronger.accessToken).acr).toBe(acr.stepUp);
    const first = await exchange(issuer, launchpadBackend, stronger.accessToken, toVoicebox);
    expect(first.status).toBe(200);
    expect(decodeJwt(String(first.body.access_token)).acr).toBe(acr.stepUp);
    expect((await exchange(issuer, launchpadBackend, alice?.accessToken, toVoicebox)).status).toBe(400);

    await tell(provider, "DELETE", undefined, "?user=alice");
    expect(await (await tell(provider, "GET")).json()).toEqual({ users: [] });
    expect((await exchange(issuer, launchpadBackend, alice?.accessToken, toVoicebox)).status).toBe(200);
  });

  test("Entra: the library hands its challenge up, and a sign-in that brings it back is good enough", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("entra");
    const onBehalfOf = createExchange({
      profile: "entra",
      issuer: { discoveryUrl: `${issuer}/.well-known/openid-configuration` },
      clientId: "launchpad",
      clientAuth: { method: "client_secret_post", secret: "launchpad-secret" },
      scopes: ["api://voicebox/.default"],
    });
    const verify = createVerifier({
      issuers: [{ issuer, jwksUri: `${issuer}/v1/keys`, audience: "launchpad", dialect: "entra" }],
    });
    const go = async (token: string) => onBehalfOf({ token, identity: await verify(token) });
    await tell(provider, "POST", { user: "alice" });

    const before = await signIn({ issuer, user: "alice" });
    const failure: AuthError = await go(before.accessToken).then(
      () => expect.fail("the exchange asked for nothing"),
      (error: AuthError) => error,
    );
    expect(failure.code).toBe("step_up_required");
    expect(JSON.parse(String(failure.claims))).toEqual({ access_token: { acrs: { essential: true, value: "c1" } } });

    const after = await signIn({ issuer, user: "alice", parameters: { claims: String(failure.claims) } });
    expect((await go(after.accessToken)).tokenType).toBe("Bearer");
  });

  test("needs a user, and is nothing for web pages", async () => {
    const { provider } = await providerForTest();
    expect((await tell(provider, "POST", {})).status).toBe(400);
  });
});

describe("DPoP (RFC 9449)", () => {
  test("a proof binds the exchanged token to its key; a broken or used one is refused", async () => {
    const { provider } = await providerForTest();
    const issuer = provider.issuerUrl("default");
    const { accessToken } = await signIn({ issuer, user: "alice" });
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const jwk = await exportJWK(publicKey);
    const proofFor = (htu: string) =>
      new SignJWT({ htm: "POST", htu, jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk })
        .setIssuedAt()
        .sign(privateKey);
    const send = async (dpop: string) => {
      const form = {
        grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token: accessToken,
        subject_token_type: "urn:ietf:params:oauth:token-type:access_token",
        ...toVoicebox,
      };
      const response = await fetch(`${issuer}/v1/token`, {
        method: "POST",
        headers: { dpop, authorization: `Basic ${btoa(launchpadBackend.join(":"))}` },
        body: new URLSearchParams(form),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };

    const proof = await proofFor(`${issuer}/v1/token`);
    const bound = await send(proof);
    expect(bound.body.token_type).toBe("DPoP");
    const { cnf } = decodeJwt(String(bound.body.access_token));
    expect(cnf).toEqual({ jkt: await calculateJwkThumbprint(jwk) });
    const seen = await post(`${issuer}/v1/introspect`, { token: String(bound.body.access_token) }, launchpadBackend);
    expect(seen.body).toMatchObject({ active: true, token_type: "DPoP", cnf });

    expect((await send(proof)).body).toMatchObject({ error: "invalid_grant" });
    expect((await send(await proofFor(`${issuer}/v1/keys`))).body).toMatchObject({ error: "invalid_dpop_proof" });
  });
});
