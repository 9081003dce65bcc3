import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AuthEvent } from "./events.ts";
import { selfSigned } from "./fixtures/certificate.ts";
import { testClock } from "./fixtures/clock.ts";
import { refusal, refusalCode } from "./fixtures/refusal.ts";
import { createTestIssuer, createTestKey, type TestIssuer } from "./testing.ts";
import { createVerifier, type VerifierOptions } from "./verifier.ts";

let issuer: TestIssuer;
let clock: ReturnType<typeof testClock>;
let events: AuthEvent[];
beforeEach(async () => {
  issuer = await createTestIssuer();
  clock = testClock();
  events = [];
});
afterEach(() => issuer.close());

const verifier = (options: Partial<VerifierOptions> = {}) =>
  createVerifier({
    issuers: [{ issuer: issuer.issuer, audience: "api" }],
    now: clock.now,
    steadyNow: clock.steadyNow,
    onEvent: (event) => events.push(event),
    ...options,
  });
const mint = (claims: Record<string, unknown> = {}, kid?: string) =>
  issuer.mint(
    { exp: clock.now() / 1000 + 86_400, iat: undefined, ...claims },
    kid === undefined ? {} : { header: { kid } },
  );
const times = <T>(count: number, work: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => work(index));

describe("how often keys are loaded", () => {
  test("cold herd: 500 first requests at once, 1 load", async () => {
    const verify = verifier();
    const tokens = await Promise.all(times(20, () => mint()));
    const identities = await Promise.all(times(500, (index) => verify(tokens[index % 20] ?? "")));
    expect(identities).toHaveLength(500);
    expect(issuer.hits("jwks")).toBe(1);
    expect(issuer.hits("discovery")).toBe(1);
  });

  test("flood of unknown kids: 1,000 in 10 seconds, at most 1 load, and good requests go on", async () => {
    const verify = verifier();
    await verify(await mint());
    const template = (await mint({}, "unknown")).split(".");
    for (let index = 0; index < 1000; index += 1) {
      const header = Buffer.from(JSON.stringify({ alg: "RS256", typ: "at+jwt", kid: `random-${index}` })).toString(
        "base64url",
      );
      expect(await refusalCode(verify([header, template[1], template[2]].join(".")))).toBe("key_unknown");
      clock.advance(0.01);
    }
    expect(issuer.hits("jwks")).toBe(2);
    expect((await verify(await mint())).subject).toBe("alice");
    expect(issuer.hits("jwks")).toBe(2);
  });

  test("good requests do not wait while an unknown kid is looked for", async () => {
    const verify = verifier({ keysTimeoutMs: 1500 });
    await verify.ready();
    issuer.answer("jwks", () => "hang");
    let settled = false;
    const looking = refusalCode(verify(await mint({}, "unknown"))).finally(() => {
      settled = true;
    });
    await expect.poll(() => issuer.hits("jwks")).toBe(2);
    const good = await Promise.all(times(50, async () => verify(await mint())));
    expect([good.length, settled]).toEqual([50, false]);
    expect(await looking).toBe("keys_unavailable");
  });

  test("a cold flood of unknown kids: the set that was loaded for it is not asked for again", async () => {
    const verify = verifier();
    const tokens = await Promise.all(times(50, (index) => mint({}, `random-${index}`)));
    expect(new Set(await Promise.all(tokens.map((token) => refusalCode(verify(token)))))).toEqual(
      new Set(["key_unknown"]),
    );
    expect(issuer.hits("jwks")).toBe(1);
  });

  test("one kid that nobody knows is asked about once a minute, however often it comes", async () => {
    const verify = verifier();
    await verify.ready();
    const token = await mint({}, "retired");
    for (let second = 0; second < 59; second += 1) {
      expect(await refusalCode(verify(token))).toBe("key_unknown");
      clock.advance(1);
    }
    expect(issuer.hits("jwks")).toBe(2);
    clock.advance(2);
    expect(await refusalCode(verify(token))).toBe("key_unknown");
    expect(issuer.hits("jwks")).toBe(3);
  });

  test("forged signatures under a known kid: at most 1 load per cooldown", async () => {
    const verify = verifier();
    await verify.ready();
    const forger = await createTestKey(issuer.key().kid);
    for (let index = 0; index < 100; index += 1) {
      const token = await issuer.mint({ jti: String(index) }, { key: forger });
      expect(await refusalCode(verify(token))).toBe("signature_invalid");
      clock.advance(0.1);
    }
    expect(issuer.hits("jwks")).toBe(2);
  });

  test("cold and failing: 50 requests a second against a 500, at most 2 loads in 5 seconds, 503 to each", async () => {
    const verify = verifier();
    const token = await mint();
    issuer.answer("jwks", () => ({ status: 500 }));
    for (let index = 0; index < 250; index += 1) {
      const error = await refusal(verify(token));
      expect(error).toMatchObject({ code: "keys_unavailable", retryAfterSeconds: 3 });
      clock.advance(0.02);
    }
    expect(issuer.hits("jwks")).toBe(2);
    issuer.answer("jwks", undefined);
    clock.advance(3);
    expect((await verify(token)).subject).toBe("alice");
  });

  test("provider down: a flood of unknown kids does not become one of requests to it", async () => {
    const verify = verifier();
    await verify.ready();
    issuer.answer("jwks", () => ({ status: 500 }));
    const tokens = await Promise.all(times(50, (index) => mint({}, `random-${index}`)));
    for (const token of tokens) {
      expect(await refusalCode(verify(token))).toBe("keys_unavailable");
      clock.advance(0.05);
    }
    expect(issuer.hits("jwks")).toBe(2);
    expect((await verify(await mint())).subject).toBe("alice");
  });

  test("a set is renewed in the background, ahead of its time, and nobody waits", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    await verify(await mint());
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    issuer.answer("jwks", async () => {
      await released;
      return { status: 200, body: issuer.jwks() };
    });
    clock.advance(81);
    await Promise.all(times(20, async () => verify(await mint())));
    release();
    await expect.poll(() => events.filter(({ type }) => type === "keys_loaded").length).toBe(2);
    expect(issuer.hits("jwks")).toBe(2);
    clock.advance(50);
    await verify(await mint());
    expect(issuer.hits("jwks")).toBe(2);
  });

  test("a set is as old as the question for it: what the provider changes while it answers is not in the answer", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    issuer.answer("jwks", () => {
      clock.advance(60);
      return { status: 200, body: issuer.jwks() };
    });
    await verify(await mint());
    issuer.answer("jwks", undefined);
    clock.advance(41);
    await verify(await mint());
    expect(issuer.hits("jwks")).toBe(2);
  });

  test("ages follow the steady clock: setting the wall clock neither ages nor rejuvenates a set", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    await verify(await mint());
    clock.stepWall(3600);
    await verify(await mint());
    expect(issuer.hits("jwks")).toBe(1);
    clock.stepWall(-7200);
    clock.advance(101);
    await verify(await mint());
    expect(issuer.hits("jwks")).toBe(2);
  });
});

