import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";
import { type Forge, openForge } from "./forge.ts";
import { type Hop, hops, knock, tokenFor } from "./people.ts";
import { request, sendRaw } from "./raw.ts";

let chain: Chain;
let forge: Forge;
const tokens = new Map<Hop, string>();

beforeAll(async () => {
  chain = await startChain();
  forge = openForge(chain.dataDir);
  for (const hop of hops) tokens.set(hop, await tokenFor(chain, hop));
});
afterAll(() => chain?.close());

describe("a good token that speaks for no user, or names no group it should", () => {
  it("is refused with 403 at every hop when it speaks for an application only", async () => {
    for (const hop of hops) {
      const app = forge.resign(tokens.get(hop) ?? "", { claims: { sub: "sandbox-cli", uid: undefined } });
      const answer = await knock(chain, hop, app);
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain("application");
    }
  });

  it.each([
    ["a string", "litellm-users"],
    ["an object like a list", { 0: "litellm-users", length: 1 }],
    ["a list of lists", [["litellm-users"]]],
    ["a list with a number", ["litellm-users", 1]],
    ["names joined by a comma", ["litellm-users,litellm-admins"]],
    ["other capitals", ["LITELLM-ADMINS"]],
    ["names every object has", ["__proto__", "constructor", "toString"]],
  ])("groups as %s open nothing at the gateway", async (_, groups) => {
    const answer = await knock(chain, "gateway", forge.resign(tokens.get("gateway") ?? "", { claims: { groups } }));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toMatch(/groups/);
  });

  it("an overage is named, not read as no groups", async () => {
    const overage = { groups: undefined, _claim_names: { groups: "src1" } };
    const answer = await knock(chain, "gateway", forge.resign(tokens.get("gateway") ?? "", { claims: overage }));
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining("too many")]);
  });
});

const guarded = [
  "/v1/chat/completions",
  "/v1/models",
  "/v1/messages",
  "/model/m/converse",
  "/inference-profiles",
  "/key/list",
  "/key/generate",
  "/user/info",
  "/spend/logs",
  "/audit/events",
  "/policy/explain",
];

/** Ways of writing a path that some part of some stack reads as the path itself. */
function spellings(path: string): readonly string[] {
  const at = path.indexOf("/", 1);
  const cut = at === -1 ? 0 : at;
  const [before, after] = [path.slice(0, cut), path.slice(cut + 1)];
  const letter = `%${path.charCodeAt(2).toString(16)}`;
  return [
    ...["//", "/./", "/x/../", "%2f", "/%2e/", "/x/%2e%2e/", "/..;/", "\\", "/%252e%252e/", "/%5c"].map(
      (between) => before + between + after,
    ),
    path.slice(0, 2) + letter + path.slice(3),
    ...["/", "//", "#", "#/system/health", ";x", "%00", "%20", ".json", "?access_token=x"].map((end) => path + end),
    `/system/health/..${path}`,
    `/system/health/%2e%2e${path}`,
    `/system/health;/..${path}`,
    `//system/health${path}`,
    `http://localhost${path}`,
    `http://evil.example/system/health${path}`,
    path.toUpperCase(),
  ];
}

describe("no spelling of a guarded path gets past the gateway without a credential", () => {
  it.each(guarded)("%s", async (path) => {
    const all = spellings(path).flatMap((target) =>
      ["GET", "POST", "OPTIONS"].map((method) => request(method, target)),
    );
    const answers = await Promise.all(all.map((bytes) => sendRaw(chain.urls.gateway, bytes)));
    expect(all.filter((_, index) => ![400, 401, 404].includes(answers[index]?.status ?? 0))).toEqual([]);
  });

  it.each([
    ["X-Original-URL", "/system/health"],
    ["X-Forwarded-Uri", "/system/health"],
    ["X-Rewrite-URL", "/system/health"],
    ["X_Forwarded_Uri", "/system/health"],
    ["X-HTTP-Method-Override", "GET"],
    ["X-Forwarded-Host", "localhost"],
    ["X-Forwarded-For", "127.0.0.1"],
    ["User-Agent", "kube-probe/1.30"],
    ["Cookie", "token=master"],
  ])("nor does the header %s: %s", async (name, value) => {
    for (const path of guarded) {
      const without = await sendRaw(chain.urls.gateway, request("GET", path));
      const withIt = await sendRaw(chain.urls.gateway, request("GET", path, [[name, value]]));
      expect(withIt.status).toBe(without.status);
      expect(without.status).not.toBe(200);
    }
  });
});

describe.each(hops)("framing that two programs could read differently, at %s", (hop) => {
  const head = "POST /v1/chat/completions HTTP/1.1\r\n";
  it.each([
    ["length and chunks", `${head}Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${head}Host: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde`],
    ["a list of lengths", `${head}Host: a\r\nContent-Length: 4, 4\r\n\r\nabcd`],
    ["a signed length", `${head}Host: a\r\nContent-Length: +4\r\n\r\nabcd`],
    ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n"],
    ["a host that is none", 'GET / HTTP/1.1\r\nHost: a"><x\r\nConnection: close\r\n\r\n'],
    ["a host with a path", "GET /system/health HTTP/1.1\r\nHost: a/key/list#\r\nConnection: close\r\n\r\n"],
    ["an unknown transfer coding", `${head}Host: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["a coding after chunked", `${head}Host: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ["a space before the colon", `${head}Host: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ["a folded header", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer\r\n x\r\n\r\n"],
    ["bare line feeds", "GET / HTTP/1.1\nHost: a\n\n"],
    ["a null byte", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\u0000b\r\n\r\n"],
  ])("%s", async (_, bytes) => {
    expect((await sendRaw(chain.urls[hop], bytes)).status).toBe(400);
  });
});

describe("where a credential may stand", () => {
  const bearer = (hop: Hop): readonly [string, string] => ["Authorization", `Bearer ${tokens.get(hop)}`];
  const paths = { launchpad: "/api/v1/app", voicebox: `/api/trail/${"0".repeat(32)}`, gateway: "/v1/models" };

  it.each(hops)("two Authorization headers are 400 at %s, equal ones and another scheme's too", async (hop) => {
    for (const other of [bearer(hop), ["Authorization", "Basic eDp4"] as const]) {
      const answer = await sendRaw(chain.urls[hop], request("GET", paths[hop], [other, bearer(hop)]));
      expect(answer.status).toBe(400);
    }
  });

  it.each(hops)("a token in the query or a cookie is none, at %s", async (hop) => {
    const token = tokens.get(hop);
    const inQuery = await sendRaw(chain.urls[hop], request("GET", `${paths[hop]}?access_token=${token}`));
    const inCookie = await sendRaw(chain.urls[hop], request("GET", paths[hop], [["Cookie", `access_token=${token}`]]));
    expect([inQuery.status, inCookie.status]).toEqual([401, 401]);
  });

  it("Authorization and x-api-key that differ are 400 at the gateway", async () => {
    const other = await tokenFor(chain, "gateway", "carol");
    for (const name of ["x-api-key", "api-key"]) {
      const answer = await sendRaw(
        chain.urls.gateway,
        request("GET", "/v1/models", [bearer("gateway"), [name, other]]),
      );
      expect(answer.status).toBe(400);
    }
  });
});
