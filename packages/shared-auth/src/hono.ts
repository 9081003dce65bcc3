import type { Context, Handler, MiddlewareHandler } from "hono";
import { AuthError } from "./errors.ts";
import type { Subject } from "./exchange/exchange.ts";
import type { Identity } from "./identity.ts";
import { requireScopes } from "./profile.ts";
import { requireTexts } from "./requirements.ts";
import type { Verifier } from "./verifier.ts";

/** What `authenticate` sets; give it to Hono as `Variables`, which was no place for an interface in its first versions. */
export type AuthVariables = {
  /** Who calls, verified. */
  identity: Identity;
  /** The caller's token with whom it speaks for: what an exchange takes. */
  subject: Subject;
  /** Where this resource describes itself, for the challenges of later refusals. */
  resourceMetadata: string | undefined;
};

/** Both are optional, and for services that others find by themselves. */
export interface AuthenticateOptions {
  /** URL of this resource's metadata (RFC 9728); the challenge of every refusal names it. */
  readonly resourceMetadata?: string | undefined;
  /** Scheme and host that clients call, where a proxy stands before this service; DPoP proofs are for that URL. */
  readonly publicUrl?: string | undefined;
}

/**
 * Verifies the bearer token and sets `c.var.identity` and `c.var.subject`. Refusals are thrown, so that the
 * application's error handler answers them by `toWire`.
 * @throws AuthError as `createVerifier` and `bearerToken`
 */
export function authenticate(
  verifier: Verifier,
  options: AuthenticateOptions = {},
): MiddlewareHandler<{ Variables: AuthVariables }> {
  if (typeof verifier !== "function") throw new TypeError("authenticate needs a verifier; createVerifier makes one.");
  return async (c, next) => {
    try {
      const { token, ...presented } = credentials(c.req.raw, options.publicUrl);
      const identity = await verifier(token, presented);
      c.set("resourceMetadata", options.resourceMetadata);
      c.set("identity", identity);
      c.set("subject", { token, identity });
    } catch (error) {
      throw located(error, options.resourceMetadata);
    }
    await next();
  };
}

/** A refusal that also says where this resource describes itself. */
function located(error: unknown, resourceMetadata: string | undefined): unknown {
  if (!(error instanceof AuthError) || resourceMetadata === undefined) return error;
  return new AuthError(error.code, error.message, { ...error, cause: error.cause, resourceMetadata });
}

/**
 * The token of the one `Authorization: Bearer` header (RFC 6750 section 2.1); tokens in the query or body are ignored.
 * @throws AuthError `token_absent` when there is no such header, `request_ambiguous` when there are several,
 * `token_malformed` when it holds no token
 */
export function bearerToken(headers: Headers): string {
  const { scheme, token } = authorization(headers);
  if (scheme !== "Bearer") throw absent();
  return token;
}

/** The token with how it came; `publicUrl` is for services whose own URL is not the one their clients call. */
function credentials({ headers, method, url }: Request, publicUrl: string | undefined) {
  const proof = headers.get("dpop") ?? undefined;
  return { ...authorization(headers), method, url: publicUrl === undefined ? url : rebased(url, publicUrl), proof };
}

/**
 * Without its query, which no proof names (RFC 9449 section 4.2). The path is set as a part: one that begins with two
 * slashes would be read as another host's address.
 */
function rebased(url: string, publicUrl: string): string {
  const called = new URL(publicUrl);
  called.pathname = new URL(url).pathname;
  return called.href;
}

function authorization(headers: Headers): { readonly scheme: "Bearer" | "DPoP"; readonly token: string } {
  const value = headers.get("authorization");
  if (value === null) throw absent();
  // Several headers arrive joined by commas; what follows the comma is then a scheme of its own (RFC 9110 section 5.3).
  if (/,\s*[\w!#$%&'*+.^`|~-]+(?:\s|$)/.test(value))
    throw new AuthError("request_ambiguous", "Send one Authorization header, with one credential.");
  const [, name = "", token = ""] = /^(\S+) +(.*)$/.exec(value) ?? [];
  const scheme = schemes.get(name.toLowerCase());
  if (scheme === undefined || token === "") throw absent();
  if (/^[\w\-.~+/]+=*$/.test(token)) return { scheme, token };
  throw new AuthError("token_malformed", "The Authorization header holds no well-formed token.");
}

const schemes: ReadonlyMap<string, "Bearer" | "DPoP"> = new Map([
  ["bearer", "Bearer"],
  ["dpop", "DPoP"],
]);

function absent(): AuthError {
  return new AuthError(
    "token_absent",
    "This resource needs an access token: send it as Authorization: Bearer <token>.",
  );
}

/**
 * Demands every one of the scopes of the caller that `authenticate` let in.
 * @throws AuthError `scope_insufficient`; TypeError at construction without a scope
 */
export function requireScope(...scopes: readonly string[]): MiddlewareHandler<{ Variables: AuthVariables }> {
  if (requireTexts(scopes, "The scopes of requireScope").length === 0) {
    throw new TypeError("requireScope needs at least one scope.");
  }
  return async (c, next) => {
    const identity: Identity | undefined = c.get("identity");
    if (identity === undefined) throw absent();
    try {
      requireScopes(identity.scopes, scopes);
    } catch (error) {
      throw located(error, c.get("resourceMetadata"));
    }
    await next();
  };
}

/** What a resource says about itself (RFC 9728 section 2). */
export interface ProtectedResource {
  /** The resource's own identifier: an https URL without fragment. */
  readonly resource: string;
  readonly authorizationServers: readonly string[];
  readonly scopes: readonly string[];
}

/** Answers `GET /.well-known/oauth-protected-resource`, without members that have no elements (RFC 9728 section 3.2). */
export function protectedResource({ resource, authorizationServers, scopes }: ProtectedResource): Handler {
  const document = {
    resource,
    ...(authorizationServers.length === 0 ? {} : { authorization_servers: authorizationServers }),
    ...(scopes.length === 0 ? {} : { scopes_supported: scopes }),
    bearer_methods_supported: ["header"],
  };
  return (c: Context) => c.json(document, 200, { "cache-control": "public, max-age=3600" });
}
