import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JSONWebKeySet, type JWK, jwtVerify, SignJWT } from "jose";
import type { Algorithm } from "./algorithms.ts";

/** A signing key of a test issuer. */
export interface TestKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** What of the issuer can be called. */
export type TestEndpoint = "discovery" | "jwks" | "token" | "introspection";

/** A request that reached the issuer. */
export interface SeenRequest {
  readonly endpoint: TestEndpoint;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly form: URLSearchParams;
}

/** A replaced answer: a status and a body, or no answer at all for `hang` and a broken connection for `drop`. */
export type TestAnswer =
  | { readonly status: number; readonly body?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "hang"
  | "drop";
/** Answers in the issuer's place. */
export type Responder = (request: SeenRequest) => TestAnswer | Promise<TestAnswer>;

/** Which issuer to play. */
export interface TestIssuerOptions {
  /** Path of the issuer's URL, such as `/oauth2/default`; none unless given. */
  readonly path?: string;
  /** `RS256` unless given. */
  readonly algorithm?: Algorithm;
}

/** How to depart from a usual token. */
export interface MintOptions {
  /** Added to the header; undefined takes a member away. */
  readonly header?: Readonly<Record<string, unknown>>;
  /** Signs with this key instead of the current one. */
  readonly key?: TestKey;
}

/** An authorization server of its own with real keys, listening on a free port of this machine. */
export interface TestIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly discoveryUrl: string;
  readonly tokenEndpoint: string;
  readonly introspectionEndpoint: string;
  /** The key that signs now. */
  readonly key: () => TestKey;
  readonly jwks: () => JSONWebKeySet;
  /** Signs a token: an Okta-like access token of user `alice` for audience `api`, unless the claims say otherwise. */
  readonly mint: (claims?: Readonly<Record<string, unknown>>, options?: MintOptions) => Promise<string>;
  /** Signs with a new key from now on; the old one leaves the key set unless kept. */
  readonly rotate: (options?: {
    readonly keepOld?: boolean;
    readonly kid?: string;
    readonly algorithm?: Algorithm;
  }) => Promise<TestKey>;
  /** Publishes these keys instead of its own; undefined ends it. */
  readonly publish: (jwks: JSONWebKeySet | undefined) => void;
  /** Replaces an endpoint's answers, to try faults; undefined ends it. */
  readonly answer: (endpoint: TestEndpoint, responder: Responder | undefined) => void;
  /** Every request so far. */
  readonly requests: readonly SeenRequest[];
  /** How often an endpoint was asked. */
  readonly hits: (endpoint: TestEndpoint) => number;
  readonly close: () => Promise<void>;
}

/** A new key pair under this name. */
export async function createTestKey(kid: string, algorithm: Algorithm = "RS256"): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" };
  return { kid, algorithm, privateKey, publicJwk };
}

