/** One earlier party in a delegation (RFC 8693 section 4.1, `act`). Recorded, never a source of rights. */
export interface Actor {
  readonly subject: string;
  readonly issuer: string | undefined;
}

/**
 * Who a verified token speaks for. A person is `issuer` + `subject`, never an e-mail address or a name: those are
 * attributes, for showing and recording.
 */
export interface Identity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: readonly string[];
  /** The client the token was issued to: `client_id`, `azp`, `cid` or `appid`, by the issuer's dialect. */
  readonly clientId: string | undefined;
  readonly kind: "user" | "app";
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  /** True when the provider left the groups out because there were too many: unknown, not none. */
  readonly groupsOverage: boolean;
  readonly roles: readonly string[];
  readonly email: string | undefined;
  readonly name: string | undefined;
  /** The `act` chain, the nearest actor first. */
  readonly actors: readonly Actor[];
  readonly tokenId: string | undefined;
  /** Seconds since the epoch. */
  readonly issuedAt: number | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  /** Every claim of the token, frozen. */
  readonly claims: Readonly<Record<string, unknown>>;
}
