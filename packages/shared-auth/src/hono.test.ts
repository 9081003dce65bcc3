import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDpopSigner } from "./dpop/signer.ts";
import { AuthError } from "./errors.ts";
import { type AuthVariables, authenticate, bearerToken, protectedResource, requireScope } from "./hono.ts";
import { createTestIssuer, type TestIssuer } from "./testing.ts";
import { createVerifier } from "./verifier.ts";
import { toWire } from "./wire.ts";

const METADATA = "https://api.example/.well-known/oauth-protected-resource";
let issuer: TestIssuer;
let app: Hono<{ Variables: AuthVariables }>;
beforeAll(async () => {
  issuer = await createTestIssuer();
  const verifier = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], dpop: {} });
  app = new Hono<{ Variables: AuthVariables }>();
  app.get(
    "/.well-known/oauth-protected-resource",
    protectedResource({ resource: "https://api.example", authorizationServers: [issuer.issuer], scopes: ["read"] }),
  );
  app.use("/api/*", authenticate(verifier, { resourceMetadata: METADATA, publicUrl: "https://api.example" }));
  app.get("/api/me", (c) => c.json({ sub: c.var.identity.subject, same: c.var.subject.identity === c.var.identity }));
  app.get("/api/write", requireScope("write"), (c) => c.text("written"));
  app.get("/open", requireScope("read"), (c) => c.text("never"));
  app.onError((error, c) => {
    if (!(error instanceof AuthError)) throw error;
    const { status, headers, body } = toWire(error);
    return c.json(body, status, headers);
  });
});
afterAll(() => issuer.close());

const call = async (path: string, headers: [string, string][] = []) => {
  const response = await app.request(path, { headers });
  const challenge = response.headers.get("www-authenticate");
  return { status: response.status, challenge, body: (await response.text()) as string, response };
};
const bearer = async (claims?: Record<string, unknown>, scheme = "Bearer"): Promise<[string, string][]> => [
  ["authorization", `${scheme} ${await issuer.mint(claims)}`],
];

describe("scheme and placement (RFC 6750 section 2.1)", () => {
  test.each(["Bearer", "bearer", "BEARER"])("%s", async (scheme) => {
    const { status, body } = await call("/api/me", await bearer({}, scheme));
    expect([status, JSON.parse(body)]).toEqual([200, { sub: "alice", same: true }]);
  });

  test("several blanks between scheme and token", async () => {
    const [[name, value] = ["", ""]] = await bearer();
    expect((await call("/api/me", [[name, value.replace(" ", "   ")]])).status).toBe(200);
  });

  test("Basic <jwt>: a bare 401", async () => {
    const { status, challenge } = await call("/api/me", await bearer({}, "Basic"));
    expect([status, challenge]).toEqual([401, `Bearer resource_metadata="${METADATA}"`]);
  });

  test.each(["constructor", "__proto__", "toString", "Bear", "BearerX", "Digest"])(
    "%s is no scheme of ours",
    async (scheme) => {
      const { status, challenge } = await call("/api/me", await bearer({}, scheme));
      expect([status, challenge]).toEqual([401, `Bearer resource_metadata="${METADATA}"`]);
    },
  );

  test.each(["", "Bearer", "Bearer ", "Token", "eyJ.eyJ.x"])(
    "Authorization %j: nothing usable was sent",
    async (value) => {
      const { status, challenge, body } = await call("/api/me", [["authorization", value]]);
      expect([status, challenge, JSON.parse(body).error]).toEqual([
        401,
        `Bearer resource_metadata="${METADATA}"`,
        "token_absent",
      ]);
    },
  );

  test("?access_token= is ignored", async () => {
    expect((await call(`/api/me?access_token=${await issuer.mint()}`)).status).toBe(401);
  });

  test("two Authorization headers: 400", async () => {
    const [header] = await bearer();
    const { status, body } = await call("/api/me", [header ?? ["", ""], header ?? ["", ""]]);
    expect([status, JSON.parse(body).error]).toEqual([400, "invalid_request"]);
  });

  test.each(["Basic eA==", "DPoP x", "Bearer"])("Bearer and %s in one: 400", async (other) => {
    const [[name, value] = ["", ""]] = await bearer();
    expect((await call("/api/me", [[name, `${value},${other}`]])).status).toBe(400);
    expect((await call("/api/me", [[name, `${other} , ${value}`]])).status).toBe(400);
  });

  test.each([",", ", "])("a token in JSON serialisation (RFC 7515 section 7.2) with %j: 401", async (comma) => {
    const [header, payload, signature] = (await issuer.mint()).split(".");
    const flat = JSON.stringify({ payload, protected: header, signature }).replaceAll(",", comma);
    const general = JSON.stringify({ payload, signatures: [{ protected: header, signature }] }).replaceAll(",", comma);
    for (const token of [flat, general]) {
      const { status, challenge } = await call("/api/me", [["authorization", `Bearer ${token}`]]);
      expect([status, challenge]).toEqual([401, expect.stringContaining('error="invalid_token"')]);
    }
  });

  test.each(["Bearer x' OR pg_sleep(5)--", "Bearer a b", 'Bearer "a"', "Bearer a=b", "Bearer é"])(
    "%s is no token",
    async (value) => {
      const { status, challenge } = await call("/api/me", [["authorization", value]]);
      expect(status).toBe(401);
      expect(challenge).toContain('error="invalid_token"');
    },
  );
});

