import fc from "fast-check";
import { CompactEncrypt, CompactSign, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testClock } from "./fixtures/clock.ts";
import { confuse, encode, forge, signed } from "./fixtures/forge.ts";
import { refusal, refusalCode } from "./fixtures/refusal.ts";
import { createTestIssuer, createTestKey, type TestIssuer } from "./testing.ts";
import { createVerifier, type Verifier } from "./verifier.ts";

let issuer: TestIssuer;
let verify: Verifier;
beforeAll(async () => {
  issuer = await createTestIssuer({ path: "/oauth2/default" });
  verify = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api", dialect: "okta" }] });
  await verify.ready();
});
afterAll(() => issuer.close());

const now = () => Math.floor(Date.now() / 1000);
const claims = (more: Record<string, unknown> = {}) => ({
  iss: issuer.issuer,
  sub: "alice",
  aud: "api",
  exp: now() + 600,
  scp: ["read"],
  cid: "client",
  ...more,
});
const header = (more: Record<string, unknown> = {}) => ({
  alg: "RS256",
  kid: issuer.key().kid,
  typ: "at+jwt",
  ...more,
});

describe("a good token", () => {
  test("gives who it speaks for", async () => {
    const identity = await verify(await issuer.mint({ groups: ["staff"], email: "alice@example.com", name: "Alice" }));
    expect(identity).toMatchObject({
      issuer: issuer.issuer,
      subject: "alice",
      audience: ["api"],
      clientId: "client",
      kind: "user",
      scopes: ["read"],
      groups: ["staff"],
      groupsState: "listed",
      email: "alice@example.com",
      name: "Alice",
      actors: [],
    });
    expect(issuer.hits("jwks")).toBe(1);
  });

  test("is the same frozen identity for every caller, down to its nested claims", async () => {
    const token = await issuer.mint({ realm_access: { roles: ["a"] } });
    const [first, second] = await Promise.all([verify(token), verify(token)]);
    const nested = first.claims.realm_access as { roles: string[] };
    expect(() => nested.roles.push("admin")).toThrow(TypeError);
    expect(() => Object.assign(first, { subject: "mallory" })).toThrow(TypeError);
    expect(second.claims).toEqual(first.claims);
  });

  test("with a claim called __proto__ changes nothing but itself", async () => {
    const text = JSON.stringify(claims()).replace("{", '{"__proto__":{"scp":["admin"],"groups":["admins"]},');
    const identity = await verify(await forge(header(), text, issuer.key()));
    expect(identity.scopes).toEqual(["read"]);
    expect(identity.groupsState).toBe("absent");
    expect(({} as Record<string, unknown>).groups).toBeUndefined();
  });
});

describe("alg none (RFC 8725 section 3.2)", () => {
  test.each(["none", "None", "nOnE", "NONE", ""])("alg %j, whatever the signature", async (alg) => {
    const input = `${encode(header({ alg }))}.${encode(claims())}`;
    expect(await refusalCode(verify(`${input}.`))).toBe("token_malformed");
    expect(await refusalCode(verify(`${input}.${await signed(input, issuer.key())}`))).toBe("algorithm_unaccepted");
  });

  test("a good header with an empty signature", async () => {
    expect(await refusalCode(verify(`${encode(header())}.${encode(claims())}.`))).toBe("token_malformed");
  });
});

describe("the header picks the algorithm (RFC 8725 section 3.1)", () => {
  test.each(["PS256", "RS512", "RS384"])("%s with the issuer's own RSA key", async (alg) => {
    const rsa = { ...issuer.key(), algorithm: alg as "PS256" };
    const other = await createTestKey(rsa.kid, alg as "PS256");
    const token = await new SignJWT(claims()).setProtectedHeader(header({ alg })).sign(other.privateKey);
    expect(await refusalCode(verify(token))).toBe("algorithm_unaccepted");
  });

  test("HS256 with the public key as the secret", async () => {
    const secret = JSON.stringify(issuer.key().publicJwk);
    expect(await refusalCode(verify(confuse(header({ alg: "HS256" }), claims(), secret)))).toBe("algorithm_unaccepted");
  });

  test.each([undefined, null, 256, ["RS256"], { RS256: true }, "rs256", "RS256 ", "constructor", "__proto__"])(
    "alg %j is none of ours",
    async (alg) => {
      expect(await refusalCode(verify(await forge(header({ alg }), claims(), issuer.key())))).toBe(
        "algorithm_unaccepted",
      );
    },
  );
});

