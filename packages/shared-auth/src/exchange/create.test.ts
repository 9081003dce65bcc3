import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestIssuer, type TestIssuer } from "../testing.ts";
import { cached } from "../token-cache.ts";
import { createVerifier } from "../verifier.ts";
import { createExchange } from "./create.ts";

let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await createTestIssuer();
});
afterAll(() => issuer.close());

test("exchanges alice's token for one for the next hop, and keeps it", async () => {
  const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }] });
  const token = await issuer.mint();
  const identity = await verify(token);
  const exchange = cached(
    createExchange({
      profile: "okta",
      issuer: { discoveryUrl: issuer.discoveryUrl },
      clientId: "voicebox",
      clientAuth: { method: "client_secret_basic", secret: "voicebox-secret" },
      audience: "llm-gateway",
      scopes: ["llm-gateway"],
    }),
  );
  const fresh = await exchange({ token, identity });
  expect(fresh).toMatchObject({
    tokenType: "Bearer",
    audience: "llm-gateway",
    scopes: ["llm-gateway"],
    source: "fresh",
  });
  const again = await exchange({ token, identity });
  expect(again).toMatchObject({ accessToken: fresh.accessToken, source: "cached" });
  expect(issuer.hits("token")).toBe(1);
});
