import type { Identity } from "../identity.ts";

/** The token to exchange, with whom it was verified to speak for. */
export interface Subject {
  /** The token as it came. It goes to the token endpoint and nowhere else. */
  readonly token: string;
  readonly identity: Pick<Identity, "issuer" | "subject" | "expiresAt"> & Partial<Pick<Identity, "claims">>;
}

/** A token that is good for one audience only (RFC 8693 section 2.2). */
export interface ScopedToken {
  readonly accessToken: string;
  readonly tokenType: "Bearer" | "DPoP";
  /** Seconds since the epoch; undefined when the server did not say and the token cannot be read. */
  readonly expiresAt: number | undefined;
  /** The first that was asked for; undefined when none was, as with servers that go by scopes. */
  readonly audience: string | undefined;
  readonly scopes: readonly string[];
  /** The authorization server that was asked, and as which client: for the record. */
  readonly issuer: string;
  readonly clientId: string;
  /** `cached`: no call was made for it. */
  readonly source: "fresh" | "cached";
}

/** What may be said about one call. */
export interface ExchangeCall {
  /** A caller that gives up does not fail others who wait for the same token. */
  readonly signal?: AbortSignal;
  /** The service behind answered 401 to this access token: do not give it out again. */
  readonly rejected?: string;
}

/** What an exchange asks for, and of whom: two exchanges that differ here never share a cached token. */
export interface ExchangeTarget {
  readonly profile: string;
  readonly server: string;
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly resource: readonly string[];
  readonly scopes: readonly string[];
  readonly subjectTokenType: string;
  readonly withActor: boolean;
  /** Thumbprint of the key the tokens are bound to (RFC 9449). */
  readonly boundTo: string | undefined;
}

/**
 * Token exchange: from a subject's token to one for the next hop, on behalf of the same user.
 * @throws AuthError `subject_rejected`, `step_up_required`, `exchange_refused`, `exchange_answer_invalid`,
 * `exchange_unavailable`, `issuer_misconfigured`
 */
export interface Exchange {
  (subject: Subject, call?: ExchangeCall): Promise<ScopedToken>;
  /** What `cached` tells entries apart by; absent in an exchange that somebody else made. */
  readonly target?: ExchangeTarget;
}