describe("keys in the token", () => {
  test.each(["jku", "x5u"])("%s is never called", async (name) => {
    const listener = await createTestIssuer();
    const token = await listener.mint(claims(), { header: { kid: "elsewhere", [name]: listener.jwksUri } });
    expect(await refusalCode(verify(token))).toBe("key_unknown");
    expect(listener.requests).toEqual([]);
    await listener.close();
  });

  test("jwk and x5c are never used", async () => {
    const own = await createTestKey(issuer.key().kid);
    for (const extra of [{ jwk: own.publicJwk }, { x5c: ["MIIB"] }, { x5t: "abc" }]) {
      const token = await issuer.mint({}, { key: own, header: extra });
      expect(await refusalCode(verify(token))).toBe("signature_invalid");
    }
  });

  test.each([null, 1, "", ["key-1"], { kid: "key-1" }, "k".repeat(300)])("kid %j is no key's name", async (kid) => {
    expect(await refusalCode(verify(await forge(header({ kid }), claims(), issuer.key())))).toBe("token_malformed");
  });

  test.each(["../../../etc/passwd", "' OR 1=1 --", "http://127.0.0.1/keys", "__proto__", "key-1\u0000"])(
    "kid %j is looked up among the issuer's keys only",
    async (kid) => {
      expect(await refusalCode(verify(await forge(header({ kid }), claims(), issuer.key())))).toBe("key_unknown");
    },
  );
});

describe("extensions (RFC 7515 section 4.1.11, RFC 7797)", () => {
  test.each([
    { crit: ["exp"] },
    { crit: [] },
    { crit: ["b64"], b64: false },
    { b64: false },
    { b64: true },
    { crit: "b64" },
    { zip: "DEF" },
    { enc: "A256GCM" },
  ])("%j", async (extra) => {
    expect(await refusalCode(verify(await forge(header(extra), claims(), issuer.key())))).toBe("token_malformed");
  });
});

describe("other serialisations", () => {
  const cheaply = async (token: string) => {
    const before = process.cpuUsage();
    expect(await refusalCode(verify(token))).toMatch(/^(token_malformed|algorithm_unaccepted)$/);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };

  test("JWE, with a huge p2c", async () => {
    const jwe = await new CompactEncrypt(Buffer.from(JSON.stringify(claims())))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(new Uint8Array(32));
    await cheaply(jwe);
    const p2c = encode({ alg: "PBES2-HS256+A128KW", enc: "A128GCM", p2c: 2_147_483_647, p2s: "c2FsdHNhbHQ" });
    // Deriving that key would take minutes: refusing it costs none of them.
    expect(await cheaply(`${p2c}.a2V5.aXY.Y2lwaGVydGV4dA.dGFn`)).toBeLessThan(1_000_000);
  });

  test("JSON serialisation, and what is no token at all", async () => {
    const [protectedHeader, payload, signature] = (await issuer.mint()).split(".");
    for (const token of [
      JSON.stringify({ protected: protectedHeader, payload, signature }),
      JSON.stringify({ payload, signatures: [{ protected: protectedHeader, signature }] }),
      "",
      ".",
      "..",
      "...",
      "a.b",
      "a.b.c.d",
      "null.null.null",
      `${protectedHeader}.${payload}`,
      `${protectedHeader}.${payload}.${signature}.`,
      `.${payload}.${signature}`,
    ]) {
      expect(await refusalCode(verify(token))).toBe("token_malformed");
    }
  });

  test.each([undefined, null, 1, {}, [], Buffer.from("a.b.c")])("%j instead of a string", async (token) => {
    expect(await refusalCode(verify(token as string))).toBe("token_malformed");
  });

  test("a token past the size limit, and one of dots only", async () => {
    expect(await refusalCode(verify(await issuer.mint({ filler: "x".repeat(13_000) })))).toBe("token_malformed");
    expect(await refusalCode(verify(".".repeat(16_000)))).toBe("token_malformed");
    expect((await verify(await issuer.mint({ filler: "x".repeat(10_000) }))).subject).toBe("alice");
  });
});

