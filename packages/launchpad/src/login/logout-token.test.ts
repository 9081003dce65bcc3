import { createTestIssuer } from "@onbehalf/shared-auth/testing";
import { expect, it } from "vitest";
import { createLogoutTokens } from "./logout-token.ts";
import type { Provider } from "./provider.ts";

it("an order that was carried out is remembered for as long as a copy of it could be good", async () => {
  const issuer = await createTestIssuer();
  const kept = new Map<string, number>();
  const verify = createLogoutTokens({
    get: async (key) => (kept.has(key) ? "done" : undefined),
    set: async (key, _, { ttlSeconds }) => void kept.set(key, ttlSeconds),
  });
  const provider = {
    config: { clientId: "launchpad" },
    metadata: async () => ({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri }),
  } as unknown as Provider;
  const order = (jti: string) =>
    issuer.mint(
      { aud: "launchpad", jti, events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
      { header: { typ: "logout+jwt" } },
    );
  const token = await order("one");
  const { subject, done } = await verify(provider, token);
  expect(subject).toBe("alice");
  // What was not carried out may be sent again.
  await verify(provider, token);
  await done();
  await expect(verify(provider, token)).rejects.toThrow("carried out before");
  await verify(provider, await order("two"));
  // Five minutes of age, and a minute by which either clock may be off.
  expect([...kept.values()]).toEqual([420]);
  await issuer.close();
});

it.each(["RS512", "ES384", "ES512", "EdDSA"] as const)("an order that is signed with %s is one", async (algorithm) => {
  const issuer = await createTestIssuer({ algorithm });
  const verify = createLogoutTokens({ get: async () => undefined, set: async () => {} });
  const provider = {
    config: { clientId: "launchpad" },
    metadata: async () => ({ issuer: issuer.issuer, jwks_uri: issuer.jwksUri }),
  } as unknown as Provider;
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  const token = await issuer.mint({ aud: "launchpad", jti: "one", events }, { header: { typ: "logout+jwt" } });
  expect(await verify(provider, token)).toMatchObject({ subject: "alice" });
  await issuer.close();
});