describe("rotation", () => {
  test("a new kid is accepted after one load, at once after start", async () => {
    const verify = verifier();
    await verify(await mint());
    await issuer.rotate({ keepOld: true });
    await Promise.all(times(50, async () => verify(await mint())));
    expect(issuer.hits("jwks")).toBe(2);
  });

  test("several rotations in a row, also after the provider was down: each new kid is accepted at once", async () => {
    const verify = verifier();
    await verify(await mint());
    issuer.answer("jwks", () => "drop");
    await issuer.rotate();
    expect(await refusalCode(verify(await mint()))).toBe("keys_unavailable");
    issuer.answer("jwks", undefined);
    clock.advance(3);
    expect((await verify(await mint())).subject).toBe("alice");
    for (let turn = 0; turn < 3; turn += 1) {
      await issuer.rotate();
      expect((await verify(await mint())).subject).toBe("alice");
    }
    await issuer.rotate({ kid: issuer.key().kid });
    expect((await verify(await mint())).subject).toBe("alice");
  });

  test("a removed key is refused within the set's time, a remembered token too", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    const token = await mint();
    await verify(token);
    await issuer.rotate();
    clock.advance(79);
    expect((await verify(token)).subject).toBe("alice");
    clock.advance(22);
    expect(await refusalCode(verify(token))).toBe("key_unknown");
  });

  test("a remembered token falls as soon as a newer set lacks its key", async () => {
    const verify = verifier();
    const token = await mint();
    await verify(token);
    await issuer.rotate();
    await verify(await mint());
    expect(await refusalCode(verify(token))).toBe("key_unknown");
  });

  test("a key replaced under the same kid is found, and the old one is refused", async () => {
    const verify = verifier();
    const { kid } = issuer.key();
    const old = await mint();
    await verify(old);
    await issuer.rotate({ kid });
    expect((await verify(await mint())).subject).toBe("alice");
    expect(issuer.hits("jwks")).toBe(2);
    expect(await refusalCode(verify(old))).toBe("signature_invalid");
  });

  test("a new kid while the provider is down: nobody can know, so 503 and not 401", async () => {
    const verify = verifier();
    await verify.ready();
    await issuer.rotate();
    issuer.answer("jwks", () => ({ status: 503 }));
    expect(await refusalCode(verify(await mint()))).toBe("keys_unavailable");
    issuer.answer("jwks", undefined);
    clock.advance(16);
    expect((await verify(await mint())).subject).toBe("alice");
  });
});