describe("one spelling per token (RFC 7515 section 2, base64url without padding)", () => {
  test("padding, foreign letters, line ends, other alphabets, and unused bits", async () => {
    const token = await issuer.mint();
    const [head = "", body = "", signature = ""] = token.split(".");
    // A 256-byte signature leaves four unused bits in its last letter: sixteen spellings, of which one is canonical.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(signature.at(-1) ?? "");
    const spellings = [1, 2, 15].map((bits) => signature.slice(0, -1) + alphabet[last ^ bits]);
    for (const spelling of [
      ...spellings,
      `${signature}=`,
      `${signature}==`,
      `${signature}\n`,
      ` ${signature}`,
      `${signature}!`,
    ]) {
      expect(await refusalCode(verify(`${head}.${body}.${spelling}`))).toBe("token_malformed");
    }
    for (const changed of [
      `${head}=.${body}.${signature}`,
      `${head}.${body}=.${signature}`,
      `${head}\n.${body}.${signature}`,
    ]) {
      expect(await refusalCode(verify(changed))).toBe("token_malformed");
    }
    expect((await verify(token)).subject).toBe("alice");
  });

  test("header and claims are JSON objects in UTF-8", async () => {
    const key = issuer.key();
    for (const payload of ["[]", '"text"', "null", "1", "{", "", "{}{}", `\uFEFF${JSON.stringify(claims())}`]) {
      expect(await refusalCode(verify(await forge(header(), payload, key)))).toBe("token_malformed");
    }
    const broken = Buffer.concat([Buffer.from('{"iss":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    const token = await new CompactSign(broken).setProtectedHeader(header()).sign(key.privateKey);
    expect(await refusalCode(verify(token))).toBe("token_malformed");
    expect(await refusalCode(verify(await forge("[]", claims(), key)))).toBe("token_malformed");
  });

  test("text beyond ASCII is read as it was written", async () => {
    expect((await verify(await issuer.mint({ sub: "žofie", name: "Žofie 日本" }))).name).toBe("Žofie 日本");
  });

  test("claims nested as deep as a token is long are no trouble", async () => {
    const deep = `${"[".repeat(5000)}${"]".repeat(5000)}`;
    const text = JSON.stringify(claims()).replace("{", `{"deep":${deep},`);
    expect((await verify(await forge(header(), text, issuer.key()))).subject).toBe("alice");
  });
});

describe("any change to a good token", () => {
  test("one letter replaced, put in or taken away is refused, and never another error", async () => {
    const token = await issuer.mint();
    const letters = "ABCXYZabcxyz0189-_.=+/ \n\u0000é";
    const position = fc.nat(token.length - 1);
    const letter = fc.constantFrom(...letters);
    const change = fc.constantFrom<(at: number, by: string) => string>(
      (at, by) => token.slice(0, at) + by + token.slice(at + 1),
      (at, by) => token.slice(0, at) + by + token.slice(at),
      (at) => token.slice(0, at) + token.slice(at + 1),
    );
    await fc.assert(
      fc.asyncProperty(position, letter, change, async (at, by, make) => {
        const changed = make(at, by);
        if (changed !== token) await refusal(verify(changed));
      }),
      { numRuns: 400 },
    );
  });

  test("parts of two good tokens do not make a third", async () => {
    const [one, two] = await Promise.all([issuer.mint({ sub: "alice" }), issuer.mint({ sub: "bob" })]);
    const [header, claims, signature] = one.split(".");
    const [otherHeader, otherClaims, otherSignature] = two.split(".");
    expect(await refusalCode(verify([header, otherClaims, signature].join(".")))).toBe("signature_invalid");
    expect(await refusalCode(verify([otherHeader, claims, otherSignature].join(".")))).toBe("signature_invalid");
  });

  test("any text at all is a refusal", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
        await refusal(verify(text));
      }),
    );
  });
});

