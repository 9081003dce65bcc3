import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdtemp, rename, rm, utimes, writeFile } from "node:fs/promises";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { selfSigned } from "../fixtures/certificate.ts";
import { createTestIssuer, type TestIssuer } from "../testing.ts";
import type { ClientAuthOptions } from "./client-auth.ts";
import { createExchange } from "./create.ts";
import { mutualTlsFetch } from "./mutual-tls.ts";

let issuer: TestIssuer;
let folder: string;
beforeAll(async () => {
  issuer = await createTestIssuer({ path: "/oauth2/default" });
  folder = await mkdtemp(join(tmpdir(), "client-auth-"));
});
afterAll(async () => {
  await issuer.close();
  await rm(folder, { recursive: true });
});

const exchangeWith = (clientAuth: ClientAuthOptions) =>
  createExchange({
    profile: "rfc8693",
    issuer: { issuer: issuer.issuer, tokenEndpoint: issuer.tokenEndpoint },
    clientId: "voice box",
    clientAuth,
  });
const seenBy = async (exchange: ReturnType<typeof exchangeWith>) => {
  const token = await issuer.mint();
  await exchange({ token, identity: { issuer: issuer.issuer, subject: "alice", expiresAt: Date.now() / 1000 + 600 } });
  const { form, headers } = issuer.requests.at(-1) ?? {};
  return { authorization: headers?.authorization, ...Object.fromEntries(form ?? []) } as Record<
    string,
    string | undefined
  >;
};

const rsa = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const pem = (key: KeyObject, type: "pkcs8" | "pkcs1" | "sec1" = "pkcs8") =>
  key.export({ type, format: "pem" }).toString();
const fileOf = async (text: string) => {
  const path = join(folder, `${crypto.randomUUID()}.pem`);
  await writeFile(path, text);
  return path;
};

describe("secret", () => {
  test("basic: both halves form-encoded (RFC 6749 section 2.3.1)", async () => {
    const seen = await seenBy(exchangeWith({ method: "client_secret_basic", secret: "a:b c&d" }));
    expect(seen.authorization).toBe(`Basic ${btoa("voice+box:a%3Ab+c%26d")}`);
    expect(seen).not.toHaveProperty("client_secret");
  });

  test("post", async () => {
    const seen = await seenBy(exchangeWith({ method: "client_secret_post", secret: "s" }));
    expect(seen).toMatchObject({ authorization: undefined, client_id: "voice box", client_secret: "s" });
  });
});

describe("tls_client_auth (RFC 8705 section 2)", () => {
  test("the certificate is shown, and nothing secret stands in the form", async () => {
    const certFile = await fileOf(selfSigned.cert);
    const keyFile = await fileOf(selfSigned.key);
    let form = "";
    const tls = { ...selfSigned, ca: selfSigned.cert, requestCert: true, rejectUnauthorized: true };
    const server = createTlsServer(tls, async (request, response) => {
      for await (const chunk of request) form += String(chunk);
      const issued_token_type = "urn:ietf:params:oauth:token-type:access_token";
      response.end(JSON.stringify({ access_token: "t", token_type: "Bearer", expires_in: 60, issued_token_type }));
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const tokenEndpoint = `https://localhost:${(server.address() as AddressInfo).port}/token`;
    const exchange = createExchange({
      profile: "rfc8693",
      issuer: { issuer: "https://localhost", tokenEndpoint },
      clientId: "voicebox",
      clientAuth: { method: "tls_client_auth" },
      fetch: mutualTlsFetch({ certFile, keyFile, caFile: certFile }),
    });
    const identity = { issuer: issuer.issuer, subject: "alice", expiresAt: Date.now() / 1000 + 600 };
    expect((await exchange({ token: "subject", identity })).accessToken).toBe("t");
    const { client_id, client_secret, client_assertion } = Object.fromEntries(new URLSearchParams(form));
    expect({ client_id, client_secret, client_assertion }).toEqual({ client_id: "voicebox" });
    server.closeAllConnections();
    server.close();
  });
});

describe("private_key_jwt (RFC 7523 section 3)", () => {
  test.each([
    ["RSA, PKCS#8", () => pem(rsa().privateKey), "RS256"],
    ["RSA, PKCS#1", () => pem(rsa().privateKey, "pkcs1"), "RS256"],
    ["P-256, SEC 1", () => pem(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey, "sec1"), "ES256"],
    ["P-384", () => pem(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey), "ES384"],
    ["P-521", () => pem(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey), "ES512"],
    ["Ed25519", () => pem(generateKeyPairSync("ed25519").privateKey), "EdDSA"],
  ])("%s", async (_name, make, alg) => {
    const seen = await seenBy(exchangeWith({ method: "private_key_jwt", keyFile: await fileOf(make()), kid: "k-1" }));
    expect(seen.client_assertion_type).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    expect(decodeProtectedHeader(seen.client_assertion ?? "")).toMatchObject({ alg, kid: "k-1" });
  });

  test("the assertion is for the issuer alone, short, and never twice the same", async () => {
    const { privateKey, publicKey } = rsa();
    const exchange = exchangeWith({ method: "private_key_jwt", keyFile: await fileOf(pem(privateKey)) });
    const first = (await seenBy(exchange)).client_assertion ?? "";
    const second = (await seenBy(exchange)).client_assertion ?? "";
    const { payload } = await jwtVerify(first, publicKey);
    expect(payload).toMatchObject({ iss: "voice box", sub: "voice box", aud: issuer.issuer });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeLessThanOrEqual(300);
    expect(payload.jti).not.toBe(decodeJwt(second).jti);
  });

  test("the file is read again when it changes, and a broken one does not take the key away", async () => {
    const old = rsa();
    const renewed = rsa();
    const keyFile = await fileOf(pem(old.privateKey));
    const exchange = exchangeWith({ method: "private_key_jwt", keyFile });
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", old.publicKey);
    await writeFile(keyFile, "-----BEGIN PRIVATE KEY-----\nhalf");
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", old.publicKey);
    await rm(keyFile);
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", old.publicKey);
    const next = await fileOf(pem(renewed.privateKey));
    await rename(next, keyFile);
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", renewed.publicKey);
  });

  test("a file that could not be read is tried again, though it looks as it did then", async () => {
    const [old, renewed] = [rsa(), rsa()];
    const keyFile = await fileOf(pem(old.privateKey));
    const exchange = exchangeWith({ method: "private_key_jwt", keyFile });
    const good = pem(renewed.privateKey);
    const replaced = async (text: string): Promise<void> => {
      await writeFile(keyFile, text);
      await utimes(keyFile, 1, 1);
    };
    await replaced("x".repeat(good.length));
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", old.publicKey);
    await replaced(good);
    await jwtVerify((await seenBy(exchange)).client_assertion ?? "", renewed.publicKey);
  });

  test.each([
    ["no PEM", () => "hello"],
    ["a public key", () => rsa().publicKey.export({ type: "spki", format: "pem" }).toString()],
    ["1024 bits", () => pem(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey)],
    ["a foreign curve", () => pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey)],
    ["a key that cannot sign", () => pem(generateKeyPairSync("x25519").privateKey)],
  ])("%s is refused at construction, and not quoted", async (_name, make) => {
    const text = make();
    const keyFile = await fileOf(text);
    expect(() => exchangeWith({ method: "private_key_jwt", keyFile })).toThrow(TypeError);
    try {
      exchangeWith({ method: "private_key_jwt", keyFile });
    } catch (error) {
      expect(String(error)).toContain(keyFile);
      expect(String(error)).not.toContain(text.split("\n")[1] ?? text);
    }
  });
});