describe("provider down, keys known", () => {
  test("inside the grace it serves and says so; beyond, 503", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100, staleGraceSeconds: 50 });
    await verify.ready();
    issuer.answer("jwks", () => "drop");
    clock.advance(101);
    expect((await verify(await mint())).subject).toBe("alice");
    expect(events.at(-1)).toMatchObject({ type: "keys_failed", serving: "stale" });
    const loads = issuer.hits("jwks");
    for (let index = 0; index < 20; index += 1) await verify(await mint());
    expect(issuer.hits("jwks")).toBe(loads);
    clock.advance(50);
    expect(await refusalCode(verify(await mint()))).toBe("keys_unavailable");
    issuer.answer("jwks", undefined);
    clock.advance(4);
    expect((await verify(await mint())).subject).toBe("alice");
  });

  test("a new kid within the grace: 503, since nobody can know, and 401 when the provider can be asked again", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    await verify.ready();
    issuer.answer("jwks", () => "drop");
    clock.advance(101);
    expect((await verify(await mint())).subject).toBe("alice");
    expect(await refusalCode(verify(await mint({}, "new")))).toBe("keys_unavailable");
    issuer.answer("jwks", undefined);
    clock.advance(4);
    expect(await refusalCode(verify(await mint({}, "new")))).toBe("key_unknown");
  });

  test("a hanging provider is waited for once, not by everybody", async () => {
    const verify = verifier({ jwksCacheTtlSeconds: 100 });
    await verify.ready();
    issuer.answer("jwks", () => "drop");
    clock.advance(101);
    await verify(await mint());
    issuer.answer("jwks", () => "hang");
    clock.advance(4);
    const failures = events.filter(({ type }) => type === "keys_failed").length;
    await Promise.all(times(20, async () => verify(await mint())));
    expect(events.filter(({ type }) => type === "keys_failed")).toHaveLength(failures);
    await expect.poll(() => issuer.hits("jwks")).toBe(3);
  });
});