describe("times (RFC 7519 section 4.1.4 to 4.1.6)", () => {
  test("exp missing", async () => {
    expect(await refusalCode(verify(await issuer.mint({ exp: undefined })))).toBe("claim_invalid");
  });

  test.each(["1e999", "-1e999", '"1893456000"', "null", "true", "[]", "{}", "-1", String(Date.now())])(
    "exp %s is no date",
    async (exp) => {
      const text = JSON.stringify(claims({ exp: 1 })).replace('"exp":1', `"exp":${exp}`);
      expect(await refusalCode(verify(await forge(header(), text, issuer.key())))).toBe("claim_invalid");
    },
  );

  test.each(["nbf", "iat"])("%s of another type is refused, not ignored", async (name) => {
    for (const value of ["1", null, true, [], {}]) {
      expect(await refusalCode(verify(await forge(header(), claims({ [name]: value }), issuer.key())))).toBe(
        "claim_invalid",
      );
    }
  });

  test("clock skew: 60 seconds each way, and no more", async () => {
    const skewed = (more: Record<string, unknown>) => issuer.mint(more).then(verify);
    const ok = (more: Record<string, unknown>) => expect(skewed(more)).resolves.toMatchObject({ subject: "alice" });
    await ok({ exp: now() - 58 });
    expect(await refusalCode(skewed({ exp: now() - 62 }))).toBe("token_expired");
    await ok({ nbf: now() + 58 });
    expect(await refusalCode(skewed({ nbf: now() + 62 }))).toBe("token_not_yet_valid");
    await ok({ iat: now() + 58 });
    expect(await refusalCode(skewed({ iat: now() + 62 }))).toBe("token_not_yet_valid");
    await ok({ exp: now() + 60.5 });
  });

  test("clock skew is configurable, to none", async () => {
    const at = Date.now();
    const strict = createVerifier({
      issuers: [{ issuer: issuer.issuer, audience: "api" }],
      leewaySeconds: 0,
      now: () => at,
    });
    const seconds = at / 1000;
    expect(await refusalCode(strict(await issuer.mint({ exp: seconds, iat: undefined })))).toBe("token_expired");
    expect((await strict(await issuer.mint({ exp: seconds + 1, iat: undefined }))).subject).toBe("alice");
  });
});

describe("the verified-token cache", () => {
  test("never serves a token past its end", async () => {
    const clock = testClock();
    const caching = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], now: clock.now });
    const token = await issuer.mint({ exp: clock.now() / 1000 + 100 });
    await caching(token);
    clock.stepWall(99);
    expect((await caching(token)).subject).toBe("alice");
    clock.stepWall(62);
    expect(await refusalCode(caching(token))).toBe("token_expired");
  });

  test("remembers no refusal, and no more tokens than it may", async () => {
    const keys = issuer.hits("jwks");
    const small = createVerifier({
      issuers: [{ issuer: issuer.issuer, audience: "api", requiredScopes: ["x"] }],
      tokenCache: { maxEntries: 2 },
    });
    const [good, bad] = await Promise.all([issuer.mint({ scp: ["x"] }), issuer.mint()]);
    for (let turn = 0; turn < 3; turn += 1) {
      expect(await refusalCode(small(bad))).toBe("scope_insufficient");
      expect(await small(good)).toBe(await small(good));
    }
    for (const jti of ["1", "2", "3"]) await small(await issuer.mint({ scp: ["x"], jti }));
    expect(issuer.hits("jwks")).toBe(keys + 1);
  });

  test("is off by option: each call verifies anew", async () => {
    const plain = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], tokenCache: false });
    const token = await issuer.mint();
    expect(await plain(token)).not.toBe(await plain(token));
    expect(await plain(token)).toEqual(await plain(token));
  });
});

describe("iss", () => {
  test("exact: slash, case, blank, list, and absent", async () => {
    const { issuer: name } = issuer;
    const others = [
      `${name}/`,
      name.toUpperCase(),
      ` ${name}`,
      [name],
      { iss: name },
      null,
      undefined,
      "",
      `${name}#`,
      `${name}?x`,
    ];
    for (const iss of others) {
      expect(await refusalCode(verify(await forge(header(), claims({ iss }), issuer.key())))).toBe("issuer_untrusted");
    }
  });

  test("issuer A's key with issuer B's name, both trusted", async () => {
    const other = await createTestIssuer();
    const both = createVerifier({
      issuers: [
        { issuer: issuer.issuer, audience: "api" },
        { issuer: other.issuer, audience: "api" },
      ],
    });
    expect((await both(await other.mint())).issuer).toBe(other.issuer);
    expect((await both(await issuer.mint())).issuer).toBe(issuer.issuer);
    expect(await refusalCode(both(await issuer.mint({ iss: other.issuer })))).toBe("signature_invalid");
    await other.close();
  });

  test("a foreign issuer is never called", async () => {
    const foreign = await createTestIssuer();
    expect(await refusalCode(verify(await foreign.mint()))).toBe("issuer_untrusted");
    expect(foreign.requests).toEqual([]);
    await foreign.close();
  });
});

