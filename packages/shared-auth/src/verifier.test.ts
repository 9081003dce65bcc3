import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTestIssuer, type TestIssuer } from "./testing.ts";
import { createVerifier } from "./verifier.ts";

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await createTestIssuer({ path: "/oauth2/default" });
});
afterAll(() => issuer.close());

describe("createVerifier", () => {
  test("reads who an Okta-like token speaks for", async () => {
    const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api", dialect: "okta" }] });
    await verify.ready();
    const identity = await verify(await issuer.mint({ groups: ["staff"], email: "alice@example.com" }));
    expect(identity).toMatchObject({
      issuer: issuer.issuer,
      subject: "alice",
      audience: ["api"],
      clientId: "client",
      kind: "user",
      scopes: ["read"],
      groups: ["staff"],
      email: "alice@example.com",
    });
    expect(issuer.hits("jwks")).toBe(1);
  });
});
