import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestIssuer, type TestIssuer } from "@onbehalf/shared-auth/testing";
import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAppToken } from "./app-token.ts";
import type { BackendAuth, ProviderConfig } from "./providers-config.ts";

const folder = mkdtempSync(join(tmpdir(), "onbehalf-app-token-"));
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await createTestIssuer();
  issuer.answer("token", () => ({
    status: 200,
    body: { access_token: "app-1", token_type: "Bearer", expires_in: 300 },
  }));
});
afterAll(async () => {
  await issuer.close();
  rmSync(folder, { recursive: true });
});

function provider(auth: BackendAuth): ProviderConfig {
  return {
    id: "oidc",
    label: "Sign-in",
    issuer: issuer.issuer,
    clientId: "launchpad",
    clientSecret: "s",
    scopes: undefined,
    groupsClaim: "groups",
    loginAudience: undefined,
    exchange: { profile: "rfc8693", audience: undefined, clientId: "launchpad-backend", auth, scopes: undefined },
  };
}

function keyFile(name: string, key: KeyObject): string {
  const path = join(folder, `${name}.pem`);
  writeFileSync(path, key.export({ type: "pkcs8", format: "pem" }));
  return path;
}

test.each([
  ["RS256", () => generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ["ES256", () => generateKeyPairSync("ec", { namedCurve: "P-256" })],
  ["ES384", () => generateKeyPairSync("ec", { namedCurve: "P-384" })],
  ["ES512", () => generateKeyPairSync("ec", { namedCurve: "P-521" })],
  ["EdDSA", () => generateKeyPairSync("ed25519")],
])("%s is signed with by the key that is for it", async (alg, pair) => {
  const { privateKey, publicKey } = pair();
  const auth = { method: "private_key_jwt", keyFile: keyFile(alg, privateKey) } as const;
  const token = createAppToken(provider(auth), ["voicebox"]);
  expect(await token()).toMatchObject({ accessToken: "app-1", source: "fresh" });
  const assertion = issuer.requests.at(-1)?.form.get("client_assertion") ?? "";
  expect(decodeProtectedHeader(assertion).alg).toBe(alg);
  await jwtVerify(assertion, publicKey, { issuer: "launchpad-backend", audience: issuer.issuer });
});

test("a key that cannot sign is refused at the start", () => {
  const path = keyFile("x25519", generateKeyPairSync("x25519").privateKey);
  expect(() => createAppToken(provider({ method: "private_key_jwt", keyFile: path }), [])).toThrow(path);
});
