import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createNonces } from "./dpop/nonce.ts";
import { memoryReplayStore } from "./dpop/replay.ts";
import { createDpopSigner, type DpopSigner } from "./dpop/signer.ts";
import { createExchange } from "./exchange/create.ts";
import { testClock } from "./fixtures/clock.ts";
import { refusal, refusalCode } from "./fixtures/refusal.ts";
import type { DpopOptions } from "./presentation.ts";
import { createTestIssuer, type TestIssuer } from "./testing.ts";
import { createVerifier } from "./verifier.ts";

let issuer: TestIssuer;
let signer: DpopSigner;
let bound: string;
beforeAll(async () => {
  issuer = await createTestIssuer();
  signer = await createDpopSigner();
  bound = await issuer.mint({ cnf: { jkt: signer.thumbprint } });
});
afterAll(() => issuer.close());

const URL_OF_API = "https://api.example/v1/chat";
const clock = testClock();
const verifier = (dpop: DpopOptions | undefined = {}) =>
  createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], dpop, now: clock.now });
const prove = (more: Partial<Parameters<DpopSigner["prove"]>[0]> = {}) =>
  signer.prove({ method: "POST", url: URL_OF_API, accessToken: bound, ...more });
const presented = (proof: string | undefined, more: object = {}) =>
  ({ scheme: "DPoP", method: "POST", url: URL_OF_API, proof, ...more }) as const;

/** A proof with anything in it. */
async function odd(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const good = { jti: crypto.randomUUID(), htm: "POST", htu: URL_OF_API, iat: Math.floor(clock.now() / 1000) };
  const ath = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(bound))).toString("base64url");
  const jwk = await exportJWK(signer.keyPair.publicKey);
  const members = Object.entries({ ...good, ath, ...claims }).filter(([, value]) => value !== undefined);
  return new SignJWT(Object.fromEntries(members))
    .setProtectedHeader({ typ: "dpop+jwt", alg: "ES256", jwk, ...header } as never)
    .sign(signer.keyPair.privateKey);
}

describe("DPoP-bound tokens (RFC 9449)", () => {
  test("with a proof of the key", async () => {
    expect((await verifier()(bound, presented(await prove()))).subject).toBe("alice");
    expect((await verifier()(bound, presented(await odd({})))).subject).toBe("alice");
  });

  test("query, fragment and spelling of the URL do not count; path, host, scheme and port do", async () => {
    const ok = ["https://api.example/v1/chat?x=1", "https://API.example:443/v1/chat#f"];
    for (const url of ok) expect((await verifier()(bound, presented(await prove(), { url }))).subject).toBe("alice");
    const other = [
      "https://api.example/v1",
      "https://evil.example/v1/chat",
      "http://api.example/v1/chat",
      "https://api.example:444/v1/chat",
      "https://api.example/v1/chat/",
    ];
    for (const url of other)
      expect(await refusalCode(verifier()(bound, presented(await prove(), { url })))).toBe("dpop_proof_invalid");
  });

  test("as a plain bearer token: refused, also from the cache", async () => {
    const verify = verifier();
    await verify(bound, presented(await prove()));
    expect(await refusalCode(verify(bound))).toBe("token_sender_constrained");
    expect(await refusalCode(verify(bound, presented(undefined, { scheme: "Bearer" })))).toBe(
      "token_sender_constrained",
    );
  });

  test.each([
    ["no proof", undefined],
    ["an empty one", ""],
    ["no JWT", "proof"],
  ])("%s", async (_name, proof) => {
    expect(await refusalCode(verifier()(bound, presented(proof)))).toBe("dpop_proof_invalid");
  });

  test("two proofs in one header", async () => {
    expect(await refusalCode(verifier()(bound, presented(`${await prove()}, ${await prove()}`)))).toBe(
      "dpop_proof_invalid",
    );
  });

  test.each([
    ["another method", { htm: "GET" }],
    ["a method in other letters", { htm: "post" }],
    ["no method", { htm: undefined }],
    ["another URL", { htu: "https://api.example/other" }],
    ["no URL", { htu: undefined }],
    ["a relative URL", { htu: "/v1/chat" }],
    ["no iat", { iat: undefined }],
    ["iat of another type", { iat: "now" }],
    ["iat long ago", { iat: 1 }],
    ["iat to come", { iat: 9_999_999_999 }],
    ["no jti", { jti: undefined }],
    ["an empty jti", { jti: "" }],
    ["an endless jti", { jti: "x".repeat(1000) }],
    ["no ath", { ath: undefined }],
    ["ath of another token", { ath: "x".repeat(43) }],
  ])("%s", async (_name, claims) => {
    expect(await refusalCode(verifier()(bound, presented(await odd(claims))))).toBe("dpop_proof_invalid");
  });

  test("another typ, an unaccepted algorithm, a private or foreign key, an extension", async () => {
    const jwk = await exportJWK(signer.keyPair.publicKey);
    const other = await generateKeyPair("ES256");
    const headers = [
      { typ: "JWT" },
      { typ: undefined },
      { alg: "ES384" },
      { jwk: undefined },
      { jwk: { ...jwk, d: "AAAA" } },
      { jwk: { kty: "oct", k: "AAAA" } },
      { jwk: await exportJWK(other.publicKey) },
    ];
    for (const header of headers) {
      const proof = await odd({}, header).catch(() => "a.b.c");
      expect(await refusalCode(verifier()(bound, presented(proof)))).toBe("dpop_proof_invalid");
    }
    const es256Only = verifier({ algorithms: ["EdDSA"] });
    expect(await refusalCode(es256Only(bound, presented(await prove())))).toBe("dpop_proof_invalid");
  });

  test("a good proof of another key than the token's", async () => {
    const thief = await createDpopSigner();
    const proof = await thief.prove({ method: "POST", url: URL_OF_API, accessToken: bound });
    expect(await refusalCode(verifier()(bound, presented(proof)))).toBe("dpop_proof_invalid");
    const unbound = await issuer.mint();
    const own = await signer.prove({ method: "POST", url: URL_OF_API, accessToken: unbound });
    expect(await refusalCode(verifier()(unbound, presented(own)))).toBe("dpop_proof_invalid");
  });

  test("a proof is remembered for as long as it could be used: its window before now and after", async () => {
    const kept: number[] = [];
    const replay = { add: async (_: string, ttlSeconds: number) => kept.push(ttlSeconds) > 0 };
    await verifier({ replay })(bound, presented(await prove()));
    await verifier({ replay, windowSeconds: 10 })(bound, presented(await odd({})));
    expect(kept).toEqual([120, 20]);
  });

  test("a proof is good once, in every replica that shares the store", async () => {
    const replay = memoryReplayStore();
    const proof = await prove();
    await verifier({ replay })(bound, presented(proof));
    expect(await refusalCode(verifier({ replay })(bound, presented(proof)))).toBe("dpop_proof_invalid");
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        verifier({ replay })(bound, presented(proof)).then(
          () => 1,
          () => 0,
        ),
      ),
    );
    expect(outcomes).not.toContain(1);
  });

  test("off, the scheme is unknown; required, plain tokens are refused", async () => {
    const off = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }] });
    expect(await refusalCode(off(bound, presented(await prove())))).toBe("token_absent");
    expect(await refusalCode(verifier({ required: true })(await issuer.mint()))).toBe("token_sender_constrained");
  });

  test("with a nonce of ours, which the refusal hands out", async () => {
    const verify = verifier({ nonceSecret: "s".repeat(32) });
    const { code, dpopNonce } = await refusal(verify(bound, presented(await prove())));
    expect(code).toBe("dpop_nonce_required");
    expect((await verify(bound, presented(await prove({ nonce: dpopNonce })))).subject).toBe("alice");
    for (const nonce of ["", "x", `${dpopNonce}x`, `zzz.${dpopNonce?.split(".")[1]}`]) {
      expect(await refusalCode(verify(bound, presented(await prove({ nonce }))))).toBe("dpop_nonce_required");
    }
  });

  test("a nonce ends, and no other secret makes one", () => {
    const nonces = createNonces("s".repeat(32));
    const nonce = nonces.issue(1000);
    expect([nonces.accepts(nonce, 1000), nonces.accepts(nonce, 1300), nonces.accepts(nonce, 1301)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(createNonces("t".repeat(32)).accepts(nonce, 1000)).toBe(false);
    expect(() => createNonces("short")).toThrow(TypeError);
  });
});

