import type { UserClaims } from "../claims.ts";

/** What is known of an access token before it takes its issuer's shape. */
export interface TokenFacts {
  readonly jti: string;
  readonly issuer: string;
  readonly subject: string;
  /** Absent in a token a client got for itself. */
  readonly user: UserClaims | undefined;
  readonly audience: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly sessionId: string | undefined;
}

export interface ShapedToken {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

/** How one make of provider writes an access token. */
export type ShapeToken = (facts: TokenFacts) => ShapedToken;