describe("aud", () => {
  test.each([
    [undefined],
    [null],
    [[]],
    [""],
    [[""]],
    [{ api: true }],
    [1],
    [["api", 1]],
    [["api", null]],
    [[["api"]]],
  ])("%j is no audience", async (aud) => {
    expect(await refusalCode(verify(await forge(header(), claims({ aud }), issuer.key())))).toBe("claim_invalid");
  });

  test.each(["ap", "api2", "API", "api ", "api,other", "other"])("%j is not ours", async (aud) => {
    const error = await refusal(verify(await issuer.mint({ aud })));
    expect(error.code).toBe("audience_mismatch");
    expect(error.message).toBe(`The token audience is [${aud}], this service is api.`);
  });

  test("of very many, or very long ones, a refusal names a few", async () => {
    const { message } = await refusal(verify(await issuer.mint({ aud: ["x".repeat(5000), ..."abcdefgh"] })));
    expect(message).toBe(`The token audience is [${"x".repeat(100)}, a, b, c, d, …], this service is api.`);
  });

  test("any of several, on either side", async () => {
    const several = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: ["a", "b"] }] });
    expect((await several(await issuer.mint({ aud: ["x", "b"] }))).audience).toEqual(["x", "b"]);
    expect((await several(await issuer.mint({ aud: "a" }))).audience).toEqual(["a"]);
    expect(await refusalCode(several(await issuer.mint({ aud: ["x", "y"] })))).toBe("audience_mismatch");
  });
});

describe("sub and other claims of the wrong type", () => {
  test.each([
    undefined,
    null,
    "",
    1,
    true,
    ["alice"],
    { sub: "alice" },
    "a".repeat(513),
    "al\u0000ice",
    "alice\n",
    " alice",
    "al\u202eice",
    "\ud800",
  ])("sub %j", async (sub) => {
    expect(await refusalCode(verify(await forge(header(), claims({ sub }), issuer.key())))).toBe("claim_invalid");
  });

  test.each([
    { jti: 1 },
    { scp: 1 },
    { scp: { read: true } },
    { scp: ["read", 1] },
    { cid: ["client"] },
    { cid: "" },
    { act: "someone" },
    { act: { sub: 1 } },
    { act: [] },
  ])("%j", async (more) => {
    expect(await refusalCode(verify(await forge(header(), claims(more), issuer.key())))).toBe("claim_invalid");
  });
});

describe("token type (RFC 9068 section 4, RFC 8725 section 3.11)", () => {
  test.each(["at+jwt", "AT+JWT", "application/at+jwt", "JWT", "jwt", undefined])(
    "typ %j with access-token claims",
    async (typ) => {
      expect((await verify(await issuer.mint({}, { header: { typ } }))).subject).toBe("alice");
    },
  );

  test.each([
    "id+jwt",
    "logout+jwt",
    "secevent+jwt",
    "dpop+jwt",
    "oauth-id-jag+jwt",
    "JWE",
    "",
    null,
    1,
    ["at+jwt"],
    "at+jwt ",
  ])("typ %j", async (typ) => {
    expect(await refusalCode(verify(await forge(header({ typ }), claims(), issuer.key())))).toBe(
      "token_type_unaccepted",
    );
  });

  test("an ID token as access token", async () => {
    const idToken = { scp: undefined, cid: undefined, nonce: "n", at_hash: "h" };
    expect(await refusalCode(verify(await issuer.mint(idToken, { header: { typ: "JWT" } })))).toBe(
      "token_type_unaccepted",
    );
    const sparse = { scp: undefined, cid: undefined };
    expect(await refusalCode(verify(await issuer.mint(sparse, { header: { typ: undefined } })))).toBe(
      "token_type_unaccepted",
    );
    const azp = { ...sparse, azp: "client", sid: "s", email: "a@b" };
    expect(await refusalCode(verify(await issuer.mint(azp, { header: { typ: "JWT" } })))).toBe("token_type_unaccepted");
    expect(await refusalCode(verify(await issuer.mint({ nonce: "n" }, { header: { typ: "JWT" } })))).toBe(
      "token_type_unaccepted",
    );
  });

  test("a logout token as access token", async () => {
    const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
    expect(await refusalCode(verify(await issuer.mint({ events }, { header: { typ: "JWT" } })))).toBe(
      "token_type_unaccepted",
    );
  });

  test("only at+jwt, where the issuer is said to write it", async () => {
    const strict = createVerifier({
      issuers: [{ issuer: issuer.issuer, audience: "api", requireAccessTokenType: true }],
    });
    expect(await refusalCode(strict(await issuer.mint({}, { header: { typ: "JWT" } })))).toBe("token_type_unaccepted");
    expect((await strict(await issuer.mint())).subject).toBe("alice");
  });
});