describe("the exchange asks for bound tokens", () => {
  const exchanger = () =>
    createExchange({
      profile: "rfc8693",
      issuer: { issuer: issuer.issuer, tokenEndpoint: issuer.tokenEndpoint },
      clientId: "voicebox",
      clientAuth: { method: "client_secret_basic", secret: "s" },
      audience: "api",
      dpop: signer,
    });
  const subject = () => ({
    token: "t",
    identity: { issuer: issuer.issuer, subject: "alice", expiresAt: clock.now() / 1000 + 600 },
  });
  const type = "urn:ietf:params:oauth:token-type:access_token";
  const body = () => ({ access_token: bound, token_type: "DPoP", expires_in: 60, issued_token_type: type });

  test("with a proof for the token endpoint, again with the server's nonce, and the next hop accepts it", async () => {
    const server = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], dpop: {} });
    issuer.answer("token", ({ headers }) => {
      const [, claims = ""] = headers.dpop?.split(".") ?? [];
      const { nonce, htu, htm } = JSON.parse(Buffer.from(claims, "base64url").toString()) as Record<string, string>;
      expect([htu, htm]).toEqual([issuer.tokenEndpoint, "POST"]);
      if (nonce === "n-1") return { status: 200, body: body() };
      return { status: 400, body: { error: "use_dpop_nonce" }, headers: { "dpop-nonce": "n-1" } };
    });
    const exchange = exchanger();
    const scoped = await exchange(subject());
    expect(scoped.tokenType).toBe("DPoP");
    expect(exchange.target?.boundTo).toBe(signer.thumbprint);
    const proof = await signer.prove({ method: "POST", url: URL_OF_API, accessToken: scoped.accessToken });
    expect((await server(scoped.accessToken, presented(proof))).subject).toBe("alice");
    issuer.answer("token", undefined);
  });

  test("a plain bearer token instead is not used (RFC 9449 section 5)", async () => {
    issuer.answer("token", () => ({ status: 200, body: { ...body(), token_type: "Bearer" } }));
    expect(await refusalCode(exchanger()(subject()))).toBe("exchange_answer_invalid");
    issuer.answer("token", undefined);
  });
});
