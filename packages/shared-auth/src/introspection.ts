import { allowInsecureRequests, Configuration, customFetch, tokenIntrospection } from "openid-client";
import { briefMemory } from "./brief-memory.ts";
import { checkClaims } from "./claims.ts";
import { type ClockOptions, clockFrom } from "./clock.ts";
import { malformed, requireTokenText } from "./compact.ts";
import { AuthError } from "./errors.ts";
import { type ClientAuthOptions, clientAuthentication } from "./exchange/client-auth.ts";
import { type Fetch, platformFetch, readLimited, requireSecureUrl } from "./fetch-json.ts";
import { type Identity, readIdentity } from "./identity.ts";
import { createPresentationCheck, type DpopOptions } from "./presentation.ts";
import { checkPolicy } from "./profile.ts";
import { requireEntries, requireFlag, requireMilliseconds, requireSeconds } from "./requirements.ts";
import { singleFlight } from "./single-flight.ts";
import { digestOf } from "./token-key.ts";
import { type AcceptanceOptions, accept } from "./trust.ts";
import type { Verifier } from "./verifier.ts";

/** One server that knows opaque tokens, and what its answers must say. */
export interface IntrospectionOptions extends AcceptanceOptions, ClockOptions {
  /** The server's introspection endpoint (RFC 7662 section 2). */
  readonly introspectionEndpoint: string;
  /** As whom this service asks. */
  readonly clientId: string;
  readonly clientAuth: ClientAuthOptions;
  /** Seconds an answer serves, and so how late a revocation is noticed; 30 unless given, 0 for not at all. */
  readonly cacheTtlSeconds?: number | undefined;
  /** Answers that are remembered, by digest of the token; 5000 unless given. */
  readonly maxEntries?: number | undefined;
  /** Seconds by which clocks may differ; 60 unless given. */
  readonly leewaySeconds?: number | undefined;
  /** Accept tokens that speak for an application and no user; false unless given. */
  readonly allowApps?: boolean | undefined;
  /** Milliseconds for one question; 5000 unless given. */
  readonly timeoutMs?: number | undefined;
  /** Accept tokens bound to a key (RFC 9449); off unless given. */
  readonly dpop?: DpopOptions | undefined;
  readonly fetch?: Fetch | undefined;
}

/** Bytes: claims, with groups perhaps, but no token. */
const MAX_ANSWER_BYTES = 256 * 1024;

const accessTokenKinds = ["bearer", "dpop", "access_token"];

type Claims = Readonly<Record<string, unknown>>;

/**
 * For opaque tokens: a verifier of the same type that asks the authorization server (RFC 7662). The answer must name
 * audience, subject and expiry, as a JWT would; an answer without them is refused.
 * @throws TypeError when the options are incomplete
 */
export function createIntrospectionVerifier(options: IntrospectionOptions): Verifier {
  const clock = clockFrom(options);
  const accepted = accept(options);
  const ask = asker(options);
  const leewaySeconds = requireSeconds(options.leewaySeconds ?? 60, "leewaySeconds", 600);
  const allowApps = requireFlag(options.allowApps ?? false, "allowApps");
  const maxEntries = requireEntries(options.maxEntries ?? 5000, "maxEntries");
  const cacheTtlSeconds = requireSeconds(options.cacheTtlSeconds ?? 30, "cacheTtlSeconds");
  const checkPresentation = createPresentationCheck(options.dpop, clock);
  // A refusal is kept as well: a token that is not active will not become so.
  const answers = briefMemory<Identity | AuthError>(cacheTtlSeconds, maxEntries, clock.steadyMs);
  const flights = singleFlight<Identity>();

  const verify: Verifier = Object.assign(
    async (...[token, presented]: Parameters<Verifier>) => {
      requireTokenText(token);
      if (!/^[\w\-.~+/]+=*$/.test(token)) throw malformed("not a token that a header can carry");
      const identity = await known(token);
      await checkPresentation(identity, token, presented);
      return identity;
    },
    { ready: async () => undefined },
  );
  return verify;

  async function known(token: string): Promise<Identity> {
    const key = digestOf("introspection", token);
    const answer = answers.get(key);
    if (answer instanceof AuthError) throw answer;
    if (answer !== undefined && clock.wallMs() / 1000 < answer.expiresAt) return answer;
    return flights.run(key, () => introspect(token, key));
  }

  async function introspect(token: string, key: string): Promise<Identity> {
    const claims = await ask(token);
    try {
      const identity = judge(claims);
      answers.set(key, identity);
      return identity;
    } catch (error) {
      if (error instanceof AuthError) answers.set(key, error);
      throw error;
    }
  }

  function judge(claims: Claims): Identity {
    if (claims.active !== true) throw new AuthError("token_inactive", "The token is not active; get a new one.");
    if (claims.iss !== undefined && claims.iss !== accepted.issuer) {
      throw new AuthError("issuer_untrusted", "The token was issued by a server that this service does not trust.");
    }
    // Servers answer about refresh tokens as well; those that say what kind it is are believed.
    const kind = typeof claims.token_type === "string" ? claims.token_type.toLowerCase() : "bearer";
    if (!accessTokenKinds.includes(kind) || accepted.dialect.isOtherToken(claims)) {
      throw new AuthError("token_type_unaccepted", "This is no access token; send one.");
    }
    const now = clock.wallMs() / 1000;
    const checked = checkClaims(claims, { audience: accepted.audience, leewaySeconds, now });
    const identity = readIdentity(claims, checked, accepted);
    checkPolicy(identity, accepted, { allowApps });
    return identity;
  }
}

/** One question to the server; every failure means that we do not know. */
function asker(options: IntrospectionOptions): (token: string) => Promise<Claims> {
  const { fetch = platformFetch } = options;
  const timeoutMs = requireMilliseconds(options.timeoutMs ?? 5000, "timeoutMs");
  const introspection_endpoint = requireSecureUrl(options.introspectionEndpoint, "introspectionEndpoint");
  const authenticate = clientAuthentication(options.clientAuth);
  const server = { issuer: options.issuer, introspection_endpoint };
  const configuration = new Configuration(server, options.clientId, undefined, authenticate);
  allowInsecureRequests(configuration);
  configuration[customFetch] = async (url, { method, headers, body }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { method, headers, body: String(body), redirect: "manual", signal });
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      throw unknownHere(response.status);
    }
    const text = await readLimited(response, MAX_ANSWER_BYTES);
    return new Response(text, { status: response.status, headers: { "content-type": "application/json" } });
  };
  return (token) =>
    tokenIntrospection(configuration, token, { token_type_hint: "access_token" }).catch((cause: unknown) => {
      if (cause instanceof Error && cause.cause instanceof AuthError) throw cause.cause;
      const message = "The authorization server that knows this token cannot be asked now; try again soon.";
      throw new AuthError("keys_unavailable", message, { cause, retryAfterSeconds: 5 });
    });
}

/** The server answers about tokens with 200, whatever they are: this is about us (RFC 7662 section 2.3). */
function unknownHere(status: 401 | 403): AuthError {
  const message = "The authorization server does not let this service ask about tokens. Tell its operator.";
  const cause = new Error(`introspection was answered with ${status}: correct clientId and clientAuth`);
  return new AuthError("issuer_misconfigured", message, { cause });
}
