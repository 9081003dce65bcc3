import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Algorithm } from "./algorithms.ts";
import { refusalCode } from "./fixtures/refusal.ts";
import { importKeySet, keyProblem } from "./key-set.ts";
import { createTestIssuer, createTestKey } from "./testing.ts";
import { createVerifier } from "./verifier.ts";

const rsa = await createTestKey("rsa");
const ec = await createTestKey("ec", "ES256");
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });

describe("keyProblem", () => {
  test.each([
    ["no object", null, "RS256", /not an object/],
    ["a list", [], "RS256", /not an object/],
    ["a shared secret", { kty: "oct", k: "c2VjcmV0" }, "RS256", /shared secret/],
    ["a key of another kind", ec.publicJwk, "RS256", /not a key for RS256/],
    ["an EC key on another curve", ec.publicJwk, "ES384", /not a key for ES384/],
    ["an encryption key", { ...rsa.publicJwk, use: "enc" }, "RS256", /use is not sig/],
    ["a key for other operations", { ...rsa.publicJwk, key_ops: ["encrypt"] }, "RS256", /key_ops/],
    ["key_ops of another type", { ...rsa.publicJwk, key_ops: "verify" }, "RS256", /key_ops/],
    ["a key pinned to another algorithm", { ...rsa.publicJwk, alg: "PS256" }, "RS256", /alg does not name RS256/],
    ["a kid of another type", { ...rsa.publicJwk, kid: 1 }, "RS256", /kid is not a string/],
    ["a private key", { ...rsa.publicJwk, d: "AQAB" }, "RS256", /private key/],
    ["1024 bits", weak, "RS256", /1024 bits/],
    ["16384 bits", { kty: "RSA", n: Buffer.alloc(2048, 255).toString("base64url"), e: "AQAB" }, "RS256", /16384 bits/],
    [
      "leading zeros instead of bits",
      { kty: "RSA", n: Buffer.alloc(256, 0).fill(1, 200).toString("base64url"), e: "AQAB" },
      "RS256",
      /bits/,
    ],
    ["exponent 1", { ...rsa.publicJwk, e: "AQ" }, "RS256", /exponent/],
    ["an even exponent", { ...rsa.publicJwk, e: "BA" }, "RS256", /exponent/],
    [
      "an exponent of 9 bytes",
      { ...rsa.publicJwk, e: Buffer.alloc(9, 255).toString("base64url") },
      "RS256",
      /exponent/,
    ],
    ["no exponent", { ...rsa.publicJwk, e: undefined }, "RS256", /missing/],
  ] as const)("refuses %s", (_name, jwk, algorithm, problem) => {
    expect(keyProblem(jwk, algorithm)).toMatch(problem);
  });

  test("takes a key without use, alg and key_ops", () => {
    const { kty, n, e } = rsa.publicJwk;
    expect(keyProblem({ kty, n, e }, "RS256")).toBeUndefined();
  });
});

describe("importKeySet", () => {
  test("one bad key does not poison the others", async () => {
    const bad = [null, "key", { kty: "RSA" }, weak, { ...ec.publicJwk, x: "AAAA" }, { kty: "martian" }];
    const set = await importKeySet({ keys: [...bad, rsa.publicJwk, ec.publicJwk] }, ["RS256", "ES256"]);
    expect(set.find("RS256", "rsa")).toHaveLength(1);
    expect(set.find("ES256", "ec")).toHaveLength(1);
    expect(set.size).toBe(2);
    expect(set.refused.length).toBeGreaterThanOrEqual(bad.length);
  });

  test("finds by kid exactly; without one, every key of the algorithm", async () => {
    const other = await createTestKey("other");
    const set = await importKeySet({ keys: [rsa.publicJwk, other.publicJwk, ec.publicJwk] }, ["RS256", "ES256"]);
    expect(set.find("RS256", "RSA")).toEqual([]);
    expect(set.find("RS256", "ec")).toEqual([]);
    expect(set.find("RS256", undefined)).toHaveLength(2);
  });

  test("the same key loaded again is held; under another name it is another", async () => {
    const one = await importKeySet({ keys: [rsa.publicJwk] }, ["RS256"]);
    const [key] = one.find("RS256", "rsa");
    if (key === undefined) throw new Error("the set has its key");
    const [again, renamed] = await Promise.all([
      importKeySet({ keys: [rsa.publicJwk] }, ["RS256"]),
      importKeySet({ keys: [{ ...rsa.publicJwk, kid: "renamed" }] }, ["RS256"]),
    ]);
    expect([again.holds(key), renamed.holds(key)]).toEqual([true, false]);
  });

  test("only the first keys of an endless set are looked at", async () => {
    const { kty, crv, x, y } = ec.publicJwk;
    const keys = Array.from({ length: 500 }, (_, index) => ({ kty, crv, x, y, kid: String(index) }));
    expect((await importKeySet({ keys }, ["ES256"])).size).toBe(64);
  });

  test("looks at nothing but what makes the key", async () => {
    const set = await importKeySet({ keys: [{ ...rsa.publicJwk, x5u: "https://evil.example", x5c: ["x"] }] }, [
      "RS256",
    ]);
    expect(set.find("RS256", "rsa")[0]?.print).not.toContain("evil");
  });
});

