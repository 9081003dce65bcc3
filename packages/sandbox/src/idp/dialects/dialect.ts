import type { Actor, UserClaims } from "../claims.ts";
import type { ExchangeRule, User } from "../definitions.ts";
import type { ExchangeRequest } from "../exchange/request.ts";
import type { SubjectProblem, SubjectToken } from "../exchange/subject.ts";

/** What is known of an access token before it takes its issuer's shape. */
export interface TokenFacts {
  readonly jti: string;
  readonly issuer: string;
  readonly subject: string;
  /** Absent in a token a client got for itself. */
  readonly user: UserClaims | undefined;
  readonly audiences: readonly string[];
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly sessionId: string | undefined;
  /** How strongly the user signed in. */
  readonly acr: string | undefined;
  /** Who acts for the user, the latest first. */
  readonly actor: Actor | undefined;
}

export interface ShapedToken {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

/** One make of provider: how it names users, writes access tokens, and exchanges them. */
export interface Dialect {
  /** The provider's own name of a user, its `sub`. */
  readonly subjectOf: (user: User) => string;
  readonly token: (facts: TokenFacts) => ShapedToken;
  /** Claims its ID tokens have with the scope `profile`, besides the standard ones. */
  readonly profileClaims?: readonly string[];
  /** What it says of a user there, where that is not what every make says. */
  readonly profileOf?: (user: User) => Record<string, unknown>;
  /** Absent: the provider has no token exchange of RFC 8693. */
  readonly exchange?: ExchangeDialect;
  /** It has Entra's on-behalf-of grant instead. */
  readonly onBehalfOf?: boolean;
  /** How it writes the errors of its token endpoint, where that is more than the RFCs ask. */
  readonly errorBody?: (body: Readonly<Record<string, unknown>>) => Record<string, unknown>;
}

/** What an exchange will issue. */
export interface Granted {
  readonly audiences: readonly [string, ...string[]];
  readonly scopes: readonly string[];
  /** As the answer names it (RFC 8693, section 2.2.1). */
  readonly issuedType: string;
  /** An access token only its issuer can read. */
  readonly opaque?: boolean;
  readonly actor?: Actor | undefined;
}

/** All that decides about one exchange. */
export interface ExchangeFacts {
  readonly clientId: string;
  readonly rules: readonly ExchangeRule[];
  readonly request: ExchangeRequest;
  readonly subject: SubjectToken;
  readonly actor: SubjectToken | undefined;
}

/** How one make of provider takes, decides and answers a token exchange. All pure; refusals are thrown. */
export interface ExchangeDialect {
  /** Subject tokens it takes besides access tokens that are JWTs. */
  readonly takes?: readonly ("opaque" | "id_token" | "actor")[];
  /** Refuses what can be refused before any token is looked at. */
  readonly accept: (request: ExchangeRequest) => void;
  readonly subjectRefused: (problem: SubjectProblem) => Error;
  readonly decide: (facts: ExchangeFacts) => Granted;
  /** Members of the answer beyond those of RFC 8693, or other values for those. */
  readonly answer?: (granted: Granted, facts: ExchangeFacts) => Record<string, unknown>;
}
