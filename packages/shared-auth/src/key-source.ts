import { createHash } from "node:crypto";
import type { JSONWebKeySet } from "jose";
import { type Algorithm, keyKinds } from "./algorithms.ts";
import { AuthError } from "./errors.ts";
import { type Fetch, fetchJson, isSecureFrom } from "./fetch-json.ts";
import { importKeySet, type KeySet, keySet, type VerificationKey } from "./key-set.ts";

/** Where an issuer's keys come from; fixed by configuration, never by a token. */
export type KeySource =
  | { readonly jwks: JSONWebKeySet }
  | { readonly secret: Uint8Array }
  | { readonly jwksUri: string }
  | { readonly discoveryUrl: string };

/** A real set has a few kilobytes. */
const MAX_BODY_BYTES = 512 * 1024;

/** How the network is asked. */
interface KeyNetwork {
  readonly fetch: Fetch;
  /** Milliseconds for each document. */
  readonly timeoutMs: number;
}

/** A function that loads the set once: from memory, from its URL, or by way of the discovery document. */
export function keyLoader(
  issuer: string,
  source: KeySource,
  algorithms: readonly Algorithm[],
  network: KeyNetwork,
): () => Promise<KeySet> {
  if ("secret" in source) return async () => secretKeys(source.secret, algorithms);
  if ("jwks" in source) return () => importKeySet({ ...source.jwks }, algorithms);
  const jwksUri = "jwksUri" in source ? async () => source.jwksUri : discovered(issuer, source.discoveryUrl, network);
  return async () => importKeySet(await read(await jwksUri(), network), algorithms);
}

/** The URI is asked for anew with each load: keys move rarely, and a document is small. */
function discovered(issuer: string, discoveryUrl: string, network: KeyNetwork): () => Promise<string> {
  return async () => {
    const document = await read(discoveryUrl, network);
    if (document.issuer !== issuer) {
      throw misconfigured(
        `The discovery document at ${discoveryUrl} names another issuer than ${issuer}; correct one of the two.`,
      );
    }
    const { jwks_uri: uri } = document;
    if (isSecureFrom(discoveryUrl, uri)) return uri;
    throw misconfigured(`The discovery document at ${discoveryUrl} has no usable jwks_uri: an https URL is needed.`);
  };
}

function read(url: string, { fetch, timeoutMs }: KeyNetwork): Promise<Record<string, unknown>> {
  return fetchJson(fetch, url, { timeoutMs, maxBodyBytes: MAX_BODY_BYTES });
}

function misconfigured(message: string): AuthError {
  return new AuthError("issuer_misconfigured", message);
}

function secretKeys(secret: Uint8Array, algorithms: readonly Algorithm[]): KeySet {
  const print = createHash("sha256").update(secret).digest("base64url");
  return keySet(algorithms.map((algorithm): VerificationKey => ({ kid: undefined, algorithm, key: secret, print })));
}

/** @throws TypeError when the secret is shorter than the hash (RFC 7518 section 3.2) */
export function requireStrongSecret(secret: Uint8Array, algorithms: readonly Algorithm[]): void {
  for (const algorithm of algorithms) {
    const { minBytes = 0 } = keyKinds[algorithm];
    if (secret.byteLength < minBytes)
      throw new TypeError(`The secret for ${algorithm} needs at least ${minBytes} bytes.`);
  }
}
