import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, exportJWK, importSPKI, jwtVerify } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { query, toolResults } from "./gateway.ts";
import { type Bench, startBench } from "./service.ts";

/** A database over HTTP that remembers who asked what. */
let database: Server;
let url: string;
const seen: { readonly path: string; readonly authorization: string | undefined; readonly form: URLSearchParams }[] =
  [];
let status = 200;

beforeAll(async () => {
  database = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    seen.push({ path: request.url ?? "", authorization: request.headers.authorization, form });
    const vars = [...(form.get("query") ?? "").matchAll(/SELECT (?:DISTINCT )?((?:\?\w+ ?)+)/g)].flatMap(
      ([, names]) => (names ?? "").match(/\w+/g) ?? [],
    );
    response.writeHead(status, { "content-type": "application/sparql-results+json" });
    response.end(JSON.stringify({ head: { vars }, results: { bindings: [] } }));
  }).listen(0, "127.0.0.1");
  await once(database, "listening");
  url = `http://127.0.0.1:${(database.address() as AddressInfo).port}`;
});
afterAll(() => {
  database.closeAllConnections();
  database.close();
});

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  seen.length = 0;
  status = 200;
});

const app = { id: "a", name: "a", connection: "stardog", database: "sales" };
const connection = (auth: unknown) => ({
  connections: { stardog: { type: "sparql", url: `${url}/{database}/query`, auth, timeout_seconds: 2 } },
});

async function asked(auth: unknown, sub = "alice"): Promise<Response> {
  bench ??= await startBench({ config: connection(auth) });
  bench.gateway.behave(({ body }) =>
    toolResults(body).length === 0 ? { calls: [query("SELECT ?x WHERE { ?x ?p ?o }")] } : { text: "done" },
  );
  return bench.ask(await bench.token({ sub }), { query: "Who?", app });
}

describe("a database over HTTP", () => {
  it.each([
    [
      "basic",
      { type: "basic", username: "reader", password: "pass:word" },
      `Basic ${Buffer.from("reader:pass:word").toString("base64")}`,
    ],
    ["bearer", { type: "bearer", token: "static-token" }, "Bearer static-token"],
    ["none", { type: "none" }, undefined],
  ])("is asked with its own credential (%s), never with the user's token", async (_, auth, header) => {
    const response = await asked(auth);
    expect(response.status).toBe(200);
    expect(seen.length).toBeGreaterThan(1);
    expect(new Set(seen.map(({ authorization }) => authorization))).toEqual(new Set([header]));
    expect(new Set(seen.map(({ path }) => path))).toEqual(new Set(["/sales/query"]));
    expect(seen.some(({ form }) => form.get("query")?.includes("LIMIT 201"))).toBe(true);
  });

  it("gets a further token of each user's own where it wants one", async () => {
    const auth = { type: "token_exchange", audience: "stardog", scope: "stardog" };
    await asked(auth, "alice");
    await asked(auth, "bob");
    const subjects = seen.map(({ authorization }) => decodeJwt((authorization ?? "").replace("Bearer ", "")));
    expect(new Set(subjects.map(({ sub }) => sub))).toEqual(new Set(["alice", "bob"]));
    expect(new Set(subjects.map(({ aud }) => aud))).toEqual(new Set(["stardog"]));
    expect(bench?.gatewayIssuer.requests.filter(({ form }) => form.get("audience") === "stardog")).toHaveLength(2);
    // Neither the token for the model nor the one that came in.
    expect(
      seen.some(({ authorization }) =>
        bench?.gateway.calls.some(({ headers }) => headers.authorization === authorization),
      ),
    ).toBe(false);
  });

  it.each([
    [503, 503],
    [401, 502],
    [404, 404],
  ])("answering %i makes the question fail with %i", async (given, expected) => {
    status = given;
    expect((await asked({ type: "none" })).status).toBe(expected);
  });
});

describe("OKTA_PRIVATE_KEY_PATH", () => {
  it("proves the client by a signed assertion for the issuer alone, and wins over a secret", async () => {
    const folder = await mkdtemp(join(tmpdir(), "key-"));
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const path = join(folder, "key.pem");
    await writeFile(path, privateKey.export({ type: "pkcs8", format: "pem" }));
    bench = await startBench({ env: { OKTA_PRIVATE_KEY_PATH: path, OKTA_PRIVATE_KEY_ID: "k1" } });
    expect((await bench.ask(await bench.token())).status).toBe(200);
    const form =
      bench.gatewayIssuer.requests.find(({ endpoint }) => endpoint === "token")?.form ?? new URLSearchParams();
    expect(form.get("client_assertion_type")).toBe("urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    const assertion = form.get("client_assertion") ?? "";
    const spki = await importSPKI(publicKey.export({ type: "spki", format: "pem" }).toString(), "RS256", {
      extractable: true,
    });
    const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(spki)), kid: "k1" }] });
    const { payload } = await jwtVerify(assertion, keys);
    expect(payload).toMatchObject({ iss: "voicebox", sub: "voicebox", aud: bench.gatewayIssuer.issuer });
    expect(decodeProtectedHeader(assertion).kid).toBe("k1");
    expect(form.get("client_secret")).toBeNull();
    await rm(folder, { recursive: true, force: true });
  });
});
