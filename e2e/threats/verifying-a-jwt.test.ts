import { createHmac, createPublicKey, generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { encode, type Forge, type Odd, openForge } from "./forge.ts";
import { type Hop, hops, knock, tokenFor } from "./people.ts";

let chain: Chain;
let forge: Forge;
let listener: Server;
let hits = 0;
const tokens = new Map<Hop, string>();

beforeAll(async () => {
  chain = await startChain();
  forge = openForge(chain.dataDir);
  for (const hop of hops) tokens.set(hop, await tokenFor(chain, hop));
  listener = createServer((_, answer) => {
    hits += 1;
    answer.end("{}");
  }).listen(0, "127.0.0.1");
});
afterAll(async () => {
  listener.close();
  await chain?.close();
});

const { privateKey: foreign } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const now = Math.floor(Date.now() / 1000);
const issuer = (name: string): string => `${chain.urls.identityProvider}/oauth2/${name}`;
const header = (changes: Odd["header"]) => (token: string) => forge.resign(token, { header: changes ?? {} });
const claims = (changes: Record<string, unknown>) => (token: string) => forge.resign(token, { claims: changes });
const member = (text: string) => (token: string) =>
  forge.resign(token, { claims: `${JSON.stringify(decodeJwt(token)).slice(0, -1)},${text}}` });
const ours = (): string => `http://127.0.0.1:${(listener.address() as AddressInfo).port}/keys`;

type Case = readonly [name: string, make: (token: string) => string];

const oddHeaders: readonly Case[] = [
  ...["none", "None", "nOnE", "rs256", "HS256", "PS256", ["RS256"], null].map(
    (alg): Case => [`alg ${JSON.stringify(alg)}`, header({ alg })],
  ),
  ["a good RS512 signature", (t) => forge.resign(t, { header: { alg: "RS512" }, digest: "sha512" })],
  ["alg twice, none the last", (t) => header(`{"alg":"RS256","alg":"none","typ":"at+jwt","kid":"${forge.kid}"}`)(t)],
  ["alg inherited", (t) => header(`{"__proto__":{"alg":"RS256"},"typ":"at+jwt","kid":"${forge.kid}"}`)(t)],
  ["an unknown crit", header({ crit: ["exp"] })],
  ["an empty crit", header({ crit: [] })],
  ["b64 false", header({ b64: false, crit: ["b64"] })],
  ["zip", header({ zip: "DEF" })],
  ["the attacker's jwk", (t) => counterfeit(t, { jwk: createPublicKey(foreign).export({ format: "jwk" }) })],
  ["a jku of ours", (t) => counterfeit(t, { jku: ours() })],
  ["an x5u of ours", (t) => counterfeit(t, { x5u: ours() })],
  ["an x5c", (t) => counterfeit(t, { x5c: ["MIIB"] })],
  ...["id_token+jwt", "logout+jwt", "dpop+jwt", "oauth-id-jag+jwt", "", "at+jwt ", null, 1, ["at+jwt"]].map(
    (typ): Case => [`typ ${JSON.stringify(typ)}`, header({ typ })],
  ),
  ...[null, 1, "", [], "../../etc/passwd", "' OR 1=1--", "__proto__", "k".repeat(300)].map(
    (kid): Case => [`kid ${JSON.stringify(kid).slice(0, 24)}`, header({ kid })],
  ),
];

const oddClaims: readonly Case[] = [
  ...[undefined, null, String(now + 100), -1, 1e15, [now + 100], now - 70].map(
    (exp): Case => [`exp ${JSON.stringify(exp)}`, claims({ exp })],
  ),
  ["exp beyond numbers", member('"exp":1e999')],
  ["exp twice, the last long ago", member('"exp":1')],
  ...[now + 70, "now", null].map((nbf): Case => [`nbf ${JSON.stringify(nbf)}`, claims({ nbf })]),
  ...[now + 70, "now"].map((iat): Case => [`iat ${JSON.stringify(iat)}`, claims({ iat })]),
  ["iss with a slash more", (t) => claims({ iss: `${issuer("default")}/` })(t)],
  ["iss in capitals", (t) => claims({ iss: issuer("default").toUpperCase() })(t)],
  ["iss as a list", (t) => claims({ iss: [issuer("default")] })(t)],
  ["iss of a trusted issuer, key of another", (t) => claims({ iss: issuer("llm") })(t)],
  ["iss __proto__", claims({ iss: "__proto__" })],
  ...[
    undefined,
    [],
    {},
    "",
    [["launchpad", "voicebox", "llm-gateway"]],
    ["voicebo", "launchpa", "llm-gatewa", "*"],
  ].map((aud): Case => [`aud ${JSON.stringify(aud)}`, claims({ aud })]),
  ["aud joined", claims({ aud: "launchpad voicebox llm-gateway" })],
  ["aud with a number", claims({ aud: ["launchpad", "voicebox", "llm-gateway", 1] })],
  ...[undefined, "", 1, ["alice"], null, " alice", "alice\u0000", "ali\u200bce", "\u202ealice", "\ud800"].map(
    (sub): Case => [`sub ${JSON.stringify(sub)}`, claims({ sub })],
  ),
  ["sub of 9,000 characters", claims({ sub: "a".repeat(9000) })],
  ...[1, {}, ["openid", 1]].map((scp): Case => [`scp ${JSON.stringify(scp)}`, claims({ scp })]),
  ["a token bound to a key", claims({ cnf: { jkt: "x" } })],
  ["cnf null", claims({ cnf: null })],
  ["act that is no actor", claims({ act: "backend" })],
  ["an ID token", (t) => forge.resign(t, { header: { typ: "JWT" }, claims: { nonce: "n", scp: undefined } })],
];

const oddForms: readonly Case[] = [
  ["padding", (t) => `${t}=`],
  ["a fourth part", (t) => `${t}.a`],
  ["no signature", (t) => `${t.split(".").slice(0, 2).join(".")}.`],
  ["a signature with spare bits", (t) => t.slice(0, -1) + neighbour(t.at(-1) ?? "")],
  ["claims before the header", (t) => [1, 0, 2].map((at) => t.split(".")[at]).join(".")],
  ["JSON serialisation", (t) => inJson(t)],
  ["a byte order mark", (t) => forge.resign(t, { claims: `\ufeff${JSON.stringify(decodeJwt(t))}` })],
  ["claims in a list", (t) => forge.resign(t, { claims: `[${JSON.stringify(decodeJwt(t))}]` })],
  ["HS256 with the public key as the secret", (t) => confused(t)],
  ["a JWE", () => `${encode('{"alg":"dir","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`],
  [
    "a JWE with two thousand million rounds",
    () => `${encode('{"alg":"PBES2-HS256+A128KW","enc":"A256GCM","p2c":2000000000,"p2s":"AAAA"}')}.AAAA.AAAA.AAAA.AAAA`,
  ],
];

function counterfeit(token: string, changes: Record<string, unknown>): string {
  return forge.counterfeit(token, { header: changes }, foreign);
}

/** RFC 7515 section 7.2.2. */
function inJson(token: string): string {
  const [header, payload, signature] = token.split(".");
  return JSON.stringify({ protected: header, payload, signature });
}

function neighbour(letter: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(letter) ^ 1] ?? "";
}