/** Starts the issuer. Its token endpoint exchanges its own tokens; the client is whoever the request says. */
export async function createTestIssuer({
  path = "",
  algorithm = "RS256",
}: TestIssuerOptions = {}): Promise<TestIssuer> {
  let keys = [await createTestKey("key-1", algorithm)];
  let published: JSONWebKeySet | undefined;
  const requests: SeenRequest[] = [];
  const responders = new Map<TestEndpoint, Responder>();
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  const paths: Readonly<Record<string, TestEndpoint>> = {
    [`${path}/.well-known/openid-configuration`]: "discovery",
    [`${path}/.well-known/oauth-authorization-server`]: "discovery",
    [`${path}/v1/keys`]: "jwks",
    [`${path}/v1/token`]: "token",
    [`${path}/v1/introspect`]: "introspection",
  };
  const urls = {
    jwksUri: `${issuer}/v1/keys`,
    discoveryUrl: `${issuer}/.well-known/openid-configuration`,
    tokenEndpoint: `${issuer}/v1/token`,
    introspectionEndpoint: `${issuer}/v1/introspect`,
  };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const endpoint = paths[new URL(request.url ?? "/", issuer).pathname];
    if (endpoint === undefined) return void response.writeHead(404).end();
    const seen: SeenRequest = {
      endpoint,
      headers: request.headers as Record<string, string | undefined>,
      form: new URLSearchParams(await textOf(request)),
    };
    requests.push(seen);
    const answer = await (responders.get(endpoint) ?? usual)(seen);
    if (answer === "hang") return;
    if (answer === "drop") return void request.socket.destroy();
    const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {});
    response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers }).end(body);
  }

  async function usual(request: SeenRequest): Promise<TestAnswer> {
    switch (request.endpoint) {
      case "discovery":
        return { status: 200, body: discoveryDocument(issuer, urls) };
      case "jwks":
        return { status: 200, body: jwks() };
      case "token":
        return exchanged(request);
      case "introspection":
        return introspected(request);
    }
  }

  const jwks = (): JSONWebKeySet => published ?? { keys: keys.map(({ publicJwk }) => publicJwk) };

  const claimsOf = async (token: string | null) => {
    for (const { publicJwk } of keys) {
      const verified = await jwtVerify(token ?? "", publicJwk, { issuer }).catch(() => undefined);
      if (verified !== undefined) return verified.payload;
    }
    return undefined;
  };

  async function exchanged({ form, headers }: SeenRequest): Promise<TestAnswer> {
    const subject = await claimsOf(form.get("subject_token") ?? form.get("assertion"));
    if (subject === undefined) return { status: 400, body: { error: "invalid_grant" } };
    const scopes = form.get("scope")?.split(" ") ?? [];
    const token = await mint({
      sub: subject.sub,
      aud: form.get("audience") ?? "api",
      scp: scopes,
      cid: clientOf(form, headers),
    });
    const type = "urn:ietf:params:oauth:token-type:access_token";
    const body = {
      access_token: token,
      token_type: "Bearer",
      expires_in: 3600,
      scope: scopes.join(" "),
      issued_token_type: type,
    };
    return { status: 200, body };
  }

  async function introspected({ form }: SeenRequest): Promise<TestAnswer> {
    const claims = await claimsOf(form.get("token"));
    return { status: 200, body: claims === undefined ? { active: false } : { active: true, ...claims } };
  }

  async function mint(
    claims: Readonly<Record<string, unknown>> = {},
    { header = {}, key = newest(keys) }: MintOptions = {},
  ) {
    const now = Math.floor(Date.now() / 1000);
    const usualClaims = {
      iss: issuer,
      sub: "alice",
      aud: "api",
      iat: now,
      exp: now + 600,
      scp: ["read"],
      cid: "client",
      jti: crypto.randomUUID(),
    };
    const protectedHeader = { alg: key.algorithm, kid: key.kid, typ: "at+jwt", ...header };
    return new SignJWT(withoutAbsent({ ...usualClaims, ...claims }))
      .setProtectedHeader(withoutAbsent(protectedHeader))
      .sign(key.privateKey);
  }

  return {
    issuer,
    ...urls,
    key: () => newest(keys),
    jwks,
    mint,
    async rotate(options = {}) {
      const key = await createTestKey(options.kid ?? `key-${crypto.randomUUID()}`, options.algorithm ?? algorithm);
      keys = options.keepOld ? [...keys, key] : [key];
      return key;
    },
    publish: (set) => {
      published = set;
    },
    answer: (endpoint, responder) => {
      if (responder === undefined) responders.delete(endpoint);
      else responders.set(endpoint, responder);
    },
    requests,
    hits: (endpoint) => requests.filter((request) => request.endpoint === endpoint).length,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function discoveryDocument(
  issuer: string,
  urls: { jwksUri: string; tokenEndpoint: string; introspectionEndpoint: string },
) {
  return {
    issuer,
    jwks_uri: urls.jwksUri,
    token_endpoint: urls.tokenEndpoint,
    introspection_endpoint: urls.introspectionEndpoint,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
  };
}

function clientOf(form: URLSearchParams, headers: SeenRequest["headers"]): string {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? "")?.[1];
  if (basic !== undefined) return decodeURIComponent(Buffer.from(basic, "base64").toString().split(":")[0] ?? "");
  return form.get("client_id") ?? "";
}

function newest(keys: readonly TestKey[]): TestKey {
  const key = keys.at(-1);
  if (key === undefined) throw new Error("A test issuer always has a key.");
  return key;
}

function withoutAbsent<T extends Record<string, unknown>>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
