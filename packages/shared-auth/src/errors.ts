/**
 * Every way that verifying or exchanging a token can fail. The code says which check refused; `toWire` says how a
 * service answers. Whose fault it is decides the status: the caller's token 4xx, our configuration 502, a provider
 * that cannot be reached 503.
 */
export type AuthErrorCode =
  // no usable credential (RFC 6750 section 3.1: no error code when none was sent)
  | "token_absent"
  | "request_ambiguous"
  // the caller's token (RFC 6750 invalid_token)
  | "token_malformed"
  | "token_type_unaccepted"
  | "algorithm_unaccepted"
  | "key_unknown"
  | "signature_invalid"
  | "issuer_untrusted"
  | "audience_mismatch"
  | "token_expired"
  | "token_not_yet_valid"
  | "claim_invalid"
  | "token_inactive"
  | "token_sender_constrained"
  | "dpop_proof_invalid"
  | "dpop_nonce_required"
  // a good token without the right
  | "scope_insufficient"
  | "client_untrusted"
  | "user_required"
  // keys or introspection out of reach, or an issuer that is not who we were told
  | "keys_unavailable"
  | "issuer_misconfigured"
  // exchange
  | "subject_rejected"
  | "step_up_required"
  | "exchange_refused"
  | "exchange_answer_invalid"
  | "exchange_unavailable";

/** What some errors carry besides code and message. */
export interface AuthErrorDetails {
  /** The private reason: goes to the log, never to the wire. */
  readonly cause?: unknown;
  /** Whole seconds after which trying again may help. */
  readonly retryAfterSeconds?: number | undefined;
  /** Scopes that would have been enough (RFC 6750 section 3, `scope`). */
  readonly scopes?: readonly string[] | undefined;
  /** Entra's claims challenge, as it came, for a step-up. */
  readonly claims?: string | undefined;
  /** Authentication context classes that would do, by spaces (RFC 9470 section 3, `acr_values`). */
  readonly acrValues?: string | undefined;
  /** A fresh DPoP nonce (RFC 9449 section 8). */
  readonly dpopNonce?: string | undefined;
  /** Where this resource describes itself (RFC 9728 section 5.1): `toWire` puts it into the challenge. */
  readonly resourceMetadata?: string | undefined;
}

/** The one error of this library. `message` is fit for the caller: no token, no provider's text. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly code: AuthErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly scopes: readonly string[] | undefined;
  readonly claims: string | undefined;
  readonly acrValues: string | undefined;
  readonly dpopNonce: string | undefined;
  readonly resourceMetadata: string | undefined;

  constructor(code: AuthErrorCode, message: string, details: AuthErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.scopes = details.scopes;
    this.claims = details.claims;
    this.acrValues = details.acrValues;
    this.dpopNonce = details.dpopNonce;
    this.resourceMetadata = details.resourceMetadata;
  }
}