describe("what a provider may answer", () => {
  const codes = async (answer: Parameters<TestIssuer["answer"]>[1]) => {
    issuer.answer("jwks", answer);
    return refusalCode(verifier()(await mint()));
  };

  test("redirects are not followed", async () => {
    const elsewhere = await createTestIssuer();
    const headers = { location: elsewhere.jwksUri };
    expect(await codes(() => ({ status: 302, headers }))).toBe("keys_unavailable");
    expect(elsewhere.requests).toEqual([]);
    await elsewhere.close();
  });

  test("what is no key set is refused", async () => {
    for (const body of ["", "null", "[]", "{", '{"keys":{}}', '{"keys":"RSA"}', "<html>", '{"error":"no"}']) {
      expect(await codes(() => ({ status: 200, body }))).toBe("keys_unavailable");
    }
    expect(await codes(() => ({ status: 204 }))).toBe("keys_unavailable");
  });

  test("a body past the size limit is cut off", async () => {
    const body = `{"keys":[],"filler":"${"x".repeat(2_000_000)}"}`;
    expect(await codes(() => ({ status: 200, body }))).toBe("keys_unavailable");
  });

  test("a provider that hangs, or never ends its answer, is left when the time is up", async () => {
    const verify = verifier({ keysTimeoutMs: 200 });
    issuer.answer("jwks", () => "hang");
    expect(await refusalCode(verify(await mint()))).toBe("keys_unavailable");
    clock.advance(4);
    issuer.answer("jwks", undefined);
    issuer.answer("discovery", () => "hang");
    expect(await refusalCode(verify(await mint()))).toBe("keys_unavailable");
  });

  test("an empty set has no key for anybody", async () => {
    expect(await codes(() => ({ status: 200, body: { keys: [] } }))).toBe("key_unknown");
  });

  test("a certificate that nobody vouches for is refused", async () => {
    const server = createTlsServer(selfSigned, (_, response) => response.end(JSON.stringify(issuer.jwks())));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const jwksUri = `https://localhost:${(server.address() as AddressInfo).port}/keys`;
    const verify = verifier({ issuers: [{ issuer: issuer.issuer, audience: "api", jwksUri }] });
    const error = await refusal(verify(await mint()));
    expect(error.code).toBe("keys_unavailable");
    expect(String((error.cause as Error & { cause?: Error }).cause)).toMatch(/self.signed/);
    server.close();
  });
});

describe("discovery (RFC 8414 section 3.3)", () => {
  test("a document that names another issuer refuses to start", async () => {
    for (const name of ["https://other.example", `${issuer.issuer}/`, undefined, [issuer.issuer]]) {
      issuer.answer("discovery", () => ({ status: 200, body: { issuer: name, jwks_uri: issuer.jwksUri } }));
      const error = await refusal(verifier().ready());
      expect(error.code).toBe("issuer_misconfigured");
      expect(error.message).toContain(issuer.discoveryUrl);
    }
    expect(issuer.hits("jwks")).toBe(0);
  });

  test.each([undefined, "", 1, "http://keys.example/keys", "file:///etc/passwd", "ftp://127.0.0.1/keys", "/v1/keys"])(
    "jwks_uri %j is not called",
    async (uri) => {
      issuer.answer("discovery", () => ({ status: 200, body: { issuer: issuer.issuer, jwks_uri: uri } }));
      expect(await refusalCode(verifier().ready())).toBe("issuer_misconfigured");
    },
  );

  test("a listener that throws harms nothing", async () => {
    const verify = verifier({
      onEvent: () => {
        throw new Error("listener");
      },
    });
    expect((await verify(await mint())).subject).toBe("alice");
  });

  test("ready waits for every issuer", async () => {
    const other = await createTestIssuer();
    other.answer("jwks", () => ({ status: 500 }));
    const verify = verifier({
      issuers: [
        { issuer: issuer.issuer, audience: "api" },
        { issuer: other.issuer, audience: "api" },
      ],
    });
    expect(await refusalCode(verify.ready())).toBe("keys_unavailable");
    expect((await verify(await mint())).subject).toBe("alice");
    other.answer("jwks", undefined);
    clock.advance(4);
    await verify.ready();
    await other.close();
  });
});
