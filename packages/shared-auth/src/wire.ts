import type { AuthError, AuthErrorCode } from "./errors.ts";

/** What a challenge says about the resource. */
export interface WireOptions {
  /** URL of the protected-resource metadata (RFC 9728 section 5.1). */
  readonly resourceMetadata?: string | undefined;
  /** Names the protected space in the challenge (RFC 9110 section 11.5). */
  readonly realm?: string | undefined;
}

/** An answer in HTTP's terms; independent of any framework. */
export interface WireError {
  readonly status: 400 | 401 | 403 | 502 | 503;
  readonly headers: Record<string, string>;
  /** `error` in OAuth's words where it has some; `message` for whoever calls. */
  readonly body: { readonly error: string; readonly message: string };
}

interface Answer {
  readonly status: WireError["status"];
  /** What the body calls it: OAuth's name where there is one, else our own code. */
  readonly error: string;
  /** Which challenge goes into WWW-Authenticate; `bare` names no error (RFC 6750 section 3.1). */
  readonly challenge?: "bare" | "Bearer" | "DPoP";
}

/** Seconds, for an outage whose end nobody knows: long enough not to hammer, short enough to recover soon. */
const DEFAULT_RETRY_AFTER_SECONDS = 5;

/**
 * How a service answers an AuthError: status, headers and body (RFC 6750 section 3, RFC 9449 section 7.1,
 * RFC 9728 section 5.1). Never carries the cause.
 */
export function toWire(error: AuthError, options: WireOptions = {}): WireError {
  const answer = answerFor(error.code, error.claims);
  const headers: Record<string, string> = { "cache-control": "no-store" };
  if (answer.challenge !== undefined) headers["www-authenticate"] = challenge(answer, error, options);
  if (answer.status === 503) headers["retry-after"] = String(error.retryAfterSeconds ?? DEFAULT_RETRY_AFTER_SECONDS);
  if (error.dpopNonce !== undefined) headers["dpop-nonce"] = error.dpopNonce;
  return { status: answer.status, headers, body: { error: answer.error, message: error.message } };
}

function answerFor(code: AuthErrorCode, claims: string | undefined): Answer {
  switch (code) {
    case "token_absent":
      return { status: 401, error: code, challenge: "bare" };
    case "request_ambiguous":
      return { status: 400, error: "invalid_request" };
    case "token_malformed":
    case "token_type_unaccepted":
    case "algorithm_unaccepted":
    case "key_unknown":
    case "signature_invalid":
    case "issuer_untrusted":
    case "audience_mismatch":
    case "token_expired":
    case "token_not_yet_valid":
    case "claim_invalid":
    case "token_inactive":
    case "token_sender_constrained":
    case "subject_rejected":
      return { status: 401, error: "invalid_token", challenge: "Bearer" };
    case "dpop_proof_invalid":
      return { status: 401, error: "invalid_dpop_proof", challenge: "DPoP" };
    case "dpop_nonce_required":
      return { status: 401, error: "use_dpop_nonce", challenge: "DPoP" };
    case "step_up_required":
      // Entra's name for it when it sent a claims challenge, else RFC 9470 section 3.
      return {
        status: 401,
        error: claims === undefined ? "insufficient_user_authentication" : "insufficient_claims",
        challenge: "Bearer",
      };
    case "scope_insufficient":
      return { status: 403, error: "insufficient_scope", challenge: "Bearer" };
    case "client_untrusted":
    case "user_required":
      return { status: 403, error: code };
    case "issuer_misconfigured":
    case "exchange_refused":
    case "exchange_answer_invalid":
      return { status: 502, error: code };
    case "keys_unavailable":
    case "exchange_unavailable":
      return { status: 503, error: code };
    default:
      return unknownCode(code);
  }
}

/** Only code from outside the types gets here; the parameter's type fails the build when a code has no answer. */
function unknownCode(code: never): never {
  throw new TypeError(`AuthError has no code ${JSON.stringify(code)}; use one of AuthErrorCode.`);
}

function challenge(answer: Answer, error: AuthError, options: WireOptions): string {
  const named = answer.challenge !== "bare";
  const parameters: [string, string | undefined][] = [
    ["realm", options.realm],
    ["error", named ? answer.error : undefined],
    ["error_description", named ? error.message : undefined],
    ["scope", error.scopes?.join(" ")],
    ["acr_values", error.acrValues],
    ["claims", error.claims === undefined ? undefined : Buffer.from(error.claims).toString("base64")],
    ["resource_metadata", options.resourceMetadata ?? error.resourceMetadata],
  ];
  const scheme = answer.challenge === "DPoP" ? "DPoP" : "Bearer";
  const text = parameters.flatMap(([name, value]) => (value === undefined ? [] : [`${name}="${quotable(value)}"`]));
  return text.length === 0 ? scheme : `${scheme} ${text.join(", ")}`;
}

/** What a quoted parameter may hold (RFC 6750 section 3): printable ASCII without quote and backslash. */
function quotable(value: string): string {
  return value.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "'");
}