describe("rights", () => {
  test("a required scope that is missing is named", async () => {
    const scoped = createVerifier({
      issuers: [{ issuer: issuer.issuer, audience: "api", requiredScopes: ["read", "write"] }],
    });
    const error = await refusal(scoped(await issuer.mint()));
    expect(error).toMatchObject({
      code: "scope_insufficient",
      scopes: ["read", "write"],
      message: "The token lacks the scope write.",
    });
    for (const scp of [["readwrite"], ["READ", "WRITE"], [], ["read write"]]) {
      expect(await refusalCode(scoped(await issuer.mint({ scp })))).toBe("scope_insufficient");
    }
    expect((await scoped(await issuer.mint({ scp: undefined, scope: "write read" }))).scopes).toEqual([
      "write",
      "read",
    ]);
  });

  test("a token issued to a client we do not trust", async () => {
    const picky = createVerifier({
      issuers: [{ issuer: issuer.issuer, audience: "api", trustedClients: ["launchpad"] }],
    });
    expect(await refusalCode(picky(await issuer.mint()))).toBe("client_untrusted");
    expect(await refusalCode(picky(await issuer.mint({ cid: undefined })))).toBe("client_untrusted");
    expect((await picky(await issuer.mint({ cid: "launchpad" }))).clientId).toBe("launchpad");
    expect((await picky(await issuer.mint({ cid: undefined, azp: "launchpad" }))).clientId).toBe("launchpad");
  });

  test("an app-only token on a user route says so; allowed, it is told apart", async () => {
    const token = await issuer.mint({ sub: "client" });
    const error = await refusal(verify(token));
    expect(error).toMatchObject({
      code: "user_required",
      message: "The token speaks for an application; this service needs a user's token.",
    });
    const apps = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], allowApps: true });
    expect((await apps(token)).kind).toBe("app");
  });

  test("a sender-constrained token is no bearer token (RFC 9449, RFC 8705)", async () => {
    for (const cnf of [{ jkt: "abc" }, { "x5t#S256": "abc" }, {}, null, "abc"]) {
      expect(await refusalCode(verify(await issuer.mint({ cnf })))).toBe("token_sender_constrained");
    }
  });
});