describe("challenges", () => {
  test("a bad token: invalid_token, where to find the metadata, and no word of the token", async () => {
    const headers = await bearer({ aud: "other" });
    const { status, challenge, body } = await call("/api/me", headers);
    expect(status).toBe(401);
    expect(challenge).toBe(
      `Bearer error="invalid_token", error_description="The token audience is [other], this service is api.", resource_metadata="${METADATA}"`,
    );
    expect(body).not.toContain(headers[0]?.[1].slice(10, 60));
  });

  test("a missing scope: 403 insufficient_scope with the scope, and the metadata", async () => {
    const { status, challenge } = await call("/api/write", await bearer());
    expect(status).toBe(403);
    expect(challenge).toContain('error="insufficient_scope"');
    expect(challenge).toContain('scope="write"');
    expect(challenge).toContain(METADATA);
    expect((await call("/api/write", await bearer({ scp: ["write"] }))).status).toBe(200);
  });

  test("an app-only token on a user route: 403, says so", async () => {
    const { status, body } = await call("/api/me", await bearer({ sub: "client" }));
    expect([status, JSON.parse(body)]).toMatchObject([
      403,
      { error: "user_required", message: expect.stringContaining("application") },
    ]);
  });

  test("requireScope without authenticate lets nobody in", async () => {
    expect((await call("/open", await bearer())).status).toBe(401);
    expect(() => requireScope()).toThrow(TypeError);
  });
});

test("protected-resource metadata (RFC 9728 section 2)", async () => {
  const { status, body } = await call("/.well-known/oauth-protected-resource");
  expect([status, JSON.parse(body)]).toEqual([
    200,
    {
      resource: "https://api.example",
      authorization_servers: [issuer.issuer],
      scopes_supported: ["read"],
      bearer_methods_supported: ["header"],
    },
  ]);
});

test("protected-resource metadata has no members without elements (RFC 9728 section 3.2)", async () => {
  const described = { resource: "https://api.example", authorizationServers: [], scopes: [] };
  const bare = new Hono().get("/", protectedResource(described));
  expect(await (await bare.request("/")).json()).toEqual({
    resource: "https://api.example",
    bearer_methods_supported: ["header"],
  });
});

test("bearerToken reads the header alone", () => {
  expect(bearerToken(new Headers({ authorization: "Bearer abc" }))).toBe("abc");
  expect(() => bearerToken(new Headers({ authorization: "DPoP abc" }))).toThrow(AuthError);
  expect(() => bearerToken(new Headers())).toThrow(AuthError);
});

test("DPoP: the proof is for the URL that clients call", async () => {
  const signer = await createDpopSigner();
  const accessToken = await issuer.mint({ cnf: { jkt: signer.thumbprint } });
  const request = async (url: string, scheme = "DPoP") =>
    call("/api/me?q=1", [
      ["authorization", `${scheme} ${accessToken}`],
      ["dpop", await signer.prove({ method: "GET", url, accessToken })],
    ]);
  expect((await request("https://api.example/api/me")).status).toBe(200);
  const refused = await request("http://localhost/api/me");
  expect([refused.status, refused.challenge?.startsWith('DPoP error="invalid_dpop_proof"')]).toEqual([401, true]);
  expect((await request("https://api.example/api/me", "Bearer")).status).toBe(401);
});

test("DPoP: a path with two slashes at its start names no other host", async () => {
  const signer = await createDpopSigner();
  const accessToken = await issuer.mint({ cnf: { jkt: signer.thumbprint } });
  const verifier = createVerifier({ issuers: [{ issuer: issuer.issuer, audience: "api" }], dpop: {} });
  const everywhere = new Hono()
    .use("*", authenticate(verifier, { publicUrl: "https://api.example" }))
    .onError((error) => new Response(null, { status: error instanceof AuthError ? toWire(error).status : 500 }));
  const statusFor = async (htu: string) => {
    const dpop = await signer.prove({ method: "GET", url: htu, accessToken });
    const headers = { authorization: `DPoP ${accessToken}`, dpop };
    return (await everywhere.request(new Request("http://localhost//evil.example/x?q=1", { headers }))).status;
  };
  expect(await statusFor("https://evil.example/x")).toBe(401);
  // Known to the guard, and to no route.
  expect(await statusFor("https://api.example//evil.example/x")).toBe(404);
});
