import { describe, expect, test } from "vitest";
import { createExchange } from "./exchange/index.ts";
import { authenticate, requireScope } from "./hono.ts";
import { cached, createVerifier, memoryReplayStore, memoryTokenStore } from "./index.ts";
import { createIntrospectionVerifier } from "./introspection.ts";

const issuer = "https://issuer.example";
const clientAuth = { method: "client_secret_basic", secret: "s" };
const introspection = {
  issuer,
  audience: "a",
  introspectionEndpoint: `${issuer}/introspect`,
  clientId: "c",
  clientAuth,
};
const exchange = {
  profile: "rfc8693",
  issuer: { issuer, tokenEndpoint: `${issuer}/token` },
  clientId: "c",
  clientAuth,
  audience: "next",
};

/** As plain JavaScript calls them: with what a file or the environment held. */
const verifier = (own: object, all: object = {}) =>
  createVerifier({ issuers: [{ issuer, audience: "a", ...own }], ...all } as never);
const opaque = (own: object) => createIntrospectionVerifier({ ...introspection, ...own } as never);
const exchanger = (own: object) => createExchange({ ...exchange, ...own } as never);

test("with what they need they can be made", () => {
  expect([verifier({}), opaque({}), cached(exchanger({}))].map((made) => typeof made)).toEqual(
    Array(3).fill("function"),
  );
});

describe("a setting of another type is refused at construction, before it loosens a check", () => {
  test.each<[string, () => unknown]>([
    ["createVerifier needs", () => createVerifier(undefined as never)],
    ["leewaySeconds", () => verifier({}, { leewaySeconds: "60" })],
    ["allowApps must be true or false", () => verifier({}, { allowApps: "false" })],
    ["keysTimeoutMs", () => verifier({}, { keysTimeoutMs: Number.NaN })],
    ["tokenCache.maxEntries", () => verifier({}, { tokenCache: { maxEntries: 0 } })],
    ["dpop.required", () => verifier({}, { dpop: { required: "false" } })],
    ["dpop.windowSeconds", () => verifier({}, { dpop: { windowSeconds: Number.POSITIVE_INFINITY } })],
    ["needs the `audience`", () => verifier({ audience: 5 })],
    ["white space", () => verifier({ issuer: `${issuer}\n` })],
    ["requiredScopes", () => verifier({ requiredScopes: "orders.write" })],
    ["requiredScopes", () => verifier({ requiredScopes: [undefined] })],
    ["trustedClients", () => verifier({ trustedClients: "launchpad" })],
    ["groupsMayBeString", () => verifier({ groupsMayBeString: "false" })],
    ["requireAccessTokenType", () => verifier({ requireAccessTokenType: "yes" })],
    // Compared with no number, every token would be in time.
    ["leewaySeconds", () => opaque({ leewaySeconds: Number.NaN })],
    ["leewaySeconds", () => opaque({ leewaySeconds: 601 })],
    ["allowApps", () => opaque({ allowApps: "false" })],
    ["maxEntries", () => opaque({ maxEntries: 0.5 })],
    ["timeoutMs", () => opaque({ timeoutMs: "5000" })],
    ["needs its `issuer`", () => exchanger({ issuer: undefined })],
    ["timeoutMs", () => exchanger({ timeoutMs: 0 })],
    ["cached needs the exchange", () => cached(undefined as never)],
    ["maxEntries", () => cached(exchanger({}), { maxEntries: Number.NaN })],
    ["maxEntries", () => memoryTokenStore({ maxEntries: -1 })],
    ["maxEntries", () => memoryReplayStore({ maxEntries: 0 })],
    ["authenticate needs a verifier", () => authenticate(undefined as never)],
    ["scopes of requireScope", () => requireScope("")],
  ])("%s (%#)", (words, make) => {
    expect(make).toThrow(TypeError);
    expect(make).toThrow(words);
  });
});