describe("what a refusal tells", () => {
  test("one sentence for everything before a good signature", async () => {
    const other = await createTestKey(issuer.key().kid);
    const tokens = [
      await issuer.mint({}, { key: other }),
      await issuer.mint({ exp: 1 }, { key: other }),
      await issuer.mint({ aud: "other" }, { key: other }),
      await issuer.mint({ iss: "https://elsewhere" }),
      await issuer.mint({}, { header: { kid: "unknown" } }),
      await issuer.mint({}, { key: other, header: { typ: "logout+jwt" } }),
      "not.a.token",
    ];
    const messages = await Promise.all(tokens.map(async (token) => (await refusal(verify(token))).message));
    expect(new Set(messages).size).toBe(1);
  });

  test("after it that a token is of another kind, and by what", async () => {
    const told = async (claims: object, typ: string) =>
      (await refusal(verify(await issuer.mint({ ...claims }, { header: { typ } })))).message;
    expect(await told({}, "logout+jwt")).toBe("The token is not an access token: its typ is logout+jwt.");
    expect(await told({ nonce: "n" }, "JWT")).toMatch(/its claims are an ID token's/);
  });

  test("never the token, not even to the log", async () => {
    const secret = "canary-canary-canary";
    const token = await issuer.mint({ secret, aud: "other" });
    for (const sent of [token, token.slice(0, -5), `${token}=`, secret]) {
      const error = await refusal(verify(sent));
      const { cause } = error as { cause?: Error };
      const told = [error.message, error.stack, cause?.message, cause?.stack, JSON.stringify(error)].join(" ");
      for (const part of sent.split(".")) if (part.length > 12) expect(told).not.toContain(part);
    }
  });
});

describe("options that are wrong are refused at construction", () => {
  const { issuer: name } = { issuer: "https://issuer.example" };
  test.each([
    [{ issuers: [] }, /at least one issuer/],
    [{ issuers: [{ issuer: "", audience: "a" }] }, /needs its `issuer`/],
    [{ issuers: [{ issuer: name, audience: "" }] }, /needs the `audience`/],
    [{ issuers: [{ issuer: name, audience: [] }] }, /needs the `audience`/],
    [{ issuers: [{ issuer: name } as never] }, /needs the `audience`/],
    [{ issuers: [{ issuer: name, audience: "a", algorithms: [] }] }, /at least one algorithm/],
    [{ issuers: [{ issuer: name, audience: "a", algorithms: ["none" as never] }] }, /none is not supported/],
    [
      { issuers: [{ issuer: name, audience: "a", algorithms: ["HS256" as const] }] },
      /HS256 needs the issuer's `secret`/,
    ],
    [{ issuers: [{ issuer: name, audience: "a", secret: "x".repeat(40) }] }, /RS256 does not go with a `secret`/],
    [
      { issuers: [{ issuer: name, audience: "a", secret: "short", algorithms: ["HS256" as const] }] },
      /at least 32 bytes/,
    ],
    [
      { issuers: [{ issuer: name, audience: "a", secret: "x".repeat(31), algorithms: ["HS256" as const] }] },
      /at least 32 bytes/,
    ],
    [
      { issuers: [{ issuer: name, audience: "a", secret: "x".repeat(47), algorithms: ["HS384" as const] }] },
      /at least 48 bytes/,
    ],
    [
      { issuers: [{ issuer: name, audience: "a", secret: "x".repeat(63), algorithms: ["HS512" as const] }] },
      /at least 64 bytes/,
    ],
    [{ issuers: [{ issuer: "http://issuer.example", audience: "a" }] }, /https URL/],
    [{ issuers: [{ issuer: name, audience: "a", jwksUri: "http://issuer.example/keys" }] }, /https URL/],
    [{ issuers: [{ issuer: name, audience: "a", jwksUri: "https://user:pass@issuer.example/keys" }] }, /https URL/],
    [{ issuers: [{ issuer: name, audience: "a", dialect: "saml" as never }] }, /Dialect saml/],
    [{ issuers: [{ issuer: name, audience: "a", claims: { scope: [] } }] }, /mapping for scope/],
    [
      {
        issuers: [
          { issuer: name, audience: "a" },
          { issuer: name, audience: "b" },
        ],
      },
      /configured twice/,
    ],
    [{ issuers: [{ issuer: name, audience: "a" }], leewaySeconds: -1 }, /leewaySeconds/],
    [{ issuers: [{ issuer: name, audience: "a" }], leewaySeconds: 601 }, /leewaySeconds/],
    [{ issuers: [{ issuer: name, audience: "a" }], jwksCacheTtlSeconds: -1 }, /jwksCacheTtlSeconds/],
    [{ issuers: [{ issuer: name, audience: "a" }], staleGraceSeconds: Number.POSITIVE_INFINITY }, /staleGraceSeconds/],
    [{ issuers: [{ issuer: name, audience: "a" }], leewaySeconds: Number.NaN }, /leewaySeconds/],
  ])("%#", (options, message) => {
    expect(() => createVerifier(options)).toThrow(TypeError);
    expect(() => createVerifier(options)).toThrow(message);
  });
});
