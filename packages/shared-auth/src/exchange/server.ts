import { AuthError } from "../errors.ts";
import { type Fetch, fetchJson, isSecureFrom, requireSecureUrl } from "../fetch-json.ts";
import { unavailable } from "./faults.ts";

/** The authorization server: by its discovery document, or named outright. */
export type ServerOptions =
  | {
      readonly discoveryUrl: string;
      /** The issuer that the document must name, when it is not the one its URL shows. */
      readonly issuer?: string | undefined;
    }
  | { readonly issuer: string; readonly tokenEndpoint: string };

/** What has to be known of an authorization server. */
export interface Server {
  readonly issuer: string;
  readonly tokenEndpoint: string;
}

const MAX_DOCUMENT_BYTES = 512 * 1024;

/**
 * Where to ask. The document is loaded on first use, once for all callers, and kept; a failed load is tried again.
 * @throws TypeError at construction for URLs that are neither https nor http on loopback
 */
export function serverLocator(options: ServerOptions, fetch: Fetch, timeoutMs: number): () => Promise<Server> {
  if (typeof options !== "object")
    throw new TypeError("An exchange needs its `issuer`: a discoveryUrl, or issuer and tokenEndpoint.");
  if ("tokenEndpoint" in options) {
    const server = { issuer: options.issuer, tokenEndpoint: requireSecureUrl(options.tokenEndpoint, "tokenEndpoint") };
    return async () => server;
  }
  const { discoveryUrl, issuer } = options;
  requireSecureUrl(discoveryUrl, "discoveryUrl");
  let found: Promise<Server> | undefined;
  return () => {
    found ??= discover(discoveryUrl, issuer, fetch, timeoutMs).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

async function discover(url: string, expected: string | undefined, fetch: Fetch, timeoutMs: number): Promise<Server> {
  const document = await fetchJson(fetch, url, { timeoutMs, maxBodyBytes: MAX_DOCUMENT_BYTES }).catch(
    (error: unknown) => {
      throw unavailable(error);
    },
  );
  const { issuer, token_endpoint: tokenEndpoint } = document;
  if (typeof issuer !== "string" || !(expected === undefined ? belongs(url, issuer) : issuer === expected)) {
    throw misconfigured(`The discovery document at ${url} names another issuer; correct the URL.`);
  }
  if (isSecureFrom(url, tokenEndpoint)) return { issuer, tokenEndpoint };
  throw misconfigured(`The discovery document at ${url} has no usable token_endpoint: an https URL is needed.`);
}

/** A document speaks only for the issuer below which it stands (RFC 8414 sections 3.1 and 3.3). */
function belongs(url: string, issuer: string): boolean {
  const base = URL.parse(issuer);
  if (base === null) return false;
  const path = base.pathname.replace(/\/$/, "");
  const names = ["openid-configuration", "oauth-authorization-server"];
  const places = names.flatMap((name) => [`${path}/.well-known/${name}`, `/.well-known/${name}${path}`]);
  const document = new URL(url);
  return document.origin === base.origin && places.includes(document.pathname);
}

function misconfigured(message: string): AuthError {
  return new AuthError("issuer_misconfigured", message);
}