describe("keys and tokens together", () => {
  test.each([
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
  ] as Algorithm[])("%s", async (algorithm) => {
    const issuer = await createTestIssuer({ algorithm });
    const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api", algorithms: [algorithm] }] });
    expect((await verify(await issuer.mint())).subject).toBe("alice");
    const token = await issuer.mint();
    const forged = `${token.slice(0, -8)}AAAAAAAA`;
    expect(await refusalCode(verify(forged))).toMatch(/^(signature_invalid|token_malformed)$/);
    await issuer.close();
  });

  test.each(["HS256", "HS384", "HS512"] as Algorithm[])("%s, by explicit secret only", async (algorithm) => {
    const secret = "s".repeat(64);
    const { SignJWT } = await import("jose");
    const issuer = "https://issuer.example";
    const verify = createVerifier({ issuers: [{ issuer, audience: "api", secret, algorithms: [algorithm] }] });
    const token = (key: string) =>
      new SignJWT({ iss: issuer, sub: "alice", aud: "api", exp: Date.now() / 1000 + 60, scope: "read" })
        .setProtectedHeader({ alg: algorithm, typ: "at+jwt", kid: undefined as never })
        .sign(Buffer.from(key));
    expect((await verify(await token(secret))).subject).toBe("alice");
    expect(await refusalCode(verify(await token("t".repeat(64))))).toBe("signature_invalid");
  });

  test("kid absent: one key, several keys, and a bounded number of tries", async () => {
    const issuer = await createTestIssuer({ algorithm: "ES256" });
    const header = { kid: undefined };
    const verify = () =>
      createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api", algorithms: ["ES256"] }] });
    expect((await verify()(await issuer.mint({}, { header }))).subject).toBe("alice");
    const others = await Promise.all(Array.from({ length: 6 }, (_, index) => createTestKey(`other-${index}`, "ES256")));
    const jwks = others.map(({ publicJwk }) => publicJwk);
    issuer.publish({ keys: [...jwks.slice(0, 3), issuer.key().publicJwk] });
    expect((await verify()(await issuer.mint({}, { header }))).subject).toBe("alice");
    issuer.publish({ keys: [...jwks, issuer.key().publicJwk] });
    expect(await refusalCode(verify()(await issuer.mint({}, { header })))).toBe("signature_invalid");
    expect((await verify()(await issuer.mint())).subject).toBe("alice");
    await issuer.close();
  });

  test("one kid twice in a set: the right one of the two is found", async () => {
    const issuer = await createTestIssuer();
    const twin = await createTestKey(issuer.key().kid);
    issuer.publish({ keys: [twin.publicJwk, issuer.key().publicJwk] });
    const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }] });
    expect((await verify(await issuer.mint())).subject).toBe("alice");
    await issuer.close();
  });

  test("a key without a kid in the set does not answer to a token that names one", async () => {
    const issuer = await createTestIssuer();
    const { kid: _, ...nameless } = issuer.key().publicJwk;
    issuer.publish({ keys: [nameless] });
    const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }] });
    expect(await refusalCode(verify(await issuer.mint()))).toBe("key_unknown");
    expect((await verify(await issuer.mint({}, { header: { kid: undefined } }))).subject).toBe("alice");
    await issuer.close();
  });

  test("a fixed key set needs no network", async () => {
    const issuer = await createTestIssuer();
    const verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api", jwks: issuer.jwks() }] });
    expect((await verify(await issuer.mint())).subject).toBe("alice");
    expect(await refusalCode(verify(await issuer.mint({}, { header: { kid: "other" } })))).toBe("key_unknown");
    expect(issuer.requests).toEqual([]);
    await issuer.close();
  });
});
