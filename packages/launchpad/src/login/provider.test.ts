import { createTestIssuer, createTestKey, type TestIssuer, type TestKey } from "@onbehalf/shared-auth/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProviderConfig } from "../providers-config.ts";
import { type Discovery, discover } from "./discovery.ts";
import { createProvider } from "./provider.ts";

const checks = { state: "state-of-this-login", nonce: "nonce-of-this-login", verifier: "v".repeat(43) };
const redirectUri = "http://localhost:3000/oauth/okta/redirect";

let issuer: TestIssuer;
let discovery: Discovery;
beforeEach(async () => {
  issuer = await createTestIssuer();
  discovery = await discover(config());
});
afterEach(async () => {
  discovery.close();
  await issuer.close();
});

const config = (): ProviderConfig => ({
  id: "okta",
  label: "Okta",
  issuer: issuer.issuer,
  clientId: "launchpad",
  clientSecret: "launchpad-secret",
  scopes: undefined,
  groupsClaim: "groups",
  loginAudience: undefined,
  exchange: {
    profile: "okta",
    audience: "voicebox",
    clientId: "launchpad-backend",
    auth: { method: "client_secret_basic", secret: "launchpad-backend-secret" },
    scopes: undefined,
  },
});

/** Comes back from the provider, whose token endpoint then gives an ID token with these changes. */
async function comeBack(changes: Record<string, unknown> = {}, key?: TestKey) {
  const claims = { aud: "launchpad", nonce: checks.nonce, name: "Alice", groups: [], scp: undefined, ...changes };
  const idToken = await issuer.mint(claims, { header: { typ: "JWT" }, ...(key === undefined ? {} : { key }) });
  issuer.answer("token", () => ({
    status: 200,
    body: { access_token: "opaque", token_type: "Bearer", expires_in: 3600, id_token: idToken },
  }));
  const url = new URL(redirectUri);
  url.search = String(new URLSearchParams({ code: "c", state: checks.state }));
  return createProvider(config(), discovery).complete(url, checks);
}

describe("the ID token that ends a login", () => {
  it("says who signed in", async () => {
    expect((await comeBack()).user).toMatchObject({ issuer: issuer.issuer, subject: "alice" });
  });

  it("is believed by its signature, not by having come from the provider's address", async () => {
    const foreign = await createTestKey(issuer.key().kid);
    await expect(comeBack({}, foreign)).rejects.toMatchObject({ name: "LoginFailure", code: "login_invalid" });
  });

  it.each([
    ["another login's nonce", { nonce: "nonce-of-another-login" }],
    ["no nonce", { nonce: undefined }],
    ["another client's audience", { aud: "voicebox" }],
    ["another issuer", { iss: "https://evil.example" }],
    ["an end in the past", { exp: 1 }],
    ["no end", { exp: undefined }],
    ["no subject", { sub: undefined }],
  ])("with %s is refused", async (_, changes) => {
    await expect(comeBack(changes)).rejects.toMatchObject({ name: "LoginFailure", status: 400 });
  });
});
