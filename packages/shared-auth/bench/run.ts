/**
 * What verification and the exchange's cache cost, as ratios in one run: `pnpm bench:auth`. Exits 1 when a target is
 * missed. Absolute figures are of this machine and moment.
 */
import { createHmac } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { jwtVerify } from "jose";
import { cached, createVerifier, type Exchange } from "../src/index.ts";
import { createTestIssuer } from "../src/testing.ts";
import { heapMegabytes, inTurns } from "./measure.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const SUBJECTS = 1_000_000;
const results: [what: string, figure: string, target: string, met: boolean][] = [];

await verification();
await exchangeHit();
await boundedExchangeCache();
await boundedVerifiedCache();
for (const [what, figure, target, met] of results) {
  console.log(`${met ? "ok  " : "MISS"}  ${what.padEnd(58)} ${figure.padStart(22)}   target ${target}`);
}
process.exitCode = results.every(([, , , met]) => met) ? 0 : 1;

async function verification(): Promise<void> {
  const issuer = await createTestIssuer();
  const token = await issuer.mint({ groups: ["litellm-users"], email: "alice@example.com", name: "Alice Archer" });
  const { issuer: name } = issuer;
  const issuers = [{ issuer: name, audience: "api", jwks: issuer.jwks() }];
  const plain = createVerifier({ issuers, tokenCache: false });
  const caching = createVerifier({ issuers });
  const key = await crypto.subtle.importKey(
    "jwk",
    issuer.key().publicJwk,
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const options = { issuer: name, audience: "api", algorithms: ["RS256"], clockTolerance: 60 };
  await caching(token);
  const both = await inTurns({ jose: () => jwtVerify(token, key, options), ours: () => plain(token) }, 50, 600);
  const hit = await inTurns({ cached: () => caching(token) }, 20_000);
  const { jose = 0, ours = 0 } = both;
  const { cached: fast = 0 } = hit;
  add(
    "RS256 verification, ratio to bare jose.jwtVerify",
    `${(ours / jose).toFixed(3)} (${ours.toFixed(1)} µs)`,
    "<= 1.15",
    ours / jose <= 1.15,
  );
  add(
    "cached verification, times faster than RS256",
    `${(ours / fast).toFixed(1)} (${fast.toFixed(2)} µs)`,
    ">= 10",
    ours / fast >= 10,
  );
  await issuer.close();
}

async function exchangeHit(): Promise<void> {
  const exchange = cached(stubExchange("x".repeat(1200)));
  const subject = subjectOf("alice", "t".repeat(1200));
  await exchange(subject);
  const { hit = 0 } = await inTurns({ hit: () => exchange(subject) }, 5000);
  add("hit of the exchange's cache", `${hit.toFixed(2)} µs`, "< 20 µs", hit < 20);
}

async function boundedExchangeCache(): Promise<void> {
  const maxEntries = 10_000;
  const exchange = cached(stubExchange("x".repeat(1200)), { maxEntries });
  const fill = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1) await exchange(subjectOf(`user-${index}`, `token-${index}`));
  };
  await fill(0, 5 * maxEntries);
  const before = heapMegabytes(collect);
  await fill(5 * maxEntries, SUBJECTS);
  grown("exchange cache", heapMegabytes(collect) - before);
}

async function boundedVerifiedCache(): Promise<void> {
  const secret = "s".repeat(32);
  const issuer = "https://issuer.example";
  const verify = createVerifier({ issuers: [{ issuer, audience: "api", secret, algorithms: ["HS256"] }] });
  const header = Buffer.from(JSON.stringify({ alg: "HS256", typ: "at+jwt" })).toString("base64url");
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const fill = async (from: number, to: number) => {
    for (let index = from; index < to; index += 1) {
      const claims = { iss: issuer, aud: "api", sub: `user-${index}`, exp, scope: "read" };
      const input = `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
      await verify(`${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`);
    }
  };
  await fill(0, 50_000);
  const before = heapMegabytes(collect);
  await fill(50_000, SUBJECTS);
  grown("verified-token cache", heapMegabytes(collect) - before);
}

function grown(what: string, megabytes: number): void {
  add(`${what}: heap growth, full cache to 1,000,000 subjects`, `${megabytes.toFixed(1)} MB`, "< 5 MB", megabytes < 5);
}

function add(what: string, figure: string, target: string, met: boolean): void {
  results.push([what, figure, target, met]);
}

function subjectOf(subject: string, token: string) {
  return { token, identity: { issuer: "https://issuer.example", subject, expiresAt: Date.now() / 1000 + 3600 } };
}

function stubExchange(accessToken: string): Exchange {
  return async () => ({
    accessToken,
    tokenType: "Bearer",
    expiresAt: Date.now() / 1000 + 3600,
    audience: "llm-gateway",
    scopes: ["llm-gateway"],
    issuer: "https://issuer.example",
    clientId: "voicebox",
    source: "fresh",
  });
}
