import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { testClock } from "./fixtures/clock.ts";
import { refusal, refusalCode } from "./fixtures/refusal.ts";
import { createIntrospectionVerifier, type IntrospectionOptions } from "./introspection.ts";
import { createTestIssuer, type TestIssuer } from "./testing.ts";
import { toWire } from "./wire.ts";

let issuer: TestIssuer;
let clock: ReturnType<typeof testClock>;
beforeEach(async () => {
  issuer = await createTestIssuer();
  clock = testClock();
});
afterEach(() => issuer.close());

const verifier = (options: Partial<IntrospectionOptions> = {}) =>
  createIntrospectionVerifier({
    issuer: issuer.issuer,
    audience: "api",
    introspectionEndpoint: issuer.introspectionEndpoint,
    clientId: "gateway",
    clientAuth: { method: "client_secret_basic", secret: "s" },
    now: clock.now,
    steadyNow: clock.steadyNow,
    ...options,
  });
const answering = (more: Record<string, unknown> = {}) =>
  issuer.answer("introspection", () => ({
    status: 200,
    body: {
      active: true,
      sub: "alice",
      aud: "api",
      scope: "read",
      client_id: "c",
      exp: clock.now() / 1000 + 600,
      ...more,
    },
  }));

test("an active token gives the same identity as a JWT would", async () => {
  answering({ username: "alice@example.com", email: "alice@example.com" });
  const identity = await verifier()("opaque-1");
  expect(identity).toMatchObject({
    issuer: issuer.issuer,
    subject: "alice",
    scopes: ["read"],
    clientId: "c",
    kind: "user",
  });
  const { form, headers } = issuer.requests[0] ?? {};
  expect(Object.fromEntries(form ?? [])).toEqual({ token: "opaque-1", token_type_hint: "access_token" });
  expect(headers?.authorization).toMatch(/^Basic /);
});

test.each([{ active: false }, { active: "true" }, { active: 1 }, { active: undefined }])(
  "%j is not active",
  async (more) => {
    answering(more);
    expect(await refusalCode(verifier()("opaque-1"))).toMatch(/^(token_inactive|keys_unavailable)$/);
  },
);

test.each([
  [{ aud: "other" }, "audience_mismatch"],
  [{ aud: undefined }, "claim_invalid"],
  [{ exp: undefined }, "claim_invalid"],
  [{ exp: 1 }, "token_expired"],
  [{ sub: undefined }, "claim_invalid"],
  [{ iss: "https://other" }, "issuer_untrusted"],
  [{ token_type: "refresh_token" }, "token_type_unaccepted"],
  [{ nonce: "n", at_hash: "h" }, "token_type_unaccepted"],
  [{ sub: "c" }, "user_required"],
  [{ cnf: { jkt: "x" } }, "token_sender_constrained"],
] as const)("%j: %s", async (more, code) => {
  answering(more);
  expect(await refusalCode(verifier()("opaque-1"))).toBe(code);
});

test("scopes and clients are held to the same rules", async () => {
  answering();
  expect(await refusalCode(verifier({ requiredScopes: ["write"] })("opaque-1"))).toBe("scope_insufficient");
  expect(await refusalCode(verifier({ trustedClients: ["launchpad"] })("opaque-1"))).toBe("client_untrusted");
});

test("200 at once ask once; the answer serves for a while, never past its end, and then is asked again", async () => {
  answering({ exp: clock.now() / 1000 + 20 });
  const verify = verifier();
  await Promise.all(Array.from({ length: 200 }, () => verify("opaque-1")));
  await verify("opaque-1");
  expect(issuer.hits("introspection")).toBe(1);
  await verify("opaque-2");
  expect(issuer.hits("introspection")).toBe(2);
  clock.advance(21);
  await verify("opaque-1");
  expect(issuer.hits("introspection")).toBe(3);
});

test("a revocation is noticed when the answer's time is over, or at once without a cache", async () => {
  answering();
  const keeping = verifier();
  const asking = verifier({ cacheTtlSeconds: 0 });
  await Promise.all([keeping("opaque-1"), asking("opaque-1")]);
  answering({ active: false });
  expect((await keeping("opaque-1")).subject).toBe("alice");
  expect(await refusalCode(asking("opaque-1"))).toBe("token_inactive");
  clock.advance(31);
  expect(await refusalCode(keeping("opaque-1"))).toBe("token_inactive");
});

test("a flood of one dead token asks once", async () => {
  answering({ active: false });
  const verify = verifier();
  for (let index = 0; index < 50; index += 1) expect(await refusalCode(verify("dead"))).toBe("token_inactive");
  expect(issuer.hits("introspection")).toBe(1);
});

test("who cannot be asked knows nothing: 503, and not remembered", async () => {
  const verify = verifier({ timeoutMs: 300 });
  for (const answer of [{ status: 500 }, { status: 302 }, "hang", "drop"] as const) {
    issuer.answer("introspection", () => answer);
    expect(await refusal(verify("opaque-1"))).toMatchObject({ code: "keys_unavailable", retryAfterSeconds: 5 });
  }
  answering({ filler: "x".repeat(1_000_000) });
  expect(await refusalCode(verify("opaque-1"))).toBe("keys_unavailable");
  answering();
  expect((await verify("opaque-1")).subject).toBe("alice");
});

test.each([
  [401, { error: "invalid_client" }],
  [401, "no JSON"],
  [403, {}],
])("a server that does not know us (%i, %j) is our configuration's fault, and not remembered", async (status, body) => {
  const verify = verifier();
  issuer.answer("introspection", () => ({ status, body }));
  const refused = await refusal(verify("opaque-1"));
  expect(refused).toMatchObject({
    code: "issuer_misconfigured",
    cause: { message: expect.stringContaining(`${status}`) },
  });
  expect(toWire(refused)).toMatchObject({ status: 502, body: { error: "issuer_misconfigured" } });
  answering();
  expect((await verify("opaque-1")).subject).toBe("alice");
});

test("a redirect is not followed: token and secret are for the server that was configured", async () => {
  issuer.answer("introspection", () => ({ status: 307, headers: { location: issuer.tokenEndpoint } }));
  expect(await refusalCode(verifier()("opaque-1"))).toBe("keys_unavailable");
  expect(issuer.hits("token")).toBe(0);
});

test("unless said otherwise, one question has 5 seconds", async () => {
  const fiveSeconds = new AbortController();
  const never = new AbortController();
  const timeout = vi.spyOn(AbortSignal, "timeout");
  timeout.mockImplementation((ms) => (ms <= 5000 ? fiveSeconds : never).signal);
  issuer.answer("introspection", () => "hang");
  const work = refusalCode(verifier()("opaque-1"));
  await expect.poll(() => issuer.hits("introspection")).toBe(1);
  fiveSeconds.abort(new DOMException("time is up", "TimeoutError"));
  expect(await work).toBe("keys_unavailable");
  timeout.mockRestore();
});

test.each(["", "a b", "a\nb", "a,b", "x".repeat(20_000), null, 1])("%j is not sent", async (token) => {
  expect(await refusalCode(verifier()(token as string))).toBe("token_malformed");
  expect(issuer.requests).toEqual([]);
});