function confused(token: string): string {
  const pem = createPublicKey({ key: forge.publicJwk as never, format: "jwk" }).export({ type: "spki", format: "pem" });
  const signed = `${encode(JSON.stringify({ alg: "HS256", typ: "at+jwt", kid: forge.kid }))}.${token.split(".")[1]}`;
  return `${signed}.${createHmac("sha256", pem).update(signed).digest("base64url")}`;
}

async function refusals(make: (token: string) => string): Promise<unknown[]> {
  return Promise.all(
    hops.map(async (hop) => {
      const token = make(tokens.get(hop) ?? "");
      const answer = await knock(chain, hop, token);
      const text = await answer.text();
      const told = (token.split(".")[2] ?? "").slice(0, 40);
      return {
        status: answer.status,
        challenge: /^Bearer .*error="invalid_token"/.test(answer.headers.get("www-authenticate") ?? ""),
        json: JSON.parse(text).error !== undefined,
        leaks: told.length > 10 && (text.includes(told) || chain.output().includes(told)),
      };
    }),
  );
}

const refused = { status: 401, challenge: true, json: true, leaks: false };

describe.each([
  ["header", oddHeaders],
  ["claims", oddClaims],
  ["form", oddForms],
] as const)("a token with an odd %s gets 401 at every hop", (_, cases) => {
  it.each(cases)("%s", async (_name, make) => {
    expect(await refusals(make)).toEqual([refused, refused, refused]);
  });
});

describe("what is not refused, so that the refusals above are for what was changed", () => {
  it.each<Case>([
    ["nothing changed", claims({})],
    ["typ JWT", header({ typ: "JWT" })],
    ["typ application/at+jwt", header({ typ: "application/at+jwt" })],
    ["no kid, since one key matches", (t) => header(JSON.stringify({ alg: "RS256", typ: "at+jwt" }))(t)],
    ["one of several audiences", claims({ aud: ["x", "launchpad", "voicebox", "llm-gateway"] })],
    ["exp within the leeway", claims({ exp: now - 40 })],
    ["nbf within the leeway", claims({ nbf: now + 50 })],
    ["4,000 levels of nesting in an unknown claim", member(`"x":${"[".repeat(4000)}${"]".repeat(4000)}`)],
    ["own members called __proto__", member('"__proto__":{"groups":["litellm-admins"]}')],
    ["text that would break a header", claims({ name: "Alice\r\nX-Evil: 1\u0000\ud800" })],
  ])("%s", async (_, make) => {
    for (const hop of hops) expect((await knock(chain, hop, make(tokens.get(hop) ?? ""))).status).toBe(200);
  });

  it("nobody asked the listener that the tokens named", () => expect(hits).toBe(0));
});
